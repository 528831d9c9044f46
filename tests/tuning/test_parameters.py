from typing import Any

import pytest
from typer.testing import CliRunner

from faceswap import jobs
from faceswap.cli import app
from faceswap.errors import SettingsError
from faceswap.jobs.tuning.tune_parameters import TuneParameters, searches
from faceswap.model.training.schedule import Budget
from tests.cli.test_cli import run
from tests.tuning import fakes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--resume", "0123"], "left no search"),
        (["a", "b", "--space", "nowhere"], "no search space 'nowhere'"),
        (["a", "b", "--weight", "lips"], "is not NAME=NUMBER"),
    ],
)
def test_wrong_words_get_a_clear_message_and_exit_1(words: list[str], said: str) -> None:
    code, _, errors = run("tune", *words)
    assert code == 1
    assert said in errors.replace("\n", " ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"minutes": 1, "steps": 2}, "Both minutes and steps"),
        ({"preset": "original", "space": "widths"}, "Preset 'original' can't have"),
    ],
)
def test_what_can_not_be_searched_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        TuneParameters(face_sets=["a", "b"], **given).checked()


def test_a_shared_search_needs_all_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "10.0.0.1")
    with pytest.raises(SettingsError, match="address, port and name"):
        TuneParameters(face_sets=["a"]).checked()
    one = TuneParameters(face_sets=["a"], oracle_port=5, tuner_id="worker-3")
    assert one.place() == ("worker-3", "10.0.0.1", 5)
    assert TuneParameters(face_sets=["a"], oracle_port=5, tuner_id="the-chief").place()[0] == "chief"
    monkeypatch.delenv("KERASTUNER_ORACLE_IP")
    assert TuneParameters(face_sets=["a"]).place() == ("", "", 0)


def test_resume_takes_the_stored_input_and_what_extends_it() -> None:
    folder = searches() / "one"
    fakes.plan(run_id="abc").save(folder)
    stored = TuneParameters(face_sets=["a", "b"], steps=7, trials=3, seed=5)
    (folder / "parameters.json").write_text(stored.model_dump_json())
    found = TuneParameters(face_sets=["(of the run)"], resume="abc", trials=9, minutes=3).checked()
    assert (found.face_sets, found.trials, found.seed) == (["a", "b"], 9, 5)
    assert found.budget() == Budget(steps=7)


def test_a_search_with_four_workers_resumes_with_four(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[TuneParameters] = []
    monkeypatch.setattr(jobs, "tune", begun.append)  # None: as the chief's search
    folder = searches() / "one"
    fakes.plan(run_id="abc").save(folder)
    stored = TuneParameters(face_sets=["a", "b"], workers=4)
    (folder / "parameters.json").write_text(stored.model_dump_json())
    for words in ([], ["--workers", "2"]):
        assert CliRunner().invoke(app, ["tune", "--resume", "abc", *words]).exit_code == 0
    assert [parameters.workers for parameters in begun] == [4, 2]


def test_everything_in_the_form_is_described() -> None:
    schema = TuneParameters.model_json_schema()
    models = {"tune": schema} | {n: m for n, m in schema["$defs"].items() if "properties" in m}
    undescribed = {
        f"{model}.{name}"
        for model, content in models.items()
        for name, field in content["properties"].items()
        if "description" not in field and "const" not in field
    }
    assert undescribed == set()
