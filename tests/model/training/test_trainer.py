import math
import signal
import subprocess
import sys
import textwrap
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from faceswap.errors import CheckpointError, DivergedError
from faceswap.inference.decoder_network import DecoderNetwork
from faceswap.model.options import TrainingOptions
from faceswap.model.presets import preset
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.checkpoints import Checkpoints
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.model_files import export, read_model
from faceswap.model.training.previews import preview_sheet
from faceswap.model.training.schedule import Budget, Schedule, Step
from faceswap.model.training.trainer import Trainer
from tests.model.fakes import FakeFaces

TINY = preset("lite").with_(
    size=96,
    code_grid=12,
    code_columns=8,
    encoder_filters=(8, 16, 16),
    bottleneck=16,
    code_filters=8,
    decoder_filters=(16, 8),
    batch_size=2,
    finish=0.3,
)
ALWAYS = {"report_seconds": 1e-6, "validate_seconds": 1e9, "checkpoint_seconds": 1e-6}


class Notes:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.losses: dict[int, float] = {}
        self.values: list[tuple[int, dict[str, float]]] = []

    def metrics(self, step: int, values: dict[str, float]) -> None:
        self.values.append((step, values))
        if "loss" in values:
            self.losses[step] = values["loss"]

    def validated(self, step: int, model: Autoencoders) -> None: ...

    def progress(self, share: float, message: str) -> None: ...


def trainer(folder: Path, steps: int = 6, notes: Notes | None = None, **options: object) -> Trainer:
    data = TrainingData(
        {"ann": FakeFaces("ann", (200, 120, 90)), "bob": FakeFaces("bob", (90, 120, 200))}, TINY
    )
    settings = TrainingOptions(budget=Budget(steps=steps), seed=1, **{**ALWAYS, **options})  # type: ignore[arg-type]
    return Trainer(data, TINY, settings, folder, notes or Notes(), face_sets={"ann": "1", "bob": "2"})


def test_the_loss_falls(tmp_path: Path) -> None:
    notes = Notes()
    result = trainer(tmp_path, 100, notes, checkpoint_seconds=1e9).train()
    losses = [notes.losses[step] for step in sorted(notes.losses)]
    assert np.mean(losses[-5:]) < 0.85 * np.mean(losses[:5])
    assert result.steps == 100
    assert result.history[-1][2]["heldout_mae"] < 0.2


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others compile the whole step")
def test_a_long_training_compiles_its_loss_and_learns_the_same(tmp_path: Path) -> None:
    short, long = (trainer(tmp_path / str(steps), steps) for steps in (2, 100))
    assert short.model.compiles_loss != long.model.compiles_loss
    found = []
    for one in (short, long):
        one.engine.use(one.optimizer)
        _, logs = one.engine.run([Step(number, 0.0, 1e-3) for number in range(2)])
        found.append(logs["loss"])
    assert found[0] == pytest.approx(found[1], rel=1e-3)


def test_one_step_trains_the_encoder_and_all_decoders(tmp_path: Path) -> None:
    one = trainer(tmp_path, 1)
    before = [[w.copy() for w in part.get_weights()] for part in (one.model.encoder, *one.model.decoders)]
    one.train()
    after = [part.get_weights() for part in (one.model.encoder, *one.model.decoders)]
    assert all(
        any((a != b).any() for a, b in zip(x, y, strict=True)) for x, y in zip(before, after, strict=True)
    )


def test_a_frozen_encoder_stays(tmp_path: Path) -> None:
    one = trainer(tmp_path, 3, freeze_encoder=True)
    before = [w.copy() for w in one.model.encoder.get_weights()]
    one.train()
    for old, new in zip(before, one.model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_in_the_finish_only_the_decoders_learn(tmp_path: Path) -> None:
    class Watch(Notes):
        def metrics(self, step: int, values: dict[str, float]) -> None:
            if "loss" in values:
                encoders.append(one.model.encoder.get_weights())
                decoders.append(one.model.decoders[0].get_weights())

    encoders: list[list[np.ndarray]] = []
    decoders: list[list[np.ndarray]] = []
    one = trainer(tmp_path, 10, Watch())
    one.train()

    def changed(parts: list[list[np.ndarray]]) -> list[bool]:
        return [any((x != y).any() for x, y in zip(a, b, strict=True)) for a, b in pairwise(parts)]

    assert changed(encoders) == [True] * 6 + [False] * 3
    assert changed(decoders) == [True] * 9


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> dict[int, float]:
    """The losses of a training of ten steps that nothing interrupts; in the last three the encoder rests."""
    whole = Notes()
    trainer(tmp_path_factory.mktemp("whole"), 10, whole).train()
    return whole.losses


@pytest.mark.parametrize("cut", [4, 7, 9])
def test_interrupted_and_resumed_is_the_same_loss_curve(
    tmp_path: Path, curve: dict[int, float], cut: int
) -> None:
    steps = range(1, 11)

    class Interrupt(Notes):
        def metrics(self, step: int, values: dict[str, float]) -> None:
            super().metrics(step, values)
            if step == cut:
                raise KeyboardInterrupt

    first, second = Interrupt(), Notes()
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path, 10, first).train()
    again = trainer(tmp_path, 10, second)
    assert again.resume() == cut
    again.train()
    joined = first.losses | second.losses
    assert sorted(joined) == sorted(curve) == list(steps)
    np.testing.assert_allclose([joined[s] for s in steps], [curve[s] for s in steps], rtol=1e-4)


def test_kill_9_loses_at_most_one_interval(tmp_path: Path) -> None:
    code = f"""
        from pathlib import Path
        from tests.model.training.test_trainer import trainer
        trainer(Path({str(tmp_path)!r}), 100_000).train()
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=Path(__file__).parents[3])
    try:
        deadline = time.monotonic() + 120
        while not (found := Checkpoints(tmp_path).latest()) or found.step < 3:
            assert process.poll() is None, "the training ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    again = trainer(tmp_path, 100_000)
    assert again.resume() >= 3


@pytest.mark.parametrize("where", [5, 7])
def test_not_a_number_rolls_back_with_half_the_rate(tmp_path: Path, where: int) -> None:
    notes = Notes()
    one = trainer(tmp_path, 10, notes)
    step, broken = one.model.train_on_batch, []

    def sometimes(x, y, **kw):  # type: ignore[no-untyped-def]
        logs = step(x, y, **kw)
        if one.state.step == where and not broken:
            broken.append(True)
            one.model.encoder.weights[0].assign(np.full(one.model.encoder.weights[0].shape, np.nan))
            return {**logs, "loss": math.nan}
        return logs

    one.model.train_on_batch = sometimes  # type: ignore[method-assign]
    result = one.train()
    assert (result.rollbacks, result.steps) == (1, 10)
    assert np.isfinite(one.model.encoder.get_weights()[0]).all()
    assert any("rollbacks" in values for _, values in notes.values)


def test_never_a_number_ends_with_an_explanation(tmp_path: Path) -> None:
    one = trainer(tmp_path, 8)
    one.model.train_on_batch = lambda x, y, **kw: {"loss": math.nan}  # type: ignore[method-assign]
    with pytest.raises(DivergedError, match="learning rate"):
        one.train()


def test_it_saves_before_it_validates(tmp_path: Path) -> None:
    def quality(model: Autoencoders) -> dict[str, float]:
        saved.append(Checkpoints(tmp_path).latest().step == one.state.step)  # type: ignore[union-attr]
        return {"score": 1.0}

    saved: list[bool] = []
    one = trainer(tmp_path, 3, checkpoint_seconds=1e9, validate_seconds=1e-6)
    one.validator.quality = quality
    one.train()
    assert saved == [True] * 4


def test_waiting_for_who_is_told_and_for_the_disk_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Notes):
        def metrics(self, step: int, values: dict[str, float]) -> None:
            clock.now += 1000

        validated = progress = metrics  # type: ignore[assignment]

    clock = SimpleNamespace(now=5.0)
    monkeypatch.setattr("faceswap.model.training.schedule.time", SimpleNamespace(monotonic=lambda: clock.now))
    one = trainer(tmp_path, 1, Slow(), validate_seconds=4)
    one.schedule = Schedule(Budget(minutes=0.2), TINY, 7)
    step, save = one.model.train_on_batch, one.checkpoints.save

    def takes_a_second(x, y, **kw):  # type: ignore[no-untyped-def]
        clock.now += 1
        return step(x, y, **kw)

    def takes_minutes(*state: object) -> Path:
        clock.now += 300
        return save(*state)  # type: ignore[arg-type]

    def takes_half_a_second(model: Autoencoders) -> dict[str, float]:
        clock.now += 0.5
        return {"score": 1.0}

    one.model.train_on_batch, one.checkpoints.save = takes_a_second, takes_minutes  # type: ignore[method-assign]
    one.validator.quality = takes_half_a_second
    result = one.train()
    assert result.steps == 11  # of 12 seconds, one went into two validations
    assert result.seconds == 12.5  # and the last validation


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = trainer(tmp_path, 2)
    one.train()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("faceswap.model.training.checkpoints.np.savez", full)
    one.state.step = 3
    with pytest.raises(CheckpointError, match="No space left"):
        one.checkpoints.save(one.model, one.optimizer, one.state)
    assert one.checkpoints.latest() is not None
    assert one.checkpoints.latest().step == 2  # type: ignore[union-attr]
    assert not list(tmp_path.glob(".part-*"))


def test_resume_with_other_settings_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path, 2).train()
    other = trainer(tmp_path, 2)
    other.state.face_sets = {"ann": "1", "bob": "changed"}
    with pytest.raises(CheckpointError, match="other face sets"):
        other.resume()


@pytest.mark.parametrize("name", ["zoë", "李"])
def test_any_letter_may_be_in_a_name(tmp_path: Path, name: str) -> None:
    data = TrainingData({name: FakeFaces(name, (200, 120, 90)), "bob": FakeFaces("bob", (1, 2, 3))}, TINY)
    notes = Notes()
    options = TrainingOptions(budget=Budget(steps=1), **ALWAYS)  # type: ignore[arg-type]
    model = Trainer(data, TINY, options, tmp_path, notes).train().model
    digests = export(model, tmp_path)
    decoder = read_model(tmp_path / f"decoder_{name}.keras", digests[f"decoder_{name}.keras"])
    assert decoder.output_shape == (None, TINY.size, TINY.size, 3)
    assert f"heldout_mae_{name}" in notes.values[-1][1]


def test_exported_models_give_the_same_pictures(tmp_path: Path) -> None:
    one = trainer(tmp_path / "work", 2)
    model = one.train().model
    digests = export(model, tmp_path / "export")
    crops = one.data.heldout["ann"]
    encoder = read_model(tmp_path / "export" / "encoder.keras", digests["encoder.keras"])
    decoder = read_model(tmp_path / "export" / "decoder_bob.keras", digests["decoder_bob.keras"])
    network = DecoderNetwork(encoder, decoder, TINY.geometry)
    np.testing.assert_allclose(network(crops), model.reconstruct(crops, 1), atol=0.02)
    np.testing.assert_allclose(network(crops[:1]), network(crops)[:1], atol=1e-5)
    assert network(crops[:0]).shape == (0, TINY.size, TINY.size, 3)


def test_preview_shows_original_reconstruction_and_swap(tmp_path: Path) -> None:
    one = trainer(tmp_path, 1)
    sheet = preview_sheet(one.model, one.data, rows=2)
    assert sheet.shape == (2 * 2 * TINY.size, 3 * TINY.size, 3)
    np.testing.assert_array_equal(sheet[: TINY.size, : TINY.size], one.data.heldout["ann"][0])


def test_schedule_by_steps_minutes_and_epochs() -> None:
    warm = TINY.with_(warmup=10, final_decay=0.1, learning_rate=1e-3, finish=0)
    by_steps = Schedule(Budget(steps=100), warm, 7)
    assert by_steps.progress(50, 1e9) == 0.5
    assert Schedule(Budget(minutes=2), warm, 7).progress(10**9, 60) == 0.5
    assert Schedule(Budget(epochs=3), warm, 7).steps == 21
    assert by_steps.learning_rate(0, 0) == pytest.approx(1e-4)
    assert by_steps.learning_rate(50, 0) == pytest.approx(1e-3)
    assert by_steps.learning_rate(99, 1) == pytest.approx(1e-4)


def test_the_finish_is_the_end_of_the_budget_and_has_its_own_rate() -> None:
    schedule = Schedule(Budget(steps=100), TINY.with_(warmup=0, finish=0.1), 7)
    assert [(step.number, step.progress) for step in schedule.plan(88, 0.0, 0.0, 4)] == [
        (88, 0.88),
        (89, 0.89),
    ]
    finish = schedule.plan(90, 0.0, 0.0, 100, slow=0.5)
    assert [step.number for step in finish] == list(range(90, 100))
    assert {step.progress for step in finish} == {1.0}
    assert finish[0].learning_rate == pytest.approx(0.2 * TINY.learning_rate * 0.5)
    rates = [schedule.learning_rate(step, step / 100) / TINY.learning_rate for step in (90, 95, 100)]
    assert rates == pytest.approx([0.2, 0.11, 0.02])
    by_minutes = Schedule(Budget(minutes=1), TINY.with_(finish=0.1), 7)
    assert [by_minutes.finishing(by_minutes.progress(9, seconds)) for seconds in (53, 55)] == [False, True]
    without = Schedule(Budget(steps=100), TINY.with_(finish=0), 7)
    assert [step.progress for step in without.plan(97, 0.0, 0.0, 9)] == [0.97, 0.98, 0.99]
    assert [step.progress for step in by_minutes.plan(7, 30.0, 3.0, 3)] == pytest.approx([0.5, 0.55, 0.6])
    assert len(by_minutes.plan(7, 59.9, 3.0, 9)) == 1  # there is always one, whatever the pace


@pytest.mark.parametrize("budget", [{}, {"minutes": 1, "steps": 2}, {"minutes": 0}])
def test_a_budget_is_exactly_one(budget: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"exactly one|greater than 0"):
        Budget(**budget)  # type: ignore[arg-type]
