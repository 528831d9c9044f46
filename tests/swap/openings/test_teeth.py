"""The target's teeth between the lips of a network that always generates the same mouth."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.geometry import Points, apply
from faceswap.faces.landmarks import INNER_LIPS, MOUTH
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import Expression
from tests.swap.fakes import Echo
from tests.swap.openings.staring import GEOMETRY, Staring, target

SPEAKING = Expression(open=0.45, smile=0.3)


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
