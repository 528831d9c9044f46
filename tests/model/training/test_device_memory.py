"""Faces and graphs that do not fit into a card's memory."""

from pathlib import Path

import numpy as np
import pytest

from faceswap.errors import DeviceMemoryError
from faceswap.faces.geometry import Geometry
from faceswap.model.presets import preset
from faceswap.model.training.engines import out_of_memory
from faceswap.model.training.engines.supply import Supply
from faceswap.model.training.pairs.host_pairs import PairMaker
from faceswap.tuning import trial
from tests.model.training.tiny import TINY, trainer


def test_faces_that_do_not_fit_are_sent_with_each_call(tmp_path: Path) -> None:
    one = trainer(tmp_path, steps=1)
    data, put = one.data, np.asarray
    whole = Supply(data, 1, put, None)  # type: ignore[arg-type]
    few = Supply(data, 1, put, whole.faces.nbytes)  # type: ignore[arg-type]
    assert (whole.resident, few.resident) == (True, False)
    plan = one.schedule.plan(0, 0.0, 0.0, 1)
    (all_faces, all_rows, draws), (some, some_rows, same) = whole.of(plan), few.of(plan)
    np.testing.assert_array_equal(draws.face[0], same.face[0])
    area = whole.faces.side**2
    for name in ("face", "other"):
        rows, own = getattr(all_rows, name)[0].ravel(), getattr(some_rows, name)[0].ravel()
        for a, b in zip(rows, own, strict=True):
            np.testing.assert_array_equal(
                all_faces.pixels[a * area : (a + 1) * area], some.pixels[b * area : (b + 1) * area]
            )
            np.testing.assert_array_equal(all_faces.marks[a], some.marks[b])


def test_shards_of_a_call_are_small_however_many_faces_there_are(tmp_path: Path) -> None:
    """20,000 faces of 448 px of each of two people, of which one picture is in memory, on a card of 16 GB."""
    one = trainer(tmp_path, steps=1)
    data, hd256 = one.data, preset("hd256")
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 255, (1, 448, 448, 4), dtype=np.uint8)
    for name in data.identities:
        maker = PairMaker(Geometry(448, 2.6, -0.25), hd256.geometry, hd256.augmentation)
        assert maker.source.size == 448
        data.makers[name] = maker  # type: ignore[attr-defined]
        data.train[name] = np.broadcast_to(crop, (20_000, *crop.shape[1:]))  # type: ignore[attr-defined]
        data.landmarks[name] = np.broadcast_to(data.landmarks[name][:1], (20_000, 68, 2))  # type: ignore[attr-defined]
    supply = Supply(data, 1, np.asarray, 16 * 2**30)  # type: ignore[arg-type]
    assert not supply.resident
    assert supply.faces.nbytes > 16 * 2**30
    assert supply.most > 8
    faces, rows, draws = supply.of(one.schedule.plan(0, 0.0, 0.0, 1))
    assert faces.pixels.nbytes <= 2**29
    sent = faces.pixels.reshape(-1, 448 * 448)
    for row in rows.face[0].ravel():
        np.testing.assert_array_equal(sent[row].view(np.uint8).reshape(crop.shape[1:]), crop[0])
    assert draws.face.max() > 1000


FULL = (
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 12884901888 bytes.",
    "INTERNAL: CUDNN_STATUS_ALLOC_FAILED in external/xla/stream_executor/cuda/cuda_dnn.cc",
    "CUDA out of memory. Tried to allocate 2.00 GiB",
)
"""What XLA, cuDNN through it, and PyTorch say."""


@pytest.mark.parametrize("said", FULL)
def test_too_little_memory_is_known_by_what_the_libraries_say(said: str) -> None:
    with pytest.raises(DeviceMemoryError), out_of_memory.explained(TINY, 2):
        raise RuntimeError(said)


def test_too_little_memory_is_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    one = trainer(tmp_path)

    def full(plan: object) -> None:
        raise RuntimeError(FULL[0])

    one.engine.run = full  # type: ignore[method-assign, assignment]
    with pytest.raises(
        DeviceMemoryError, match=r"memory does not suffice for preset 'lite' with 2 x 2 pairs"
    ) as told:
        one.train()
    assert "--batch-size 1" in str(told.value.fix)
    assert trial._kind(told.value) == "out of memory"


def test_too_little_memory_for_the_weights_is_said_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError(FULL[0])

    monkeypatch.setattr("faceswap.model.training.trainer.engine_for", full)
    with pytest.raises(DeviceMemoryError, match="memory does not suffice"):
        trainer(tmp_path)


@pytest.mark.parametrize(
    ("name", "batch", "remedy"),
    [
        ("hd512", 4, "--batch-size 2 or --preset hd256"),
        ("hd256", 1, "--preset hd128"),
        ("hd128", 1, "--preset lite"),
        ("original", 64, "--batch-size 32"),
        ("lite", 1, "a smaller --bottleneck"),
    ],
)
def test_the_remedy_names_what_takes_less(name: str, batch: int, remedy: str) -> None:
    with (
        pytest.raises(DeviceMemoryError) as told,
        out_of_memory.explained(preset(name).with_(batch_size=batch), 2),
    ):
        raise RuntimeError(FULL[0])
    assert str(told.value.fix).startswith(f"use {remedy}, or end")
