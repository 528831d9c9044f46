"""The drawn lips open as far as the target's.

A network ties how far lips are apart to what its person shows between them, teeth or darkness, and takes another
person's teeth and darkness for that. So the gap is measured, in the drawing and in what the network saw, and the drawn
lips move by the difference: upper lip up, lower lip down, nose and chin stay.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
from faceswap.faces.pose import interocular, lip_gap
from faceswap.swap.expression.column_warp import Floats, columns_of, with_rows

_OUTER = ([48, 49, 50, 51, 52, 53, 54], [48, 59, 58, 57, 56, 55, 54])
_INNER = ([60, 61, 62, 63, 64], [60, 67, 66, 65, 64])
"""Landmarks of the upper and the lower lip from corner to corner, on the crop's left first."""
_NOSE, _CHIN = 33, 8
_PAIRS = [61, 62, 63]
"""Where the gap is measured."""
_MOST = 0.15
"""Largest difference that is made up for, in distances of the eyes: what is stretched further looks painted."""
_SHUT = 0.07
"""Gaps below this count as this: where lips are shut, what is read between them is their shape, each person's own."""
GAIN, GAINS = 1.2, (0.7, 0.7)
"""The landmarks' reader gives 0.4 to 0.7 of a change in the gap of real lips: it expects faces like those it knows. So
the lips move by more than the difference that it reads, but not by much: some mouths are read as no wider however far
they are opened. The pair is for lips that are read again after they were moved."""
_THIN = 0.3
"""Least gap in px that is stretched: where lips are shut, the line between them."""
_MEMORY = 0.044
"""Seconds of video over which the change is smoothed, about a frame: what is read is noisy, and the change moves less
than the lips do."""


@dataclass(frozen=True)
class Change:
    """How much wider the drawn lips have to open at a time of a video, in distances of the eyes."""

    time: float
    amount: float

    @classmethod
    def after(cls, before: Self | None, found: float, time: float) -> Self:
        """What was found now, smoothed by what was before (a first-order filter); seconds that go back start anew."""
        step = time - before.time if before else 0.0
        if before is None or step <= 0:
            return cls(time, found)
        return cls(time, before.amount + (1 - math.exp(-step / _MEMORY)) * (found - before.amount))


def gap_change(drawn: Points, target: Points, gain: float = GAIN) -> float:
    """How much wider the drawn lips have to open, in distances of the eyes; below 0: less wide.

    Args:
        drawn, target: (68, 2) landmarks, read in the same way, each of any size.
        gain: how far to go for what is read.
    """
    return gain * float(np.clip(max(lip_gap(target), _SHUT) - max(lip_gap(drawn), _SHUT), -_MOST, _MOST))


def with_gap(drawn: NDArray[np.float32], landmarks: Points, change: float) -> NDArray[np.float32]:
    """A drawing with its lips further apart, or nearer.

    Args:
        drawn: (S, S, 3) float32 RGB, 0..1, an upright face.
        landmarks: (68, 2) its landmarks in px.
        change: of the gap, in distances of the eyes; lips that meet stay shut.

    Returns:
        (S, S, 3) float32, a new picture; where nothing moves, the same values.
    """
    columns = columns_of(drawn)
    half = _profile(columns, landmarks) * change * interocular(landmarks) / 2
    heights = _heights(columns, landmarks)
    half = np.maximum(half, -0.48 * (heights[:, 3] - heights[:, 2]))  # the inner lips must not cross
    return with_rows(drawn, heights, half[:, None] * np.array([0, -1, -1, 1, 1, 0]))


def _profile(columns: Floats, landmarks: Points) -> Floats:
    """(S,) how much of the change each column takes: none at the corners; where the gap is measured, 1 on average."""
    left, right = landmarks[60, 0], landmarks[64, 0]

    def arch(x: Floats) -> Floats:
        across = np.clip((x - left) / max(right - left, 1e-6), 0, 1)
        return np.asarray(1 - (2 * across - 1) ** 2)

    return arch(columns) / max(float(arch(landmarks[_PAIRS, 0]).mean()), 0.3)


def _heights(columns: Floats, landmarks: Points) -> Floats:
    """(S, 6) rows of nose, upper lip's two edges, lower lip's two edges and chin in each column, downwards."""
    edges = [
        np.interp(columns, landmarks[points, 0], landmarks[points, 1])
        for points in (_OUTER[0], *_INNER, _OUTER[1])
    ]
    stack = [np.full_like(columns, landmarks[_NOSE, 1]), *edges, np.full_like(columns, landmarks[_CHIN, 1])]
    heights = np.stack(stack, axis=1)
    heights[:, 3] = np.maximum(heights[:, 3], heights[:, 2] + _THIN)
    return np.asarray(np.maximum.accumulate(heights, axis=1))
