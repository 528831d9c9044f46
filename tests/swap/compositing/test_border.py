"""The border of a swap takes the target's light, its middle stays, and hair is no skin."""

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
from faceswap.swap.compositing.border import match_border
from tests.swap.fakes import face_points

SIZE, HEIGHT = 400, 200
SKIN = np.array((180, 140, 120), np.float64)


def points() -> Points:
    return face_points(SIZE / 2, SIZE / 2, HEIGHT)


def depth() -> NDArray[np.float64]:
    """(SIZE, SIZE) px inwards from the border of a disc that lies within the face."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return 80 - np.hypot(rows - SIZE / 2, columns - SIZE / 2)


def mask() -> NDArray[np.float32]:
    return np.clip(depth() / 12, 0, 1).astype(np.float32)


def even(level: float) -> NDArray[np.uint8]:
    return np.broadcast_to(np.rint(SKIN * level), (SIZE, SIZE, 3)).astype(np.uint8)


def shaded() -> NDArray[np.uint8]:
    """A cheek that turns away: as light as the target in the middle, a quarter darker at the border."""
    level = 1 - 0.25 * np.clip(1 - depth() / 30, 0, 1)
    return np.rint(SKIN * level[..., None]).astype(np.uint8)


def seam(over: NDArray[np.uint8]) -> float:
    """Mean difference to the target, grey levels, where the mask is half."""
    border = np.abs(depth() - 6) < 2
    return float(np.abs(over[border].astype(float) - even(1.0)[border]).mean())


def test_a_dark_border_becomes_as_light_as_the_skin_beside_it_and_the_middle_stays() -> None:
    before = shaded()
    after = match_border(before, even(1.0), mask(), None, points(), HEIGHT)
    assert seam(after) < 0.6 * seam(before)
    middle = depth() > 60
    np.testing.assert_allclose(after[middle], before[middle], atol=2)


@pytest.mark.parametrize("level", [0.8, 1.0])
def test_what_fits_already_stays(level: float) -> None:
    after = match_border(even(level), even(level), mask(), None, points(), HEIGHT)
    np.testing.assert_allclose(after, even(level), atol=1)


def test_what_is_covered_or_no_skin_tells_nothing() -> None:
    before = shaded()
    hidden = match_border(before, even(1.0), mask(), np.zeros((SIZE, SIZE), np.float32), points(), HEIGHT)
    np.testing.assert_array_equal(hidden, before)
    black_hair = match_border(before, even(0.1), mask(), None, points(), HEIGHT)
    np.testing.assert_array_equal(black_hair, before)


def test_beyond_the_targets_face_nothing_counts() -> None:
    """Skin-coloured background beside a mask that leaves the face."""
    elsewhere = face_points(SIZE * 3, SIZE * 3, HEIGHT)
    before = shaded()
    np.testing.assert_array_equal(match_border(before, even(1.0), mask(), None, elsewhere, HEIGHT), before)


def test_one_side_alone_is_matched_where_one_side_differs() -> None:
    before = even(1.0).copy()
    before[:, : SIZE // 2] = shaded()[:, : SIZE // 2]
    after = match_border(before, even(1.0), mask(), None, points(), HEIGHT)
    right = np.s_[:, SIZE // 2 + 40 :]
    np.testing.assert_allclose(after[right], before[right], atol=2)
    assert seam(after) < 0.7 * seam(before)
