"""What the border of a mask shows, against patches of known colours."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.evaluation.colour_difference import ciede2000, lab_of
from faceswap.evaluation.seam import seam
from tests.swap.fakes import face_points

SIZE = 160
POINTS = face_points(80, 75, 80)
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]
MASK = np.clip((45 - np.hypot(ROWS - 80, COLUMNS - 80)) / 6 + 0.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_is_that_of_its_authors_table(
    one: tuple[float, ...], other: tuple[float, ...], difference: float
) -> None:
    """Sharma, Wu & Dalal (2005), table 1."""
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


def scene(step: float = 0.0) -> NDArray[np.uint8]:
    """Skin with light from a side and a hard line of hair, which a seam must not be mistaken for."""
    skin = np.array([170.0, 125, 105]) * (0.8 + 0.3 * COLUMNS[..., None] / SIZE)
    skin[:45] *= 0.3
    return np.clip(np.rint(skin + step), 0, 255).astype(np.uint8)


def over(patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.rint(cv2.blendLinear(patch, scene(), MASK, 1 - MASK)).astype(np.uint8)


def test_a_swap_that_fits_has_no_seam_and_another_colour_has_its_difference() -> None:
    assert seam(over(scene()), scene(), MASK, POINTS) == pytest.approx(0, abs=0.05)
    flat, lighter = (np.full((SIZE, SIZE, 3), c, np.uint8) for c in ((150, 115, 100), (170, 120, 90)))
    swap = cv2.blendLinear(lighter, flat, MASK, 1 - MASK)
    expected = ciede2000(lab_of(lighter)[0, 0], lab_of(flat)[0, 0])
    assert seam(swap, flat, MASK, POINTS) == pytest.approx(float(expected), rel=0.02)


def test_detail_is_no_seam_and_neither_is_what_the_truth_shows() -> None:
    rng = np.random.default_rng(0)
    pores = np.clip(scene() + rng.normal(0, 6, (SIZE, SIZE, 1)), 0, 255).astype(np.uint8)
    assert seam(over(pores), scene(), MASK, POINTS) < 0.6
    darker = scene(-25)
    assert seam(over(darker), scene(), MASK, POINTS) > 5
    # the reference's face is darker than its neck and hair: so it belongs
    assert seam(over(darker), scene(), MASK, POINTS, truth=over(darker)) < 0.05


def test_a_mask_without_a_border_has_none() -> None:
    assert np.isnan(seam(scene(), scene(), np.zeros((SIZE, SIZE), np.float32), POINTS))
