"""Views of a person that the pictures do not show: in a mirror, and turned towards the front.

A fringe to one side hides the same half of the forehead in every picture, and a head that is filmed from one side never
faces the camera. What a decoder generates there, when the target shows it, it was never taught. The other half of the
face is the best guess.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from faceswap.faces.geometry import Geometry, Points
from faceswap.faces.landmarks import BROWS
from faceswap.faces.pose import head_pose
from faceswap.model.training.pairs.host_pairs import mirror

Crops = NDArray[np.uint8]

_TURNED = 8.0
"""Degrees of yaw to one side beyond which nine of ten pictures of a person lie who is never seen from the front: f."""
_OF_A_FRINGE, _OF_A_TURN = 0.5, 1.0
"""Mirrored pictures for each picture, for either of the two (docs/measurements/masks.md)."""
_LEAST_TURN = 0.4
"""Shares of the way to the front that pictures are turned by: from this one to 1."""
_MOST = 1000
"""Pictures that are turned or mirrored; a warp takes 10 ms, and of more the neighbours are alike."""
_FOREHEAD = 0.45
"""Face heights above the brows up to which the forehead turns with them."""
_SMOOTHING = 7.3e-5
"""Of the spline, face heights²: landmarks are noisy (1 px² of crops of 304 px, by eye on f)."""
_GRID = 32
"""Places along each side at which the spline is computed; it is smooth."""
_FIXED = 5
"""Points along each side of the crop that stay."""


@dataclass(frozen=True)
class MoreViews:
    """Which further views a person is learnt from.

    Attributes:
        mirrored: mirrored pictures for each picture, 0..1.
        to_the_front: pictures are also turned towards the front.
    """

    mirrored: float = 0.0
    to_the_front: bool = False

    @classmethod
    def needed(cls, marks: Points, geometry: Geometry, hidden: NDArray[np.bool_] | None) -> "MoreViews":
        """Those that show what the pictures of a person do not; none where both sides are seen.

        Faces are asymmetric: mirrored pictures cost likeness.

        Args:
            marks: (n, 68, 2) of all pictures, in the crops.
            geometry: of the crops.
            hidden: as :func:`faceswap.model.training.face_weights.hidden_side` finds it.
        """
        yaws = np.array([head_pose(points)[0] for points in marks])
        least, most = np.nanpercentile(yaws, (10, 90))
        if least > _TURNED or most < -_TURNED:
            return cls(_OF_A_TURN, to_the_front=True)
        return cls() if hidden is None else cls(_OF_A_FRINGE)

    def added_to(self, crops: Crops, marks: Points, geometry: Geometry) -> tuple[Crops, Points]:
        """The pictures and their further views.

        Args:
            crops: (n, S, S, channels).
            marks: (n, 68, 2) in them.
            geometry: of the crops.
        """
        if not self.mirrored or not len(crops):
            return crops, marks
        if self.to_the_front:
            crops, marks = _joined((crops, marks), turned_to_the_front(crops, marks, geometry))
        return _joined((crops, marks), in_a_mirror(crops, marks, self.mirrored))


ONLY_PICTURES = MoreViews()


def _joined(*parts: tuple[Crops, Points]) -> tuple[Crops, Points]:
    crops, marks = zip(*parts, strict=True)
    return np.concatenate(crops), np.concatenate(marks)


def _chosen(count: int, share: float) -> NDArray[np.int_]:
    wanted = min(max(1, round(share * count)), _MOST)
    return np.linspace(0, count - 1, wanted).round().astype(int)


def in_a_mirror(crops: Crops, marks: Points, share: float) -> tuple[Crops, Points]:
    """Some of the crops (n, S, S, channels), evenly spread, mirrored; with their landmarks (n, 68, 2)."""
    chosen = _chosen(len(crops), share)
    turned = np.stack([mirror(points, crops.shape[1]) for points in marks[chosen]])
    return np.ascontiguousarray(crops[chosen][:, :, ::-1]), turned


def turned_to_the_front(crops: Crops, marks: Points, geometry: Geometry) -> tuple[Crops, Points]:
    """Crops of heads that are turned to a side, warped as if these were turned less.

    Seen from afar, a point of a symmetric head that is turned by an angle lies at X cos + Z sin, and that of its mirror
    image at X cos - Z sin: the mean of the landmarks and the mirrored ones are those of the head from the front.

    Args:
        crops: (n, S, S, channels) uint8.
        marks: (n, 68, 2) in them.
        geometry: of the crops.

    Returns:
        at most 1,000 crops, evenly spread, each turned by another share of the way; and their landmarks.
    """
    chosen = _chosen(len(crops), 1.0)
    # neighbours in time are turned by different shares
    shares = _LEAST_TURN + (1 - _LEAST_TURN) * (np.arange(len(chosen)) * 0.618 % 1.0)

    def turn(number: int) -> tuple[Crops, Points]:
        crop, points = crops[chosen[number]], marks[chosen[number]]
        front = (points + mirror(points, len(crop))) / 2
        goal = points + shares[number] * (front - points)
        return _warped(crop, points, goal, geometry), goal

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(turn, range(len(chosen))))
    turned, goals = zip(*found, strict=True)
    return np.stack(turned), np.stack(goals)


def _warped(crop: Crops, points: Points, goal: Points, geometry: Geometry) -> Crops:
    """The crop (S, S, channels) whose ``points`` come to lie at ``goal``; its border stays."""
    size = len(crop)
    up = np.array([0.0, -_FOREHEAD * geometry.unit])
    line = np.linspace(0, size - 1, _FIXED)
    border = np.array([(x, y) for x in line for y in line if {x, y} & {line[0], line[-1]}])
    places = np.concatenate([goal, goal[BROWS] + up, border])
    moves = np.concatenate([points - goal, points[BROWS] - goal[BROWS], np.zeros_like(border)])
    spline = RBFInterpolator(
        places, moves, smoothing=_SMOOTHING * geometry.unit**2, kernel="thin_plate_spline"
    )
    coarse = (np.arange(_GRID) + 0.5) * size / _GRID - 0.5  # pixel centres, as cv2.resize has them
    grid = np.stack(np.meshgrid(coarse, coarse), axis=-1)
    field = spline(grid.reshape(-1, 2)).reshape(_GRID, _GRID, 2).astype(np.float32)
    field = cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC)
    field += np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), axis=-1)
    return np.asarray(
        cv2.remap(crop, field, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
