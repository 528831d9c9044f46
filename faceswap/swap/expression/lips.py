"""The generated lips open as far as the target's.

A network ties how far lips are apart to what its person shows between them, teeth or darkness, and takes another
person's teeth and darkness for that. So the gap is measured, in the generated picture and in what the network saw, and
the generated lips move by the difference: upper lip up, lower lip down; nose and chin stay.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
from faceswap.faces.landmarks import (
    CHIN,
    LEFT_INNER_CORNER,
    LEFT_MOUTH_CORNER,
    LOWER_LIP_INNER,
    LOWER_LIP_OUTER,
    NOSE_BASE,
    RIGHT_INNER_CORNER,
    RIGHT_MOUTH_CORNER,
    UPPER_LIP_INNER,
    UPPER_LIP_MIDDLE,
    UPPER_LIP_OUTER,
)
from faceswap.faces.pose import interocular, lip_gap
from faceswap.faces.regions import curve
from faceswap.faces.smoothing import weight_of_new
from faceswap.swap.expression.column_warp import Floats, columns_of, warp_columns


@dataclass(frozen=True)
class LipTuning:
    """Constants of the lips; not measured unless said. Lengths are in inter-ocular distances unless said otherwise."""

    largest_change: float = 0.15
    """Largest difference that is made up for: lips that are stretched further look painted."""
    shut: float = 0.07
    """Gaps below this count as this: between shut lips, landmarks show the shape of the lips, each person's own."""
    gain: float = 1.2
    """How far the lips move for a difference between the landmarks. These show 0.4 to 0.7 of a change in the gap of
    real lips, since their detector expects faces like those it knows. So the lips move by more than the difference, but
    not by much: some mouths are detected as no wider however far they are opened."""
    repeated_gains: tuple[float, float] = (0.7, 0.7)
    """The same where landmarks are detected again after the lips were moved, for each of the two moves."""
    thinnest: float = 0.3
    """Least gap in px that is stretched: where lips are shut, the line between them."""
    time_constant: float = 0.044
    """Seconds of video over which the change is smoothed, about a frame: landmarks are noisy, and the change moves less
    than the lips do."""
    no_crossing: float = 0.48
    """Share of the gap that each lip may move at most, so that the inner edges do not cross."""
    roundness: float = 0.6
    """Power of the parabola along which lips move apart: 0.5 opens an ellipse, as wide open mouths are, 1 a lens with
    pointed corners."""
    narrow_mouth: float = 0.3
    """Least mean of the profile where the gap is measured: a limit to what the profile is divided by."""


TUNING = LipTuning()
_CORNERS = {RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER, RIGHT_INNER_CORNER, LEFT_INNER_CORNER}


@dataclass(frozen=True)
class LipGapChange:
    """How much wider the generated lips have to open at a time of a video, in inter-ocular distances."""

    time: float
    amount: float

    @classmethod
    def after(cls, before: Self | None, found: float, time: float) -> Self:
        """What is measured now, smoothed by what was before (a first-order filter); anew where the time goes back."""
        if before is None:
            return cls(time, found)
        share = weight_of_new(time - before.time, TUNING.time_constant)
        return cls(time, before.amount + share * (found - before.amount))


def lip_gap_change(generated: Points, target: Points, gain: float = TUNING.gain) -> float:
    """How much wider the generated lips have to open, in inter-ocular distances; below 0: less wide.

    Args:
        generated, target: (68, 2) landmarks, detected in the same way, each of any size.
        gain: how far the lips move for the difference.
    """
    return gain * float(
        np.clip(
            max(lip_gap(target), TUNING.shut) - max(lip_gap(generated), TUNING.shut),
            -TUNING.largest_change,
            TUNING.largest_change,
        )
    )


def change_lip_gap(picture: NDArray[np.float32], landmarks: Points, change: float) -> NDArray[np.float32]:
    """A generated picture with its lips further apart, or nearer.

    Args:
        picture: (S, S, 3) float32 RGB, 0..1, an upright face.
        landmarks: (68, 2) its landmarks in px.
        change: of the gap, in inter-ocular distances; lips that meet stay shut.

    Returns:
        (S, S, 3) float32, a new picture; where nothing moves, the same values.
    """
    columns = columns_of(picture)
    half, heights = _moves(columns, landmarks, change)
    return warp_columns(picture, heights, half[:, None] * np.array([0, -1, -1, 1, 1, 0]))


def moved_landmarks(landmarks: Points, change: float) -> Points:
    """(68, 2) landmarks where :func:`change_lip_gap` moves them; arguments as there."""
    result = landmarks.copy()
    half, _ = _moves(landmarks[:, 0], landmarks, change)
    for lip, way in ((UPPER_LIP_OUTER + UPPER_LIP_INNER, -1), (LOWER_LIP_OUTER + LOWER_LIP_INNER, 1)):
        moving = sorted(set(lip) - _CORNERS)
        result[moving, 1] += way * half[moving]
    return result


def _moves(columns: Floats, landmarks: Points, change: float) -> tuple[Floats, Floats]:
    """(n,) px by which each lip moves in columns (n,), and (n, 6) what :func:`_heights` gives there."""
    half = _profile(columns, landmarks) * change * interocular(landmarks) / 2
    heights = _heights(columns, landmarks)
    # the inner lips must not cross
    return np.maximum(half, -TUNING.no_crossing * (heights[:, 3] - heights[:, 2])), heights


def _profile(columns: Floats, landmarks: Points) -> Floats:
    """(S,) how much of the change each column takes: none at the corners; where the gap is measured, 1 on average."""
    left, right = landmarks[RIGHT_INNER_CORNER, 0], landmarks[LEFT_INNER_CORNER, 0]

    def arch(x: Floats) -> Floats:
        across = np.clip((x - left) / max(right - left, 1e-6), 0, 1)
        return np.asarray((1 - (2 * across - 1) ** 2) ** TUNING.roundness)

    return arch(columns) / max(float(arch(landmarks[UPPER_LIP_MIDDLE, 0]).mean()), TUNING.narrow_mouth)


def _heights(columns: Floats, landmarks: Points) -> Floats:
    """(S, 6) the y of nose, upper lip's two edges, lower lip's two edges and chin in each column, downwards."""
    edges = [
        curve(landmarks[points, 0], landmarks[points, 1], columns)
        for points in (UPPER_LIP_OUTER, UPPER_LIP_INNER, LOWER_LIP_INNER, LOWER_LIP_OUTER)
    ]
    stack = [
        np.full_like(columns, landmarks[NOSE_BASE, 1]),
        *edges,
        np.full_like(columns, landmarks[CHIN, 1]),
    ]
    heights = np.stack(stack, axis=1)
    heights[:, 3] = np.maximum(heights[:, 3], heights[:, 2] + TUNING.thinnest)
    return np.asarray(np.maximum.accumulate(heights, axis=1))
