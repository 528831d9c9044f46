"""The device's pairs are the host's: on whatever backend the tests run."""

from typing import Any

import keras
import numpy as np
import pytest

from faceswap.model.presets import Preset, preset
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.pairs.device_pairs import DevicePairs
from faceswap.model.training.pairs.draws import draw_batch
from faceswap.model.training.pairs.resident_faces import FaceArrays, Faces
from tests.model.fakes import FakeFaces

TINY = preset("lite").with_(size=96, code_grid=12, code_columns=8, batch_size=4)
STRONG = {"rotation": 15, "zoom": 0.1, "shift": 0.08, "flip": 0.5, "colour": 0.1}


def people(recipe: Preset, *names: str) -> TrainingData:
    rng = np.random.default_rng(0)
    colours = rng.integers(60, 200, (len(names), 3)).tolist()
    return TrainingData(
        {
            name: FakeFaces(name, tuple(c), count=20 + 5 * i)
            for i, (name, c) in enumerate(zip(names, colours, strict=True))
        },
        recipe,
    )


def on_device(
    data: TrainingData, seed: int, step: int, progress: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    faces = Faces.of(data)
    arrays = FaceArrays(*map(keras.ops.convert_to_tensor, faces.arrays()))
    draws = data.draws(seed, step)
    warp = data.preset.augmentation.warp_at(progress, step)
    x, y = DevicePairs(data, faces.side)(arrays, faces.rows(draws), draws, warp)
    return keras.ops.convert_to_numpy(x), {k: keras.ops.convert_to_numpy(v) for k, v in y.items()}


@pytest.mark.parametrize("progress", [0.0, 1.0])
@pytest.mark.parametrize("changes", [{}, {"centre": 0.0, "encoder_coverage": 0.0, "augmentation": STRONG}])
def test_host_and_device_make_the_same_batch(changes: dict[str, Any], progress: float) -> None:
    # the second one's crops are not centred where the face sets' are
    data = people(TINY.with_(**{"coverage": 1.5} | changes if changes else {}), "ann", "bob", "cyd")
    x, y = data.batch(3, 11, progress)
    device_x, device_y = on_device(data, 3, 11, progress)
    assert abs(device_x - x).max() * 255 < 2
    assert abs(device_y["picture"] - y["picture"]).max() * 255 < 2
    np.testing.assert_allclose(device_y["shape"], y["shape"], atol=1e-5)


def test_without_warp_and_disguise_the_pair_is_the_same_to_the_pixel() -> None:
    data = people(TINY.with_(augmentation={**STRONG, "tint": 0, "surroundings": 0}), "ann", "bob")
    x, y = on_device(data, 0, 5, 1.0)
    np.testing.assert_array_equal(x, y["picture"][..., :3])


def test_one_identity_alone_keeps_its_surroundings() -> None:
    data = people(TINY, "ann")
    x, _ = data.batch(0, 2, 0.0)
    assert abs(on_device(data, 0, 2, 0.0)[0] - x).max() * 255 < 2


def test_faces_of_another_size_lie_beside() -> None:
    class Small(FakeFaces):
        def __init__(self) -> None:
            super().__init__("sue", (90, 150, 120))
            self.geometry = self.geometry.at(114)
            self._images = np.ascontiguousarray(self._images[:, :114, :114])
            self._marks = (self._marks + 0.5) * 114 / 152 - 0.5

    data = TrainingData({"ann": FakeFaces("ann", (200, 120, 90)), "sue": Small()}, TINY)
    assert data.makers["ann"].source.size != data.makers["sue"].source.size
    x, y = data.batch(1, 1, 0.2)
    device_x, device_y = on_device(data, 1, 1, 0.2)
    assert abs(device_x - x).max() * 255 < 2
    assert abs(device_y["picture"] - y["picture"]).max() * 255 < 2


def test_draws_cover_all_faces_and_the_shares_that_are_asked_for() -> None:
    augmentation = TINY.with_(augmentation={"flip": 0.25, "surroundings": 0.5, "tint": 0.2}).augmentation
    drawn = [draw_batch(0, step, (10, 30, 20), 50, augmentation) for step in range(40)]
    faces = np.concatenate([d.face for d in drawn], axis=1)
    assert [sorted(set(row)) for row in faces] == [list(range(n)) for n in (10, 30, 20)]
    others = np.concatenate([d.other for d in drawn], axis=1)
    assert (others >= 0).mean() == pytest.approx(0.5, abs=0.02)
    for own, row in enumerate(others):
        assert set(row) == {-1, 0, 1, 2} - {own}
    assert np.mean([d.pairs.mirrored for d in drawn]) == pytest.approx(0.25, abs=0.02)
    assert np.mean([d.pairs.fade < 1 for d in drawn]) == pytest.approx(0.3, abs=0.02)
    for name in ("similarity", "tint", "colour"):
        values = np.stack([getattr(d.pairs, name) for d in drawn])
        assert abs(values).max() <= 1
        assert values.mean() == pytest.approx(0, abs=0.02)
        assert values.std() == pytest.approx(1 / 3**0.5, abs=0.02)
