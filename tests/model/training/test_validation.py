"""Validations beside a training, as where a GPU trains: it goes on meanwhile, and the model of one step is measured."""

import threading
from pathlib import Path

import numpy as np
import pytest

from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.trainer import Trainer
from tests.model.training.test_trainer import Notes, trainer


def beside(folder: Path, steps: int, notes: Notes | None = None) -> Trainer:
    one = trainer(folder, steps, notes, validate_seconds=1e-6)
    one.validator.beside = True
    return one


def test_the_training_goes_on_while_swaps_are_measured(tmp_path: Path) -> None:
    further = threading.Event()

    class Watch(Notes):
        def metrics(self, step: int, values: dict[str, float]) -> None:
            super().metrics(step, values)
            if "loss" in values and step >= 5:
                further.set()

    def quality(model: Autoencoders) -> dict[str, float]:
        assert threading.current_thread() is not threading.main_thread()
        waited.append(further.wait(120))  # for ever, if the training waited for this
        return {"score": 1.0}

    waited: list[bool] = []
    notes = Watch()
    one = beside(tmp_path, 8, notes)
    one.validator.quality = quality
    result = one.train()
    assert waited
    assert all(waited)
    assert result.steps == 8
    assert result.history[0][0] == 1  # measured at the first step, told when it was done
    measured = [step for step, _, _ in result.history]
    assert measured[-1] == 8
    assert measured.count(8) == 1
    assert [step for step, values in notes.values if "score" in values] == [s for s, _, _ in result.history]


def test_a_copy_of_the_weights_of_one_step_is_measured_and_shown(tmp_path: Path) -> None:
    class Watch(Notes):
        def validated(self, step: int, model: Autoencoders) -> None:
            shown[step] = [np.array(w) for w in model.get_weights()]

    shown: dict[int, list[np.ndarray]] = {}
    one = beside(tmp_path, 6, Watch())
    begin = one.validator.begin

    def noted(step: int, seconds: float) -> None:
        true[step] = [np.array(w) for w in one.model.get_weights()]
        begin(step, seconds)

    true: dict[int, list[np.ndarray]] = {}
    one.validator.begin = noted  # type: ignore[method-assign]
    one.train()
    assert sorted(shown) == sorted(true)
    assert len(true) >= 2
    for step, weights in true.items():
        for ours, theirs in zip(shown[step], weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_what_fails_beside_ends_the_training_which_has_saved(tmp_path: Path) -> None:
    def quality(model: Autoencoders) -> dict[str, float]:
        raise ValueError("no face")

    one = beside(tmp_path, 1000)
    one.validator.quality = quality
    with pytest.raises(ValueError, match="no face"):
        one.train()
    saved = one.checkpoints.latest()
    assert saved is not None
    assert 1 <= saved.step < 1000
