"""Inputs that do not tell whom they show: other light, another's surroundings; the targets stay."""

import numpy as np
import pytest

from faceswap.errors import SettingsError
from faceswap.faces.geometry import Geometry
from faceswap.model.presets import Augmentation, LossWeights, preset
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.face_weights import face_level, weight_map
from faceswap.model.training.pairs.draws import draw_pairs
from faceswap.model.training.pairs.host_pairs import PairMaker
from tests.model.fakes import FakeFaces
from tests.swap.fakes import face_points

SOURCE, TARGET = Geometry(128, 2.2), Geometry(64, 1.5)
NOTHING = Augmentation(rotation=0, zoom=0, shift=0, flip=0, colour=0, warp=0)
OWN = face_points(31.5, 31.5, 64 / 1.5)
RED, BLUE = (255, 0, 0), (0, 0, 255)
WEIGHTS = LossWeights(background=0.2, features=14)


def stored(colour: tuple[int, int, int]) -> np.ndarray:
    """(s, s, 4): a crop of one colour with the weights of the mean face."""
    weights = weight_map(face_points(63.5, 63.5, 128 / 2.2), SOURCE, WEIGHTS)
    return np.dstack([np.full((128, 128, 3), colour, np.uint8), weights])


def pair(
    augmentation: Augmentation, around: np.ndarray | None = None, seed: int = 0, colour: tuple = RED
) -> tuple:
    maker = PairMaker(SOURCE, TARGET, augmentation, face_level(WEIGHTS))
    crop = maker.prepare(stored(colour)[None])[0]
    draws = draw_pairs(np.random.default_rng(seed), augmentation)
    return maker.pair(crop, OWN, OWN, draws, around=around)[:2]


def test_anothers_surroundings_replace_ones_own_in_the_input_only() -> None:
    x, y = pair(NOTHING, np.full((64, 64, 3), (0, 0, 255), np.uint8))
    assert x[35, 31] == pytest.approx((1, 0, 0), abs=0.01)
    for corner in ((2, 2), (2, 61), (61, 2), (61, 61)):
        assert x[corner] == pytest.approx((0, 0, 1), abs=0.02)
    assert (y[..., :3] == (1, 0, 0)).all()


def test_a_tint_changes_the_input_only() -> None:
    tinted = NOTHING.model_copy(update={"tint": 0.3})
    seen = [pair(tinted, seed=seed, colour=(120, 100, 80)) for seed in range(20)]
    middles = np.array([x[32, 32] for x, _ in seen])
    assert np.ptp(middles, axis=0).min() > 0.1
    assert np.ptp(middles[:, 0] / middles[:, 2]) > 0.3
    assert all(np.abs(y[..., :3] * 255 - (120, 100, 80)).max() < 1 for _, y in seen)
    assert min(x.min() for x, _ in seen) >= 0


class Painted(FakeFaces):
    """Faces of one colour, all over."""

    def images(self, split: str | None = None, rows: np.ndarray | None = None) -> np.ndarray:
        return np.broadcast_to(self.colour, super().images(split, rows).shape).astype(np.uint8)


def painted(identity: str, colour: tuple[int, int, int]) -> Painted:
    faces = Painted(identity, colour)
    faces.colour = colour
    return faces


def test_half_of_the_inputs_have_the_surroundings_of_another_identity_and_none_where_there_is_no_other() -> (
    None
):
    recipe = preset("lite").with_(augmentation={"tint": 0, "colour": 0})
    two = TrainingData({"red": painted("red", RED), "blue": painted("blue", BLUE)}, recipe)
    corners = np.array([two.batch(0, step, 1.0)[0][:, :, 1, 1] for step in range(40)])  # (40, 2, n, 3)
    own = np.stack([corners[:, 0, :, 0] > 0.9, corners[:, 1, :, 2] > 0.9])
    others = np.stack([corners[:, 0, :, 2] > 0.9, corners[:, 1, :, 0] > 0.9])
    assert (own ^ others).all()
    assert others.mean() == pytest.approx(0.5, abs=0.1)
    alone = TrainingData({"red": painted("red", RED)}, recipe)
    assert all((alone.batch(0, step, 1.0)[0][..., 0] > 0.99).all() for step in range(10))


def test_surroundings_need_a_map_of_the_face() -> None:
    with pytest.raises(SettingsError, match="background"):
        preset("lite").with_(loss={"background": 1})
