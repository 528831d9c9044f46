"""How much each pixel of a face counts in the loss, and which side of a face is hardly ever seen."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points
from faceswap.faces.landmarks import BROWS, EYES, JAW, MOUTH
from faceswap.model.presets import LossWeights

Seen = Callable[[NDArray[np.uint8], Points], NDArray[np.float32]]
"""Crops (n, S, S, 3) uint8 and landmarks (n, 68, 2) in them -> (n, S, S): 1 where the face itself is seen, 0 where
something lies over it."""
_FEATURES = (*EYES, MOUTH)
"""Landmarks of the two eyes and the mouth."""
_FOREHEAD = 0.5
"""Face heights above the brows that belong to the face: nearly up to the hairline."""
_HAIR_EDGE = 0.05
"""Face heights around what covers a face that count as covered, too: single hairs, and their blurred edge. By eye."""
_ABOVE_BROWS = 0.3
"""Face heights above the brows of the part of the forehead that is looked at;"""
_OFTEN = 0.8
"""where the face is seen in less than this share of the pictures it is not learnt, but from the other side, if it is
seen there as often: half of a fringe is thin, and what shows through is no skin;"""
_AROUND = 0.08
"""face heights around that which are not learnt either: a fringe moves with the head;"""
_ONE_SIDE = 0.1
"""share of that part from which on a person is learnt from mirrored pictures, too. All by eye, on d's fringe."""


def weight_map(
    landmarks: Points, geometry: Geometry, weights: LossWeights, seen: NDArray[np.float32] | None = None
) -> NDArray[np.uint8]:
    """How much each pixel of a crop counts in the loss.

    Args:
        landmarks: (68, 2) in the crop's pixels.
        geometry: of the crop.
        weights: ``background`` outside of the face, 1 inside, ``features`` at the eyes and the mouth; of the inside
            ``covered`` is left where the face is not seen.
        seen: (size, size) in 0..1, where it is; None: everywhere.

    Returns:
        (size, size) uint8, 255 for the largest weight.
    """
    size = geometry.size
    # the hull of the 68 points ends at the brows
    hull = np.vstack([landmarks[JAW], landmarks[BROWS] - (0, _FOREHEAD * geometry.unit)])
    inside = _filled(hull, size)
    weight = np.where(inside, 1.0, weights.background).astype(np.float32)
    if seen is not None:
        # below the eyes what the network takes for something else is more often deep shade than hair
        above = np.arange(size)[:, None] < max(landmarks[part][:, 1].max() for part in EYES)
        reach = 2 * round(_HAIR_EDGE * geometry.unit) + 1
        seen = cv2.erode(seen, np.ones((reach, reach), np.uint8))
        weight *= 1 - (1 - weights.covered) * (1 - seen) * inside * above
    kernel = np.ones((3, 3), np.uint8)
    for part in _FEATURES:
        grown = cv2.dilate(_filled(landmarks[part], size), kernel, iterations=max(1, size // 64))
        weight[grown > 0] = weights.features
    weight = cv2.GaussianBlur(weight, (0, 0), max(0.5, size / 85))
    return np.rint(weight * (255 / max(1.0, weights.features))).astype(np.uint8)


def face_level(weights: LossWeights) -> float:
    """Where a :func:`weight_map` (0..255) is above this, the face is."""
    return 255 * (1 + weights.background) / 2 / max(1.0, weights.features)


def _filled(points: Points, size: int) -> NDArray[np.uint8]:
    canvas = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
    return canvas


def hidden_side(marks: Points, geometry: Geometry, seen: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Where forehead and brow of one side are seldom seen, but those of the other are: a fringe to the side.

    Args:
        marks: (n, 68, 2) in the crops.
        geometry: of the crops.
        seen: (n, size, size) in 0..1.

    Returns:
        (size, size), with a margin; None where there is no such side.
    """
    size = geometry.size
    middle = marks.mean(axis=0)
    brows = middle[BROWS]
    outline = np.vstack([brows, brows[::-1] - (0, _ABOVE_BROWS * geometry.unit)])
    forehead = _filled(outline, size) > 0
    shown = seen.mean(axis=0)
    hidden = (shown < _OFTEN) & (shown[:, ::-1] > _OFTEN)
    if (hidden & forehead).sum() <= _ONE_SIDE * forehead.sum():
        return None
    reach = 2 * round(_AROUND * geometry.unit) + 1
    grown = cv2.dilate(hidden.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return np.asarray(grown > 0)
