"""Trainings whose pairs are made on the device, on whatever backend the tests run, against those with host pairs."""

import signal
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.engines.supply import Pace
from faceswap.model.training.model_files import copy_weights, export, read_model
from faceswap.model.training.schedule import Budget, Schedule
from faceswap.model.training.trainer import Trainer, TrainingOptions
from tests.model.fakes import FakeFaces
from tests.model.training.tiny import STEPS, TINY, Notes, trainer, weights


@dataclass(frozen=True)
class Whole:
    """A training that nothing interrupted, with one step a call."""

    engine: type
    losses: dict[int, float]
    weights: list[np.ndarray]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """With pairs of the device; once for all tests, since most of a training of ten steps is its compilation."""
    notes = Notes()
    one = trainer(tmp_path_factory.mktemp("whole"), notes)
    assert one.train().steps == STEPS
    assert sorted(notes.losses) == list(range(1, STEPS + 1))
    return Whole(type(one.engine), notes.losses, weights(one))


def test_pairs_of_host_and_device_train_the_same_to_the_end_of_the_finish(
    tmp_path: Path, whole: Whole
) -> None:
    host = Notes()
    one = trainer(tmp_path, host, pairs="host")
    one.train()
    assert type(one.engine) is not whole.engine
    assert sorted(host.losses) == sorted(whole.losses)
    steps = sorted(host.losses)
    expected = [host.losses[step] for step in steps]
    np.testing.assert_allclose([whole.losses[step] for step in steps], expected, rtol=0.02)
    for ours, theirs in zip(whole.weights, weights(one), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=6e-3)  # Adam's steps are as large as the rate, 1e-3


def test_many_steps_a_call_are_the_same_steps(tmp_path: Path, whole: Whole) -> None:
    many = Notes()
    other = trainer(tmp_path, many, a_call=5)
    result = other.train()
    assert result.steps == STEPS
    if getattr(other.engine, "_pace", None):
        assert len(many.losses) < STEPS
        assert {7, 10} <= set(many.losses)  # a call ends where the finish begins
    for ours, theirs in zip(weights(other), whole.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize(("first", "second"), [("device", "device"), ("device", "host"), ("host", "device")])
def test_interrupted_and_resumed_is_the_same_curve_also_on_the_other_engine(
    tmp_path: Path, whole: Whole, first: str, second: str
) -> None:
    before, after = Notes(cut=8), Notes()
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path, before, pairs=first).train()
    again = trainer(tmp_path, after, pairs=second)
    assert again.resume() == 8
    assert again.state.encoder_rests
    again.train()
    joined = before.losses | after.losses
    steps = sorted(whole.losses)
    assert sorted(joined) == steps
    exact = {"rtol": 1e-3} if first == second else {"rtol": 0.02}
    np.testing.assert_allclose([joined[s] for s in steps], [whole.losses[s] for s in steps], **exact)


def test_compiling_trains_nothing(tmp_path: Path) -> None:
    one = trainer(tmp_path)
    before = weights(one)
    spent = one.engine.prepare()
    one.engine.settle()
    for ours, theirs in zip(weights(one), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert int(one.optimizer.iterations) == 0
    assert (spent > 0) == (keras.backend.backend() in {"jax", "tensorflow"})
    assert one.engine.prepare() == 0


def test_compiling_is_told_apart_and_is_no_time_of_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=5.0)
    monkeypatch.setattr("faceswap.model.training.schedule.time", SimpleNamespace(monotonic=lambda: clock.now))
    notes = Notes()
    one = trainer(tmp_path, notes)
    one.schedule = Schedule(Budget(minutes=0.1), TINY, 7)

    def compiles() -> float:  # once
        if not notes.compiled:
            clock.now += 1000
            return 1000.0
        return 0.0

    def takes_a_second(_: object) -> tuple[int, dict[str, float]]:
        clock.now += 1
        return 1, {"loss": 2.0, "loss_ann": 1.0, "loss_bob": 1.0}

    one.engine.prepare = compiles  # type: ignore[method-assign]
    one.engine.run = takes_a_second  # type: ignore[assignment, method-assign]
    result = one.train()
    assert (result.steps, result.seconds, result.compile_seconds) == (6, 6.0, 1000.0)
    assert notes.compiled == [1000.0]


def test_a_call_takes_half_a_second_at_most_once_the_pace_is_known() -> None:
    pace = Pace(256)
    for a_step in (0.002, 0.1, 3.0):  # a card slows down: another program came
        for _ in range(8):
            pace.took(pace.steps, pace.steps * a_step)
        assert pace.steps == {0.002: 250, 0.1: 5, 3.0: 1}[a_step]
    pace.took(1, 1e-4)
    assert pace.steps == 16  # not all at once


def test_a_frozen_encoder_stays(tmp_path: Path) -> None:
    one = trainer(tmp_path, freeze_encoder=True, steps=4)
    before = [np.array(w) for w in one.model.encoder.get_weights()]
    decoder = [np.array(w) for w in one.model.decoders[1].get_weights()]
    one.train()
    for old, new in zip(before, one.model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert any(
        (old != new).any() for old, new in zip(decoder, one.model.decoders[1].get_weights(), strict=True)
    )


@pytest.mark.parametrize("pairs", ["device", "host"])
def test_an_identity_is_added_to_a_trained_encoder(tmp_path: Path, pairs: str) -> None:
    trained = trainer(tmp_path / "old", pairs=pairs).model  # its random weights stand for learnt ones
    encoder = [np.array(w) for w in trained.encoder.get_weights()]
    decoder = [np.array(w) for w in trained.decoders[0].get_weights()]
    export(trained, tmp_path / "export")
    networks = [read_model(tmp_path / "export" / f"{name}.keras") for name in ("encoder", "decoder_ann")]
    options = TrainingOptions(
        budget=Budget(steps=4),
        freeze_encoder=True,
        pairs=pairs,  # type: ignore[arg-type]
        validate_seconds=1e9,
    )
    data = TrainingData({"cyd": FakeFaces("cyd", (120, 200, 90))}, TINY)
    new = Trainer(
        data,
        TINY,
        options,
        tmp_path / "new",
        Notes(),
        initialize=lambda model: copy_weights(model, *networks, TINY),
    )
    for start, theirs in zip(new.model.decoders[0].get_weights(), decoder, strict=True):
        np.testing.assert_array_equal(start, theirs)
    added = new.train().model
    for ours, theirs in zip(added.encoder.get_weights(), encoder, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    changed = zip(added.decoders[0].get_weights(), decoder, strict=True)
    assert any((ours != theirs).any() for ours, theirs in changed)


def test_not_a_number_rolls_back(tmp_path: Path) -> None:
    notes = Notes()
    one = trainer(tmp_path, notes, checkpoint_seconds=1e-6)
    run, broken = one.engine.run, []

    def sometimes(plan):  # type: ignore[no-untyped-def]
        done, logs = run(plan)
        if plan[0].number == 5 and not broken:
            broken.append(True)
            kernel = one.model.encoder.weights[0]
            one.engine.settle()
            kernel.assign(np.full(kernel.shape, np.nan, np.float32))
            one.engine.reload()
            done, logs = run(plan)
            assert not np.isfinite(float(logs["loss"]))
        return done, logs

    one.engine.run = sometimes  # type: ignore[method-assign]
    result = one.train()
    assert broken
    assert (result.rollbacks, notes.rollbacks, result.steps) == (1, 1, STEPS)
    assert all(np.isfinite(w).all() for w in weights(one))


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="the others train the variables themselves")
def test_a_call_that_fails_half_way_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    one = trainer(tmp_path)
    one.train()
    again = trainer(tmp_path, steps=2 * STEPS)
    again.resume()
    again.engine.prepare()
    run = again.engine._compiled  # type: ignore[attr-defined]

    def lost(*given: object) -> None:
        run(*given)
        raise RuntimeError("INTERNAL: the card has fallen off the bus")

    again.engine._compiled = lost  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="off the bus") as told:
        again.train()
    assert "since the last checkpoint is lost" in told.value.__notes__[0]
    saved = again.checkpoints.latest()
    assert saved is not None
    assert saved.step == STEPS


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_waits_for_the_end_of_a_call(tmp_path: Path) -> None:
    one = trainer(tmp_path, a_call=2)
    run = one.engine.run

    def interrupted(plan):  # type: ignore[no-untyped-def]
        signal.raise_signal(signal.SIGINT)
        return run(plan)

    one.engine.run = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        one.train()
    saved = one.checkpoints.latest()
    assert saved is not None
    assert 1 <= saved.step <= 2
    assert int(one.optimizer.iterations) == saved.step
