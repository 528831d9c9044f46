"""The job around a search: which search it is, whose turn it is, what becomes of the winner."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from faceswap import registry
from faceswap.errors import FaceSetError
from faceswap.files.atomic import write_text
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import TrainParameters
from faceswap.jobs.tuning import tune_job as job
from faceswap.jobs.tuning.tune_parameters import TuneParameters, searches
from faceswap.tuning.plan import SearchPlan, trial_folder
from tests.registry.fakes import add_versions, aliases
from tests.tuning import fakes


@dataclass(frozen=True)
class Stored:
    """A face set at ``/sets/IDENTITY/NUMBER``."""

    uri: str
    changed: bool = False

    @property
    def identity(self) -> str:
        return Path(self.uri).parent.name

    @property
    def digest(self) -> str:
        return f"digest of {self.uri}{' changed' if self.changed else ''}"

    def count(self, split: str) -> int:
        return len(split)


class World:
    """What the job calls, noted in order; each name means its newest face set."""

    def __init__(self) -> None:
        self.newest = {"ada": 1, "ben": 1}
        self.changed = False
        self.calls: list[str] = []
        self.searched: list[tuple[Path, SearchPlan]] = []
        self.trained: list[TrainParameters] = []

    def load(self, words: list[str]) -> dict[str, Stored]:
        places = [word if "/" in word else f"/sets/{word}/{self.newest[word]}" for word in words]
        return {one.identity: one for one in (Stored(place, self.changed) for place in places)}

    def search(self, folder: Path, *_: object) -> None:
        self.calls.append("search")
        self.searched.append((folder, SearchPlan.load(folder)))
        write_text(trial_folder(folder, "0000") / "result.json", fakes.record(0, 0.5, 1).model_dump_json())

    def train(self, parameters: TrainParameters, _: Monitor) -> Any:
        self.calls.append("train")
        self.trained.append(parameters)
        return SimpleNamespace(versions={})

    @contextmanager
    def slot(self, count: int) -> Iterator[None]:
        self.calls.append("slot" if count == 1 else f"{count} slots")
        yield
        self.calls.append("free")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    one = World()
    run = MagicMock(run_id="abc")
    monkeypatch.setattr(job, "load_face_sets", one.load)
    monkeypatch.setattr(job, "train", one.train)
    monkeypatch.setattr(job, "Board", MagicMock())
    monkeypatch.setattr(job.tracking, "run", lambda *_, **__: nullcontext(run))
    monkeypatch.setattr(TERMINAL, "training_slot", one.slot)
    monkeypatch.setattr(TERMINAL, "progress", lambda *_: nullcontext())
    monkeypatch.setattr(job, "search", one.search)
    monkeypatch.setattr(job, "search_as_chief", one.search)
    monkeypatch.setattr(job, "search_with_workers", one.search)
    return one


def tune(*face_sets: str, **more: Any) -> Any:
    return job.tune(TuneParameters(face_sets=list(face_sets or ["(of the run)"]), **more))


def test_a_search_takes_the_training_slot_and_frees_it_for_the_winners_training(world: World) -> None:
    tune("ada", "ben", then_train_minutes=1)
    assert world.calls == ["slot", "search", "free", "train"]
    tune("ada", "ben", workers=2)
    assert world.calls[4:] == ["2 slots", "search", "free"]


def test_the_chief_holds_the_slot_and_its_workers_need_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "10.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "5000")
    tune("ada", "ben", tuner_id="chief")
    assert world.calls == ["slot", "search", "free"]
    world.calls.clear()
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "set by the flow")  # so that it is undone
    assert tune("ada", "ben", tuner_id="other-machine") is None
    assert world.calls == ["search"]


def test_resume_goes_on_with_the_face_sets_it_began_with(world: World) -> None:
    tune("ada", "ben")
    world.newest["ada"] = 2
    tune(resume="abc", trials=20, then_train_minutes=1)
    (first, begun), (again, plan) = world.searched
    assert again == first
    assert [path.name for path in searches().iterdir()] == [first.name]
    assert plan.face_sets == begun.face_sets == ("/sets/ada/1", "/sets/ben/1")
    assert (begun.trials, plan.trials) == (12, 20)
    assert world.trained[0].face_sets == ["/sets/ada/1", "/sets/ben/1"]
    tune("ada", "ben")  # without resume the newest is meant
    assert world.searched[-1][1].face_sets == ("/sets/ada/2", "/sets/ben/1")
    assert world.searched[-1][0] != first


def test_resume_refuses_face_sets_that_were_changed_in_place(world: World) -> None:
    tune("ada", "ben")
    world.changed = True
    with pytest.raises(FaceSetError, match="not those the search was begun with"):
        tune(resume="abc")


def test_the_order_of_the_words_does_not_change_which_decoder_is_whose(world: World) -> None:
    tune("ben", "ada")
    tune("ada", "ben")
    (first, one), (second, other) = world.searched
    assert first == second
    assert list(one.digests) == list(other.digests) == ["ada", "ben"]
    assert one.face_sets == other.face_sets == ("/sets/ada/1", "/sets/ben/1")


def test_a_first_version_goes_to_production_and_is_not_its_own_challenger(
    world: World, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, (_, second) = add_versions("ada", 1), add_versions("ben", 2)
    registry.set_alias(registry.Version(second.name, 1), "production")

    def train(*_: object) -> Any:
        versions = {"ada": ada[0], "ben": second}
        for version in versions.values():
            registry.alias_after_training(version)  # as a training does
        return SimpleNamespace(versions=versions)

    monkeypatch.setattr(job, "train", train)
    done = tune("ada", "ben", then_train_minutes=1)
    assert done.versions == {"ada": ada[0], "ben": second}
    assert aliases("face-ada") == {"production": 1}
    assert aliases("face-ben") == {"production": 1, "challenger": 2}
