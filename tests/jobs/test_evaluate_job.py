from dataclasses import dataclass

import pytest

from faceswap.errors import SettingsError
from faceswap.jobs import evaluate_job as evaluate
from faceswap.jobs.parameters import EvaluateParameters
from faceswap.provenance.consent.record import Consent


@dataclass(frozen=True)
class Named:
    """A face set by its place; ``ada-2`` is ada's."""

    uri: str

    @property
    def identity(self) -> str:
        return self.uri.partition("-")[0]

    @property
    def consent(self) -> Consent:
        return Consent(subject=self.identity, statement="fictional", fictional=True)


@pytest.fixture(autouse=True)
def named_sets(monkeypatch: pytest.MonkeyPatch, database: None) -> None:
    monkeypatch.setattr(evaluate, "find_face_set", Named)


def test_targets_by_identity() -> None:
    found = evaluate.target_sets(EvaluateParameters(references=["cleo"], targets=["ada-1", "ben-1"]), [])
    assert found == {"ada": Named("ada-1"), "ben": Named("ben-1")}


def test_two_targets_of_one_person_are_refused_and_not_silently_one() -> None:
    parameters = EvaluateParameters(references=["cleo"], targets=["ada-1", "ben-1", "ada-2"])
    with pytest.raises(SettingsError, match="Two face sets are of 'ada': ada-1 and ada-2"):
        evaluate.target_sets(parameters, [])
