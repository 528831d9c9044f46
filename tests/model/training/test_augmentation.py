import cv2
import numpy as np
import pytest

from faceswap.faces.geometry import Geometry, apply
from faceswap.model.presets import Augmentation
from faceswap.model.training.pairs.draws import PairDraws, draw_pairs
from faceswap.model.training.pairs.host_pairs import PairMaker, mirror
from tests.model.fakes import landmarks_in_crop

SOURCE, TARGET = Geometry(128, 2.2), Geometry(64, 1.5)
STRONG = Augmentation(rotation=20, zoom=0.1, shift=0.1, flip=0.5, colour=0.2, warp=0.0)


def picture(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cv2.resize(
        rng.integers(0, 256, (16, 16, 4), dtype=np.uint8), (128, 128), interpolation=cv2.INTER_CUBIC
    )


def drawn(maker: PairMaker, seed: int) -> PairDraws:
    return draw_pairs(np.random.default_rng(seed), maker.augmentation)


def crop_landmarks(maker: PairMaker) -> np.ndarray:
    return maker.plain_landmarks(landmarks_in_crop(SOURCE), SOURCE)


@pytest.mark.parametrize("seed", range(20))
def test_without_warp_input_and_target_are_the_same_to_the_pixel(seed: int) -> None:
    maker = PairMaker(SOURCE, TARGET, STRONG)
    crop = maker.prepare(picture()[None])[0]
    x, y, _ = maker.pair(crop, crop_landmarks(maker), crop_landmarks(maker), drawn(maker, seed))
    np.testing.assert_array_equal(x, y[..., :3])


def test_warp_moves_the_input_and_leaves_the_target() -> None:
    plain = Augmentation(rotation=0, zoom=0, shift=0, flip=0, colour=0, warp=0)
    crop = PairMaker(SOURCE, TARGET, plain).prepare(picture()[None])[0]
    still = PairMaker(SOURCE, TARGET, plain)
    warping = PairMaker(SOURCE, TARGET, plain.model_copy(update={"warp": 0.05}))
    marks = crop_landmarks(still)
    x0, y0, _ = still.pair(crop, marks, marks, drawn(still, 3))
    x1, y1, _ = warping.pair(crop, marks, marks, drawn(still, 3))
    np.testing.assert_array_equal(y0, y1)
    assert abs(x1 - x0).mean() > 0.02


def test_an_unvaried_target_is_the_geometrys_own_crop() -> None:
    maker = PairMaker(SOURCE, TARGET, Augmentation(rotation=0, zoom=0, shift=0, flip=0, colour=0, warp=0))
    stored = picture()
    _, y, _ = maker.pair(
        maker.prepare(stored[None])[0], crop_landmarks(maker), crop_landmarks(maker), drawn(maker, 0)
    )
    expected = TARGET.crop(stored[..., :3], TARGET.from_crop(SOURCE)).astype(float)
    inner = (slice(4, -4), slice(4, -4))
    assert abs(y[..., :3] * 255 - expected)[inner].mean() < 4  # two samplings of one picture, not of two


@pytest.mark.parametrize("seed", range(12))
def test_shape_says_where_the_landmarks_are_in_the_target(seed: int) -> None:
    """A dot painted on a landmark of the stored crop is found at the place that the shape gives."""
    maker = PairMaker(SOURCE, TARGET, STRONG.model_copy(update={"colour": 0.0}))
    marks = landmarks_in_crop(SOURCE)
    stored = np.zeros((128, 128, 4), np.uint8)
    painted = 30  # the tip of the nose lies on the mirror's axis: it keeps its index
    cv2.circle(stored, tuple(int(v) for v in marks[painted].round()), 4, (255, 255, 255, 0), -1)
    neutral = crop_landmarks(maker)
    _, y, shape = maker.pair(maker.prepare(stored[None])[0], neutral, neutral, drawn(maker, seed))
    found = np.argwhere(y[..., 0] > 0.5).mean(0)[::-1]
    said = shape[painted - 17] * TARGET.size + neutral[painted]
    assert np.linalg.norm(found - said) < 1.2


def test_mirroring_twice_is_the_same() -> None:
    marks = np.random.default_rng(0).uniform(0, 63, (68, 2))
    np.testing.assert_allclose(mirror(mirror(marks, 64), 64), marks)


def test_mirror_swaps_left_and_right_of_a_symmetric_face() -> None:
    marks = np.vstack([landmarks_in_crop(TARGET)])
    np.testing.assert_allclose(mirror(marks, 64), marks, atol=0.5)


def test_same_seed_same_pair() -> None:
    maker = PairMaker(SOURCE, TARGET, STRONG.model_copy(update={"warp": 0.03}))
    crop, marks = maker.prepare(picture()[None])[0], crop_landmarks(maker)
    first, second = (maker.pair(crop, marks, marks, drawn(maker, 5))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_warp_fades_to_nothing() -> None:
    fading = Augmentation(warp=0.04, warp_end=0.5)
    assert [round(fading.warp_at(p), 4) for p in (0, 0.25, 0.5, 0.9)] == [0.04, 0.02, 0, 0]
    assert Augmentation(warp=0.04).warp_at(0.99) == 0.04


def test_the_warp_fades_to_its_rest_and_never_grows() -> None:
    resting = Augmentation(warp=0.04, warp_end=0.5, warp_rest=0.01)
    assert [round(resting.warp_at(p), 4) for p in (0, 0.25, 0.375, 0.5, 0.99)] == [
        0.04,
        0.02,
        0.01,
        0.01,
        0.01,
    ]
    assert Augmentation(warp=0, warp_end=0.5, warp_rest=0.01).warp_at(0.6) == 0
    slow = resting.model_copy(update={"warp_rest_steps": 1000})
    assert [slow.warp_at(0.6, step) for step in (0, 500, 1000, 9000)] == [0, 0.005, 0.01, 0.01]


def test_nothing_is_warped_in_the_finish() -> None:
    assert Augmentation(warp=0.04).warp_at(1) == 0
    assert Augmentation(warp=0.04, warp_end=0.5, warp_rest=0.01).warp_at(1) == 0


def test_plain_landmarks_follow_the_geometry() -> None:
    maker = PairMaker(SOURCE, TARGET, STRONG)
    marks = landmarks_in_crop(SOURCE)
    np.testing.assert_allclose(
        maker.plain_landmarks(marks[None], SOURCE)[0], apply(TARGET.from_crop(SOURCE), marks), atol=1e-9
    )
