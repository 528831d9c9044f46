"""The target's own teeth and tongue between the generated lips.

A decoder generates teeth as one pale slab, whose colour no transfer of skin gets right. Between the lips the target's
show, in its own light: what lies above and below each column of the generated lips corresponds to the target's, and
where both show the inside of a mouth, it is the target's that is seen. The lips are the reference's.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points, apply
from faceswap.faces.landmarks import (
    LEFT_INNER_CORNER,
    LOWER_LIP_INNER,
    LOWER_LIP_MIDDLE,
    LOWER_LIP_OUTER,
    RIGHT_INNER_CORNER,
    UPPER_LIP_INNER,
    UPPER_LIP_MIDDLE,
    UPPER_LIP_OUTER,
)
from faceswap.faces.pose import frontality
from faceswap.faces.smoothing import rise, smoothstep
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.openings.axes import Axis, Floats, Window, edge, lay_in, sample


@dataclass(frozen=True)
class TeethTuning:
    """Constants of the mouth's inside, by eye on a, b and g. Lengths are halves of the mouth's width unless said."""

    narrowest: float = 12.0
    """Width of a mouth, px of the frame, up to which nothing is replaced."""
    gap_px: tuple[float, float] = (1.0, 3.0)
    """Gap between the lips, px of the frame, from which on something is seen there, and from which on enough."""
    gap: tuple[float, float] = (0.04, 0.12)
    """The same in halves of the mouth's width."""
    dark: tuple[float, float] = (0.45, 0.7)
    """Grey level over that of the lips up to which a pixel is the dark of a mouth, and from which on it is not."""
    pale: tuple[float, float] = (0.45, 0.75)
    """Saturation over that of the lips up to which a brighter pixel is a tooth, and from which on it is not."""
    brighter: tuple[float, float] = (1.05, 1.35)
    """Grey level over that of the lips from which on it may be one, and from which on it is."""
    above: float = 0.75
    """How far above the landmarks the dark may reach, in thicknesses of the upper lip: these tell where lips meet
    better than where they end."""
    below: float = 0.5
    """The same below them, of the lower lip; teeth reach less far: a lip's gloss is as pale as they."""
    corner: tuple[float, float] = (0.97, 1.12)
    """Distance from the middle from which on less is replaced, and from which on nothing."""
    soft: float = 0.02
    """Standard deviation of the blur of it all."""
    edge: float = 0.06
    """Width of the soft edge along the lips' landmarks."""
    told: tuple[float, float] = (0.1, 0.25)
    """Share of what lies between the target's landmarks that is dark or pale, from which on its mouth counts as open,
    and from which on wholly: shut lips have landmarks, too. (A tongue has the lips' colour.)"""
    told_by_swap: tuple[float, float] = (0.7, 0.82)
    """The same of the swap, for what is no lip at least: a generated slab may have any colour but that of lips."""
    unlike: tuple[float, float] = (0.1, 0.3)
    """Difference from the lips, in shares of their grey level or saturation, from which on a pixel may be no lip, and
    from which on it is none."""
    thinnest: float = 0.05
    """Least thickness of a lip: a limit to what is divided by."""


TUNING = TeethTuning()
_REACH = 1.25
_EDGES = (UPPER_LIP_OUTER, UPPER_LIP_INNER, LOWER_LIP_INNER, LOWER_LIP_OUTER)


def lay_teeth(
    over: NDArray[np.uint8],
    under: NDArray[np.uint8],
    corner: tuple[int, int],
    face: GeneratedFace,
    amount: float,
) -> None:
    """Lay what shows between the target's lips between those of the swap, in place.

    Args:
        over: (h, w, 3) uint8 RGB, the swap, changed.
        under: (h, w, 3) uint8 RGB, the target in the same part of the frame.
        corner: x and y of that part's first pixel in the frame.
        face: with its features, without which nothing happens.
        amount: 1 lays it in wholly, 0 not at all.
    """
    amount *= frontality(face.crop.landmarks)
    features = face.features
    if features is None or not amount:
        return
    to_frame, origin = face.crop.to_frame, np.array(corner, np.float64)
    own = apply(to_frame, features.generated) - origin
    reshaped = face.target_landmarks - face.crop.landmarks
    others = apply(to_frame, features.target) + reshaped - origin
    axis, target_axis = (
        Axis.between(points[RIGHT_INNER_CORNER], points[LEFT_INNER_CORNER]) for points in (own, others)
    )
    amount *= min(_opened(axis, own), _opened(target_axis, others))
    window = Window.around(axis, _REACH, over.shape)
    if not amount or window.empty:
        return
    lips, target_lips = (
        [edge(a, points[part], window.along) for part in _EDGES]
        for a, points in ((axis, own), (target_axis, others))
    )
    there = _corresponding(window.down, lips, target_lips)
    pixels = sample(under, target_axis.px(np.stack([window.along, there], axis=-1)))
    across = np.abs(window.along)
    swap = _read(over[window.part].astype(np.float32), across, window.down, lips)
    target = _read(pixels, across, there, target_lips)
    sure = min(float(rise(target.open, TUNING.told)), float(rise(swap.unlike, TUNING.told_by_swap)))
    share = amount * sure * np.minimum(swap.inside, target.inside)
    share *= 1 - rise(across, TUNING.corner)
    lay_in(over, window, pixels, share, TUNING.soft * axis.half)


def _opened(axis: Axis, points: Points) -> float:
    """How far a mouth shows its inside, 0..1, by its landmarks (68, 2)."""
    if 2 * axis.half <= TUNING.narrowest:
        return 0.0
    gap = float((axis.of(points[LOWER_LIP_MIDDLE]) - axis.of(points[UPPER_LIP_MIDDLE]))[:, 1].mean())
    return float(rise(gap * axis.half, TUNING.gap_px) * rise(gap, TUNING.gap))


def _corresponding(down: Floats, lips: list[Floats], others: list[Floats]) -> Floats:
    """Where a place between one mouth's edges lies between the other's: each part of a column is stretched to it."""
    result = others[0].copy()
    for i in range(len(lips) - 1):
        height = np.maximum(lips[i + 1] - lips[i], 1e-3)
        result += np.clip((down - lips[i]) / height, 0, 1) * (others[i + 1] - others[i])
    return result


@dataclass(frozen=True, eq=False)
class _Mouth:
    """What a mouth shows by its colours.

    Attributes:
        inside: (h, w), 0..1: between the landmarks, and beyond them what is no lip.
        open: share of what lies between the landmarks that is dark or a tooth.
        unlike: share of it that is no lip at least.
    """

    inside: Floats
    open: float = 0.0
    unlike: float = 0.0


def _read(pixels: NDArray[np.float32], across: Floats, down: Floats, lips: list[Floats]) -> _Mouth:
    """Read a mouth.

    Args:
        pixels: (h, w, 3) float32 RGB, 0..255.
        across: (h, w) distance of each from the mouth's middle, along its axis.
        down: (h, w) how far each lies below the axis.
        lips: four (h, w), how far the lips' edges do.
    """
    top, upper, lower, bottom = lips
    between = smoothstep((down - upper) / TUNING.edge + 0.5) * smoothstep((lower - down) / TUNING.edge + 0.5)
    lip = ((down > top) & (down < upper)) | ((down > lower) & (down < bottom))
    lip &= (across < 0.9) & (between == 0)
    if not lip.any():
        return _Mouth(between)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    saturation = 1 - pixels.min(axis=-1) / np.maximum(pixels.max(axis=-1), 5)
    level = grey / max(float(np.median(grey[lip])), 1)
    colourful = saturation / max(float(np.median(saturation[lip])), 0.05)
    dark = 1 - rise(level, TUNING.dark)
    tooth = (1 - rise(colourful, TUNING.pale)) * rise(level, TUNING.brighter)
    unlike = np.maximum(rise(np.abs(level - 1), TUNING.unlike), rise(np.abs(colourful - 1), TUNING.unlike))
    above = (upper - down) / np.maximum(upper - top, TUNING.thinnest) / TUNING.above
    below = (down - lower) / np.maximum(bottom - lower, TUNING.thinnest) / TUNING.below
    beyond = np.maximum(above, below)
    parts = [between, dark * smoothstep(1 - beyond), tooth * smoothstep(1.3 - 1.5 * beyond)]
    seen, other = (
        float((part * between).sum()) / max(float(between.sum()), 1.0)
        for part in (np.maximum(dark, tooth), unlike)
    )
    return _Mouth(np.maximum.reduce(parts), seen, other)
