"""Trainings that go on: with the same budget, with another one, while they were winding down."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from faceswap.model.training.result import TrainingResult
from faceswap.model.training.schedule import Budget, Schedule
from tests.model.training.test_trainer import TINY, Notes, trainer


@pytest.fixture(scope="module")
def wound_down(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingResult]:
    """A training that a plateau has ended, with its checkpoints."""
    folder = tmp_path_factory.mktemp("plateau")
    one = trainer(folder, 90, validate_seconds=1e-6, patience=2)
    one.validator.quality = lambda model: {"score": 1.0}
    return folder, one.train()


@pytest.fixture
def plateau(wound_down: tuple[Path, TrainingResult], tmp_path: Path) -> tuple[Path, int]:
    """A copy of its checkpoints, and how many steps it took."""
    folder, result = wound_down
    return Path(shutil.copytree(folder, tmp_path / "plateau")), result.steps


def test_a_plateau_winds_down_early(wound_down: tuple[Path, TrainingResult]) -> None:
    _, result = wound_down
    assert result.stopped_early
    assert result.steps < 20


def test_with_a_longer_budget_the_encoder_learns_again(tmp_path: Path) -> None:
    trainer(tmp_path, 4).train()
    again = trainer(tmp_path, 10)
    assert again.resume() == 4
    before = again.model.encoder.get_weights()
    again.train()
    assert any((a != b).any() for a, b in zip(before, again.model.encoder.get_weights(), strict=True))
    assert again.state.encoder_rests  # in the finish of the longer one


def test_a_frozen_encoder_is_resumed_frozen(tmp_path: Path) -> None:
    trainer(tmp_path, 3, freeze_encoder=True).train()
    again = trainer(tmp_path, 6, freeze_encoder=True)
    assert again.resume() == 3
    before = again.model.encoder.get_weights()
    again.train()
    for old, new in zip(before, again.model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_resumed_wind_down_ends_where_it_was_to_end(tmp_path: Path) -> None:
    class Interrupt(Notes):
        def metrics(self, step: int, values: dict[str, float]) -> None:
            if one.state.encoder_rests:
                raise KeyboardInterrupt

    one = trainer(tmp_path, 90, Interrupt(), validate_seconds=1e-6, patience=20)
    one.validator.quality = lambda model: {"score": 1.0}
    with pytest.raises(KeyboardInterrupt):
        one.train()
    assert one.state.stopped_early
    again = trainer(tmp_path, 90, validate_seconds=1e9, patience=20)
    again.resume()
    result = again.train()
    assert result.stopped_early
    assert result.steps == one.state.end < 40  # a fifth more than when it was noticed


def test_another_budget_takes_back_the_wind_down(plateau: tuple[Path, int]) -> None:
    folder, done = plateau
    again = trainer(folder, 2 * done)
    again.resume()
    assert not again.state.encoder_rests
    result = again.train()
    assert (result.steps, result.stopped_early) == (2 * done, False)


def test_checkpoints_from_before_the_end_was_stored_are_resumed(plateau: tuple[Path, int]) -> None:
    folder, done = plateau
    (newest,) = folder.glob(f"step-{done:09d}/state.json")
    stored = json.loads(newest.read_text())
    del stored["end"]
    newest.write_text(json.dumps(stored))
    (newest.parent / "SHA256SUMS").unlink()  # these came later
    again = trainer(folder, 90)
    assert again.resume() == done
    assert again.train().steps <= 2 * done


@pytest.mark.parametrize("budget", [Budget(steps=1000), Budget(minutes=1000 / 60)])
def test_a_schedule_is_told_its_earlier_end(budget: Budget) -> None:
    first, second = Schedule(budget, TINY, 7), Schedule(budget, TINY, 7)
    second.end_at(first.finish_soon(100, 100.0))
    for schedule in (first, second):
        assert schedule.progress(60, 60.0) == 0.5
        assert schedule.progress(120, 120.0) == 1
    second.end_at(None)
    assert second.progress(120, 120.0) == pytest.approx(0.12)
