"""The target's teeth between the lips of a network that always generates the same mouth."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Box, Face, FaceFinder
from faceswap.faces.geometry import Geometry, Points, apply, scale_of
from faceswap.faces.landmarks import INNER_LIPS, MOUTH
from faceswap.swap.expression.generated_landmarks import DETECTION_SIDE
from faceswap.swap.openings import teeth
from faceswap.swap.openings.axes import Axis, Window
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import Expression
from tests.swap.fakes import Echo, KnownFaces
from tests.swap.openings.staring import GEOMETRY, Staring, target

SPEAKING, WIDE = Expression(open=0.45, smile=0.3), Expression(open=0.9)


PLAIN = {
    "label": False,
    "lids": 0,
    "lips": 0,
    "eyes": 0,
    "colour": "none",
    "outline": "target",
    "occlusion": "none",
}
EXACT = {"sharpen": 0, "match_blur": False, "texture": 0}


class Slab(Echo):
    """Returns its input, but what is between the lips is one pale slab."""

    def __init__(self, lips: Points) -> None:
        super().__init__(GEOMETRY)
        self.lips = lips

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        result = super().__call__(crops)
        for picture in result:
            cv2.fillPoly(picture, [np.rint(self.lips).astype(np.int32)], (0.8, 0.75, 0.6))
        return result


def swapped(
    network: Echo, image: NDArray[np.uint8], points: Points, **options: object
) -> NDArray[np.float64]:
    swapper = Swapper(network, FaceFinder(), SwapOptions(**{**PLAIN, **options}))  # type: ignore[arg-type]
    return swapper.swap_face(image, points).astype(float)


def test_in_place_of_a_slab_the_targets_own_teeth_are_seen() -> None:
    image, points = target(SPEAKING)
    lips = points[INNER_LIPS]
    slab = Slab(apply(GEOMETRY.matrix(points), lips))
    inside = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.rint(lips).astype(np.int32)], 1)
    far = [
        np.abs(swapped(slab, image, points, teeth=share, **EXACT) - image)[inside > 0].mean()
        for share in (0, 0.5, 1)
    ]
    assert far[0] > 40
    assert far[2] < far[1] < far[0]
    assert far[2] < 0.8 * far[0]


def test_nothing_but_the_mouth_changes() -> None:
    image, points = target(SPEAKING)
    network = Staring(SPEAKING)
    without, with_teeth = (swapped(network, image, points, teeth=share) for share in (0, 1))
    middle, size = points[MOUTH].mean(axis=0), np.ptp(points[MOUTH], axis=0)
    rows, columns = np.nonzero(np.abs(with_teeth - without).max(axis=-1) > 1)
    assert len(rows) > 100
    assert np.abs(columns - middle[0]).max() < 0.7 * size[0]
    assert np.abs(rows - middle[1]).max() < size[1]


@pytest.mark.parametrize(("shown", "generated"), [(Expression(), SPEAKING), (SPEAKING, Expression())])
def test_a_mouth_that_is_shut_shows_nothing(shown: Expression, generated: Expression) -> None:
    image, points = target(shown)
    network = Staring(generated)
    without, with_teeth = (swapped(network, image, points, teeth=share) for share in (0, 1))
    # of shut lips no more than the line between them
    assert (np.abs(with_teeth - without).max(axis=-1) > 8).sum() < 100


class Fading(Slab):
    """A slab that fades into the lower lip in a pale band, as decoders generate it."""

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        result = super().__call__(crops)
        lower = self.lips[[4, 5, 6, 7, 0]]  # from corner to corner
        band = np.concatenate([lower, lower[::-1] + np.array([0, BAND])])
        for picture in result:
            cv2.fillPoly(picture, [np.rint(band).astype(np.int32)], (1.0, 0.74, 0.6))
        return result


class Knowing(KnownFaces):
    """Knows the landmarks of what :class:`Fading` generates, too."""

    def landmarks(self, frame: NDArray[np.uint8], box: Box) -> Points:
        if frame.shape[:2] != (DETECTION_SIDE, DETECTION_SIDE):
            return super().landmarks(frame, box)
        points = self.faces[0].landmarks
        return apply(Geometry(DETECTION_SIDE, 1.5).matrix(points), points)


BAND = 1.5
"""Height of the band, px of the crop."""


def test_less_of_a_pale_band_is_left_below_a_mouth_that_is_wide_open(monkeypatch: pytest.MonkeyPatch) -> None:
    image, points = target(WIDE)
    fading = Fading(apply(GEOMETRY.matrix(points), points[INNER_LIPS]))
    finder = Knowing(Face((0, 0, *image.shape[1::-1]), points, 1.0))

    def swap(share: float) -> NDArray[np.float64]:
        options = SwapOptions(**{**PLAIN, **EXACT}, teeth=share)  # type: ignore[arg-type]
        return Swapper(fading, finder, options).swap_face(image, points).astype(float)

    lower = points[INNER_LIPS][5:8]
    px = 1 / scale_of(GEOMETRY.matrix(points))
    band = np.zeros(image.shape[:2], np.uint8)
    strip = np.concatenate([lower + np.array([0, 0.3 * px]), lower[::-1] + np.array([0, BAND * px])])
    cv2.fillPoly(band, [np.rint(strip).astype(np.int32)], 1)
    without, usual = swap(0), swap(1)
    monkeypatch.setattr(teeth, "TUNING", replace(teeth.TUNING, paler=0.0))
    covered, before = (np.abs(one - without)[band > 0].mean() for one in (usual, swap(1)))
    assert covered > 2 * before


def mouth(height: float, row: float = 0.0, smile: float = 0.0) -> teeth._Mouth:
    """An opening of that height, whose lips curve upwards to the corners."""
    along = np.linspace(-1.25, 1.25, 51)
    curve = -smile * along**2
    edges = np.stack([curve - 0.3, curve, curve + height, curve + height + 0.3])
    return teeth._Mouth(along, edges, 1.0, 1.0, row)


def shown(swap: teeth._Mouth, target_mouth: teeth._Mouth) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows of the swap within its opening, in its middle column, and where they come from."""
    window = Window.around(Axis.between(np.array([20.0, 60.0]), np.array([100.0, 60.0])), 1.2, (120, 120, 3))
    middle = window.along.shape[1] // 2
    rows = window.down[:, middle]
    upper, lower = (float(np.interp(0, swap.along, edge)) for edge in swap.edges[1:3])
    inside = (rows > upper + 0.02) & (rows < lower - 0.02)
    return rows[inside], teeth._corresponding(window, swap, target_mouth)[0][inside, middle]


@pytest.mark.parametrize("row", [0.0, 0.5, 1.0])
def test_no_tooth_becomes_lower_where_a_mouth_opens_less(row: float) -> None:
    rows, there = shown(mouth(0.3), mouth(0.6, row))
    inner = (there > 0.06) & (there < 0.54)
    assert inner.sum() > 5
    assert np.diff(there[inner]) == pytest.approx(np.diff(rows[inner]), rel=1e-6)
    # the lip covers what is farther from the teeth
    assert there.mean() == pytest.approx(0.15 + row * 0.3, abs=0.03)


def test_an_opening_that_is_higher_than_the_targets_shows_all_of_it() -> None:
    rows, there = shown(mouth(0.6), mouth(0.3, 0.5))
    assert there[0] < 0.07
    assert there[-1] > 0.23
    assert (np.diff(there) >= 0).all()
    assert np.diff(there)[len(there) // 2] == pytest.approx(np.diff(rows).mean() / 2, rel=0.05)


def test_teeth_bend_no_more_than_the_lips() -> None:
    window = Window.around(Axis.between(np.array([20.0, 60.0]), np.array([100.0, 60.0])), 1.2, (120, 120, 3))
    there, _ = teeth._corresponding(window, mouth(0.5, smile=0.2), mouth(0.5, 0.5))
    # the target's row at 0.25 lies along the swap's curve
    for column in range(20, window.along.shape[1] - 20, 7):
        row = int(np.abs(there[:, column] - 0.25).argmin())
        along = window.along[row, column]
        if abs(along) < 0.8:
            assert window.down[row, column] == pytest.approx(0.25 - 0.2 * along**2, abs=0.03)


def test_a_corner_where_the_target_hardly_opens_takes_nothing_beyond_its_lips() -> None:
    window = Window.around(Axis.between(np.array([20.0, 60.0]), np.array([100.0, 60.0])), 1.2, (120, 120, 3))
    along = np.linspace(-1.25, 1.25, 51)
    height = 0.4 * np.clip(1 - along**2, 0, None)
    edges = np.stack([np.full_like(along, -0.3), 0 * along, height, height + 0.3])
    there, shown = teeth._corresponding(window, mouth(0.5), teeth._Mouth(along, edges, 1.0, 1.0, 0.5))
    at = 0.4 * np.clip(1 - window.along**2, 0, None)
    assert (there >= -1e-6).all()
    assert (there <= at + 1e-2).all()
    within = (window.down > 0.02) & (window.down < 0.48)
    assert shown[within & (np.abs(window.along) < 0.3)].min() == 1
    # a tooth at the corner is not drawn out over all of the swap's opening
    corner = int(np.abs(window.along[0] - 0.97).argmin())
    low, middle = (int(np.abs(window.down[:, corner] - down).argmin()) for down in (0.47, 0.25))
    assert shown[low, corner] < 0.1
    assert shown[middle, corner] == 1
