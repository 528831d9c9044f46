"""Damaged checkpoints: the newest whole one is taken, in whatever way the others are broken."""

import functools
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from faceswap.errors import CheckpointError, StorageError, TrainingError
from faceswap.model import weights
from faceswap.model.training import checkpoints as checkpoints_module
from faceswap.model.training.checkpoints import Checkpoints, TrainingState
from faceswap.model.training.model_files import export
from tests import disks
from tests.model.training.test_trainer import trainer

Break = Callable[[Path], None]
NAMES = ("model.npz", "optimizer.npz", "state.json", "SHA256SUMS")


@functools.cache
def network() -> tuple[keras.Model, keras.optimizers.Optimizer]:
    """One for all tests: to build it takes longer than to save and restore it."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(3)])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    return model, optimizer


def small(value: float) -> tuple[keras.Model, keras.optimizers.Optimizer]:
    """A model whose weights all are one value, with its optimizer."""
    model, optimizer = network()
    model.set_weights([np.full_like(w, value) for w in model.get_weights()])
    return model, optimizer


def leave(folder: Path, *steps: int) -> Checkpoints:
    """Checkpoints of these steps, the weights of each equal to its step."""
    checkpoints = Checkpoints(folder)
    for step in steps:
        checkpoints.save(*small(step), TrainingState(1, {}, {}, {"ann": "1"}, step=step, run_id="r"))
    return checkpoints


def restored(checkpoints: Checkpoints) -> tuple[int, float]:
    """Step and weight that a fresh process would go on from."""
    model, optimizer = small(-1)
    state = checkpoints.restore(model, lambda _: optimizer)
    (value,) = {float(v) for w in model.get_weights() for v in w.ravel()}
    return state.step, value


def cut(share: float) -> Break:
    return lambda file: os.truncate(file, int(file.stat().st_size * share))


def zeroed(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def flipped(share: float) -> Break:
    def flip(file: Path) -> None:
        data = bytearray(file.read_bytes())
        data[int((len(data) - 1) * share)] ^= 0xFF
        file.write_bytes(data)

    return flip


def as_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


BREAKS: dict[str, Break] = {
    **{f"cut at {share} %": cut(share / 100) for share in (0, 30, 60, 90)},
    **{f"flipped at {share} %": flipped(share / 100) for share in (0, 40, 100)},
    "zeroed": zeroed,
    "noise": lambda file: file.write_bytes(os.urandom(500)),
    "a folder": as_folder,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", BREAKS)
def test_the_one_before_a_damaged_one_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, how: str
) -> None:
    checkpoints = leave(tmp_path, 5, 9)
    BREAKS[how](tmp_path / "step-000000009" / name)
    assert checkpoints.latest().step == 5  # type: ignore[union-attr]
    assert restored(checkpoints) == (5, 5)
    (told,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "step-000000009 is damaged and is passed over" in told.message


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("how", [how for how in BREAKS if not how.startswith("flipped")])
def test_checkpoints_from_before_there_were_checksums(tmp_path: Path, name: str, how: str) -> None:
    checkpoints = leave(tmp_path, 5, 9)
    for sums in tmp_path.glob("*/SHA256SUMS"):
        sums.unlink()
    assert restored(checkpoints) == (9, 9)
    BREAKS[how](tmp_path / "step-000000009" / name)
    assert restored(checkpoints) == (5, 5)


def test_a_flipped_byte_in_an_old_file_of_weights_is_seen_or_harmless(tmp_path: Path) -> None:
    checkpoints = leave(tmp_path, 5, 9)
    (tmp_path / "step-000000009" / "SHA256SUMS").unlink()
    file = tmp_path / "step-000000009" / "model.npz"
    whole = file.read_bytes()
    found = set()
    for i in range(41):
        file.write_bytes(whole)
        flipped(i / 40)(file)
        checkpoints_module._damage.cache_clear()  # two writes may fall into one tick of the disk's clock
        found.add(restored(checkpoints))
    assert found == {(5, 5), (9, 9)}


@pytest.mark.parametrize("name", NAMES[:3])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    checkpoints = leave(tmp_path, 5, 9)
    (tmp_path / "step-000000009" / name).unlink()
    assert restored(checkpoints) == (5, 5)


@pytest.mark.parametrize(
    "content",
    ["[]", "null", '{"step": 9}', '{"seed": "many"}', "STEP", "HISTORY", "not json"],
)
def test_a_state_that_is_json_but_no_state(tmp_path: Path, content: str) -> None:
    checkpoints = leave(tmp_path, 5, 9)
    file = tmp_path / "step-000000009" / "state.json"
    stored = json.loads(file.read_text())
    content = {
        "STEP": json.dumps({**stored, "step": 7}),
        "HISTORY": json.dumps({**stored, "history": [[1]]}),
    }.get(content, content)
    file.write_text(content)
    (file.parent / "SHA256SUMS").unlink()
    assert restored(checkpoints) == (5, 5)


def test_one_of_another_shape_is_passed_over_and_told_where_all_are(tmp_path: Path) -> None:
    checkpoints = leave(tmp_path, 5)
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    optimizer = keras.optimizers.Adam()
    optimizer.build(other.trainable_variables)
    checkpoints.save(other, optimizer, TrainingState(1, {}, {}, {}, step=9))
    assert restored(checkpoints) == (5, 5)
    shutil.rmtree(tmp_path / "step-000000005")
    with pytest.raises(CheckpointError, match="step-000000009 belongs to another architecture"):
        restored(checkpoints)


def test_where_all_are_damaged_it_is_said(tmp_path: Path) -> None:
    checkpoints = leave(tmp_path, 5, 9)
    for file in tmp_path.glob("*/model.npz"):
        zeroed(file)
    assert checkpoints.latest() is None
    with pytest.raises(CheckpointError, match="None of the 2 checkpoints"):
        restored(checkpoints)
    with pytest.raises(CheckpointError, match="There is no checkpoint in"):
        restored(Checkpoints(tmp_path / "nothing"))


def test_a_damaged_one_pushes_no_whole_one_out(tmp_path: Path) -> None:
    checkpoints = leave(tmp_path, 5, 9)
    cut(0.5)(tmp_path / "step-000000009" / "model.npz")
    leave(tmp_path, 6, 7)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "damaged-step-000000009",
        "step-000000006",
        "step-000000007",
    ]
    assert restored(checkpoints) == (7, 7)
    cut(0.5)(tmp_path / "step-000000007" / "model.npz")
    assert restored(checkpoints) == (6, 6)


def test_what_killed_saves_left_is_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, living = tmp_path / f".part-{gone.pid}-3", tmp_path / f".part-{os.getppid()}-3"
    dead.mkdir(parents=True)
    living.mkdir()
    leave(tmp_path, 5)
    assert (dead.exists(), living.exists()) == (False, True)


def test_the_sums_are_those_of_sha256sum(tmp_path: Path) -> None:
    leave(tmp_path, 5)
    subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path / "step-000000005", check=True)


@pytest.mark.parametrize("cut_at", [4, 9])
def test_a_training_goes_on_from_the_whole_one(tmp_path: Path, cut_at: int) -> None:
    """From 9 the optimizer holds the decoders only, as in the finish; the one before still has all."""
    one = trainer(tmp_path, 10, checkpoint_seconds=1e9)
    for step in (cut_at - 1, cut_at):
        one._prepare(encoder_rests=step == 9)
        one.state.step = step
        one._save()
    zeroed(tmp_path / f"step-{cut_at:09d}" / "optimizer.npz")
    again = trainer(tmp_path, 10)
    assert again.resume() == cut_at - 1
    assert again.state.encoder_rests is False
    assert again.train().steps == 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    with disks.small_disk(tmp_path / "disk", "3m") as one:
        yield one.folder


def test_a_disk_that_fills_up_stops_no_training(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = small_disk / "checkpoints"
    one = trainer(folder, 3)
    one.train()
    size = sum(f.stat().st_size for f in (folder / "step-000000003").iterdir())
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(bytes(max(0, free - size // 2)))

    again = trainer(folder, 5)
    assert again.resume() == 3
    with pytest.raises(CheckpointError) as caught:
        again.train()
    assert str(folder) in str(caught.value)
    assert "No space left on device" in str(caught.value)
    assert "The training goes on" in caplog.text
    assert again.state.step == 5  # all of the budget was used
    assert not list(folder.glob(".part-*"))

    ballast.unlink()
    resumed = trainer(folder, 5)
    assert resumed.resume() == 3  # the old one is whole
    assert resumed.train().steps == 5
    assert resumed.checkpoints.latest().step == 5  # type: ignore[union-attr]


def test_networks_that_do_not_fit_on_the_disk_are_told_in_words(small_disk: Path) -> None:
    one = trainer(small_disk / "checkpoints", 2)
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free - 20_000))
    with pytest.raises(StorageError, match=r"encoder\.keras can't be written: .*No space left"):
        export(one.model, small_disk / "export")
    with pytest.raises(StorageError, match=r"prior\.npz can't be written: .*No space left"):
        weights.write(small_disk / "prior.npz", {"a": np.random.default_rng(1).random((200, 200))}, {})
    assert not [p for p in small_disk.rglob("*") if p.is_file() and p.name != "ballast"]


@pytest.mark.parametrize("how", BREAKS)
def test_damaged_weights_are_told_in_words(tmp_path: Path, how: str) -> None:
    file = tmp_path / "one.npz"
    weights.write(file, {"a": np.arange(300.0)}, {"run": "r"})
    BREAKS[how](file)
    try:
        np.testing.assert_array_equal(weights.read(file, "make them anew")["a"], np.arange(300.0))
    except TrainingError as error:
        assert "make them anew" in str(error)
        return
    assert how.startswith("flipped")  # in a byte that says nothing


def test_a_disk_that_is_full_from_the_start_says_so_before_anything_is_trained(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    one = trainer(small_disk / "checkpoints", 4)
    with pytest.raises(CheckpointError, match="make room there"):
        one.train()
    assert one.state.step == 0


def test_an_interruption_on_a_full_disk_stays_an_interruption(small_disk: Path) -> None:
    one = trainer(small_disk / "checkpoints", 4)

    def interrupt(*_: object) -> None:
        (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
        raise KeyboardInterrupt

    one.observer.metrics = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt) as caught:
        one.train()
    assert "can't be written" in caught.value.__notes__[0]
