"""The target's own teeth and tongue between the generated lips.

A decoder generates teeth as one pale slab, whose colour no transfer of skin gets right. Between the lips the target's
show, in its own light, moved to where the generated lips open: teeth are rigid, and lips cover what does not fit. The
lips are the reference's. Landmarks tell where lips meet better than where they end, so what is
dark or a tooth beside them belongs to the opening, too.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
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
from faceswap.faces.smoothing import rise, smoothstep
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.openings.axes import Axis, Floats, Window, edge, lay_in, sample
from faceswap.swap.openings.swap_part import SwapPart


@dataclass(frozen=True)
class TeethTuning:
    """Constants of the mouth's inside, by eye on a, b and g. Lengths are halves of the mouth's width unless said."""

    narrowest: float = 12.0
    """Width of a mouth, px of the frame, up to which nothing is replaced."""
    gap_px: tuple[float, float] = (2.0, 4.0)
    """Gap between the lips, px of the frame, from which on something is seen there, and from which on enough."""
    gap: tuple[float, float] = (0.1, 0.2)
    """The same in halves of the mouth's width."""
    dark: tuple[float, float] = (0.45, 0.7)
    """Grey level over that of the lips up to which a pixel is the dark of a mouth, and from which on it is not."""
    pale: tuple[float, float] = (0.45, 0.75)
    """Saturation over that of the lips up to which a brighter pixel is a tooth, and from which on it is not."""
    paler: float = 0.35
    """How much higher both are in a generated mouth that is wide open: there teeth fade into the lip in a pale band."""
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
    steady: float = 0.1
    """Standard deviation along the mouth by which the edges of an opening are smoothed."""
    edge: float = 0.06
    """Width of the soft edge along the lips' landmarks."""
    told: tuple[float, float] = (0.1, 0.25)
    """Share of what lies between the target's landmarks that is dark or pale, from which on its mouth counts as open,
    and from which on wholly: shut lips have landmarks, too. (A tongue has the lips' colour.)"""
    told_by_swap: tuple[float, float] = (0.76, 0.84)
    """The same of the swap, for what is no lip at least: a generated slab may have any colour but that of lips."""
    wide: tuple[float, float] = (0.2, 0.3)
    """Gap of the generated lips, from which on they count as open whatever is seen there, and from which on wholly."""
    unlike: tuple[float, float] = (0.1, 0.3)
    """Difference from the lips, in shares of their grey level or saturation, from which on a pixel may be no lip, and
    from which on it is none."""
    thinnest: float = 0.05
    """Least thickness of a lip, and height of an opening: a limit to what is divided by."""
    inset: float = 0.05
    """What of an opening is not taken beside the lips: their red edges."""
    beyond: tuple[float, float] = (0.05, 0.12)
    """How far beyond the target's opening a place may lie that shows its border, and from which on it shows nothing of
    it: near the corners teeth would be drawn out into fangs."""


TUNING = TeethTuning()
_REACH = 1.25
_CORNERS = 0.9
"""Distance from the middle up to which lips tell their colour."""
_INSIDE = 0.5
_MOST = 64
"""Columns in which a mouth is read at most: its edges are smooth."""
_EDGES = (UPPER_LIP_OUTER, UPPER_LIP_INNER, LOWER_LIP_INNER, LOWER_LIP_OUTER)


def lay_teeth(part: SwapPart, face: GeneratedFace, amount: float) -> None:
    """Lay what shows between the target's lips between those of the swap, in place.

    Args:
        part: of the frame; its swap is changed.
        face: with its features, without which nothing happens.
        amount: 1 lays it in wholly, 0 not at all.
    """
    amount *= face.crop.frontality
    features = face.features
    if features is None or not amount:
        return
    own = part.of_crop(features.generated)
    others = part.of_crop(features.target) + face.target_landmarks - face.crop.landmarks  # as it was reshaped
    axis, target_axis = (
        Axis.between(points[RIGHT_INNER_CORNER], points[LEFT_INNER_CORNER]) for points in (own, others)
    )
    gaps = [_gap(axis, own), _gap(target_axis, others)]
    amount *= min(_opened(axis, gaps[0]), _opened(target_axis, gaps[1]))
    window = Window.around(axis, _REACH, part.over.shape)
    if not amount or window.empty:
        return
    swap = _Mouth.read(part.over, axis, own, generated=True)
    target = _Mouth.read(part.under, target_axis, others)
    sure = rise(target.open, TUNING.told)
    sure *= np.maximum(rise(swap.unlike, TUNING.told_by_swap), rise(gaps[0], TUNING.wide))
    if not sure:
        return
    there, shown = _corresponding(window, swap, target)
    pixels = sample(part.under, target_axis.px(np.stack([window.along, there], axis=-1)))
    inside = _between(window.down, *swap.edges_at(window.along)[1:3]) * (
        1 - rise(np.abs(window.along), TUNING.corner)
    )
    lay_in(part.over, window, pixels, amount * sure * inside * shown, TUNING.soft * axis.half)


def _gap(axis: Axis, points: Points) -> float:
    """Between the lips of landmarks (68, 2)."""
    return float((axis.of(points[LOWER_LIP_MIDDLE]) - axis.of(points[UPPER_LIP_MIDDLE]))[:, 1].mean())


def _opened(axis: Axis, gap: float) -> float:
    """How far a mouth is large and open enough to show its inside, 0..1."""
    if 2 * axis.half <= TUNING.narrowest:
        return 0.0
    return float(rise(gap * axis.half, TUNING.gap_px) * rise(gap, TUNING.gap))


def _corresponding(window: Window, swap: "_Mouth", target: "_Mouth") -> tuple[Floats, Floats]:
    """Where in the target's opening each place of a window in the swap's lies, and how surely it lies there, 0..1.

    Teeth are rigid: columns move along a smooth curve, that of the opening where the target's teeth lie in it. An
    opening that is higher than the target's is stretched from it; one that is lower shows less, since lips cover more
    and no tooth becomes lower.
    """
    places = swap.along[np.abs(swap.along) < _CORNERS]
    (upper, lower), (other_upper, other_lower) = (one.edges_at(places)[1:3] for one in (swap, target))
    height, other = float((lower - upper).mean()), float((other_lower - other_upper).mean())
    scale = min(max(other, 0) / max(height, TUNING.thinnest), 1.0)
    curve, other_curve = (
        np.polyval(np.polyfit(places, (1 - target.row) * top + target.row * bottom, 2), window.along)
        for top, bottom in ((upper, lower), (other_upper, other_lower))
    )
    first, last = target.edges_at(window.along)[1:3]
    middle = (first + last) / 2  # at the corners an opening is lower than its two red edges
    low, high = np.minimum(first + TUNING.inset, middle), np.maximum(last - TUNING.inset, middle)
    there = other_curve + (window.down - curve) * scale
    inside = np.clip(there, low, high)
    return inside, 1 - rise(np.abs(there - inside), TUNING.beyond)


def _between(down: Floats, upper: Floats, lower: Floats) -> Floats:
    return smoothstep((down - upper) / TUNING.edge + 0.5) * smoothstep((lower - down) / TUNING.edge + 0.5)


@dataclass(frozen=True, eq=False)
class _Mouth:
    """Where a mouth is open and what it shows, by its landmarks and its colours.

    Attributes:
        along: (n,) places along its axis.
        edges: (4, n) how far down the upper lip begins, the opening does, and where each ends.
        open: share of what lies between the lips' landmarks that is dark or a tooth.
        unlike: share of it that is no lip at least.
        row: how far down in the opening its teeth lie, 0 to 1; 0 where there are none.
    """

    along: Floats
    edges: Floats
    open: float = 0.0
    unlike: float = 0.0
    row: float = 0.0

    @classmethod
    def read(
        cls, picture: NDArray[np.uint8], axis: Axis, points: Points, generated: bool = False
    ) -> "_Mouth":
        """A mouth by its landmarks (68, 2) in a picture (h, w, 3) uint8 RGB."""
        along = np.linspace(-_REACH, _REACH, min(math.ceil(2 * _REACH * axis.half), _MOST) + 1)
        edges = np.stack([edge(axis, points[part], along) for part in _EDGES])
        step = along[1] - along[0]
        rows = np.arange(edges[0].min() - step, edges[3].max() + 2 * step, step)
        down, across = np.meshgrid(rows, np.abs(along), indexing="ij")
        pixels = sample(picture, axis.px(np.stack(np.meshgrid(along, rows), axis=-1)))
        top, upper, lower, bottom = edges
        between = _between(down, upper, lower)
        lip = ((down > top) & (down < upper)) | ((down > lower) & (down < bottom))
        lip &= (across < _CORNERS) & (between == 0)
        if not lip.any():
            return cls(along, edges)
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        saturation = 1 - pixels.min(axis=-1) / np.maximum(pixels.max(axis=-1), 5)
        level = grey / max(float(np.median(grey[lip])), 1)
        colourful = saturation / max(float(np.median(saturation[lip])), 0.05)
        dark = 1 - rise(level, TUNING.dark)
        more = TUNING.paler * float(rise(_gap(axis, points), TUNING.wide)) if generated else 0.0
        tooth = (1 - rise(colourful - more, TUNING.pale)) * rise(level, TUNING.brighter)
        unlike = np.maximum(
            rise(np.abs(level - 1), TUNING.unlike), rise(np.abs(colourful - 1), TUNING.unlike)
        )
        above = (upper - down) / np.maximum(upper - top, TUNING.thinnest) / TUNING.above
        below = (down - lower) / np.maximum(bottom - lower, TUNING.thinnest) / TUNING.below
        beyond = np.maximum(above, below)
        parts = [between, dark * smoothstep(1 - beyond), tooth * smoothstep(1.3 - 1.5 * beyond)]
        seen, other = (
            float((part * between).sum()) / max(float(between.sum()), 1.0)
            for part in (np.maximum(dark, tooth), unlike)
        )
        edges[1:3] = _extent(np.maximum.reduce(parts) > _INSIDE, rows, edges[1:3], TUNING.steady / step)
        depth = np.clip((down - edges[1]) / np.maximum(edges[2] - edges[1], TUNING.thinnest), 0, 1)
        teeth = tooth * _between(down, edges[1], edges[2])
        row = float((teeth * depth).sum()) / max(float(teeth.sum()), 1.0)
        return cls(along, edges, seen, other, row)

    def edges_at(self, along: Floats) -> Floats:
        """(4, ...) the edges at places along the axis."""
        return np.stack([np.interp(along, self.along, one) for one in self.edges])


def _extent(inside: NDArray[np.bool_], rows: Floats, marks: Floats, sigma: float) -> Floats:
    """(2, n): where each column of (m, n) begins and ends to be inside; where it never is, its marks (2, n)."""
    any_of = inside.any(axis=0)
    first, last = inside.argmax(axis=0), len(rows) - 1 - inside[::-1].argmax(axis=0)
    found = np.where(any_of, np.stack([rows[first], rows[last]]), marks)
    return np.asarray(
        cv2.GaussianBlur(found, (0, 0), sigmaX=sigma, sigmaY=1e-3, borderType=cv2.BORDER_REPLICATE)
    )
