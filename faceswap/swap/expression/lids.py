"""The drawn eyes shut where the target's do.

A person who did not blink in the pictures of a training has no shut eyes to be drawn with, and few did often enough for
a network to learn them. So it is read how far each eye is shut, in the drawing and in what the network saw, and the
drawn lids come together by the difference: the upper lid comes down, as lids do, and the skin above it is stretched.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
from faceswap.swap.expression.column_warp import Floats, columns_of, with_rows

_EYES = (slice(36, 42), slice(42, 48))
_BROWS = ([17, 18, 19, 20, 21], [22, 23, 24, 25, 26])
_UPPER, _LOWER = [0, 1, 2, 3], [0, 5, 4, 3]
"""Of an eye's six landmarks, from corner to corner."""
_USUAL = 0.23
"""Height over width of an open eye where nothing is known of the person: narrow, so that nobody's eyes pass for half
shut in a single picture. The landmarks' reader gives open eyes 0.23 to 0.45, and shut ones 0.12 to 0.16. (The eye
aspect ratio of Soukupova & Cech, "Real-Time Eye Blink Detection using Facial Landmarks", CVWW 2016.)"""
_OPEN, _SHUT = 0.85, 0.6
"""Shares of the usual at which an eye counts as open, and as shut."""
_RISE, _FALL = 0.5, 20.0
"""Seconds of video over which a wider, and a less wide opening is taken for the usual one: a blink is none."""
_NARROW = 0.18
"""The usual is never less: eyes that are shut for long stay shut."""
_DOWN = 0.9
"""Share of the way that the upper lid goes; the lower one goes the rest."""
_FINER = 3
"""The lids are moved in a picture so many times larger: shut lids meet within a pixel, in a line without steps."""
_THIN = 0.5
"""Px of that picture that are left of a shut eye."""
_LASHES = 0.25
"""The strip above the upper lid's edge that is not stretched, in openings: the lashes keep their width."""
_EDGE = 0.12
"""How far below the landmarks the lower lid's edge is taken to be, in openings: no white may be left of a shut eye."""
_BROW = 0.4
"""From the brow to the lid, where the skin begins to move."""
_CHEEK = 0.35
"""Below the lower lid, where it ends, in widths of the eye."""


@dataclass
class Usual:
    """How far the eyes are usually open, as learnt on a video; of each eye, the left one of the picture first."""

    time: float
    """Of the frame, seconds."""
    target: Floats
    """(2,) height over width in the target."""
    drawn: Floats
    """(2,) and in the drawing."""


def closing(
    drawn: Points, target: Points, before: Usual | None = None, time: float = 0.0
) -> tuple[Floats, Usual]:
    """Which share of its opening each drawn eye has to lose to be as far shut as the target's.

    Args:
        drawn, target: (68, 2) landmarks, read in the same way, each of any size.
        before: what the frame before left; None: a single picture, or the first.
        time: of the frame, seconds.

    Returns:
        (2,) shares, 0..1, the left eye of the picture first; and what the next frame needs.
    """
    now, then = _ratios(drawn), _ratios(target)
    step = 0.0 if before is None else max(time - before.time, 0.0)
    start = np.full(2, _USUAL)
    usual = Usual(
        time,
        _learnt(before.target if before else start, then, step),
        _learnt(before.drawn if before else start, now, step),
    )
    is_shut, to_be_shut = _shut(now, usual.drawn), _shut(then, usual.target)
    return np.maximum(to_be_shut - is_shut, 0) / np.maximum(1 - is_shut, 1e-6), usual


def with_lids(drawn: NDArray[np.float32], landmarks: Points, shares: Floats) -> NDArray[np.float32]:
    """A drawing with its lids nearer to each other.

    Args:
        drawn: (S, S, 3) float32 RGB, 0..1, an upright face.
        landmarks: (68, 2) its landmarks in px.
        shares: (2,) of each eye's opening that is lost, 0..1; the left one of the picture first.

    Returns:
        (S, S, 3) float32, a new picture; where nothing moves, the same values.
    """
    if not np.any(shares > 0):
        return drawn.copy()
    size, side = len(drawn), _FINER * len(drawn)
    large = cv2.resize(drawn, (side, side), interpolation=cv2.INTER_CUBIC)
    marks = (landmarks + 0.5) * _FINER - 0.5
    moved = large
    columns = columns_of(large)
    for eye, brow, share in zip(_EYES, _BROWS, shares, strict=True):
        if share > 0:
            heights = _heights(columns, marks[eye], marks[brow])
            lost = np.maximum(share * (heights[:, 3] - heights[:, 2] - _THIN), 0)
            moved = with_rows(moved, heights, lost[:, None] * np.array([0, _DOWN, _DOWN, _DOWN - 1, 0]))
    changed = np.abs(moved - large).max(axis=-1)
    back, where = (cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA) for p in (moved, changed))
    return np.asarray(np.where(where[..., None] > 0, np.clip(back, 0, 1), drawn), np.float32)


def _ratios(landmarks: Points) -> Floats:
    eyes = np.stack([landmarks[eye] for eye in _EYES])
    heights = np.linalg.norm(eyes[:, [1, 2]] - eyes[:, [5, 4]], axis=-1).mean(axis=1)
    widths = np.linalg.norm(eyes[:, 0] - eyes[:, 3], axis=-1)
    return np.asarray(heights / np.maximum(widths, 1e-6), np.float64)


def _learnt(usual: Floats, ratios: Floats, step: float) -> Floats:
    seconds = np.where(ratios > usual, _RISE, _FALL)
    return np.maximum(usual + (1 - np.exp(-step / seconds)) * (ratios - usual), _NARROW)


def _shut(ratios: Floats, usual: Floats) -> Floats:
    """How far each eye is shut, 0..1."""
    return np.clip((_OPEN - ratios / usual) / (_OPEN - _SHUT), 0, 1)


def _heights(columns: Floats, eye: Points, brow: Points) -> Floats:
    """(S, 5) rows in each column, downwards: where the skin begins to move, the lashes, the lids, where it ends."""
    upper, lower = (np.interp(columns, eye[points, 0], eye[points, 1]) for points in (_UPPER, _LOWER))
    above = np.interp(columns, brow[:, 0], brow[:, 1])
    top = np.minimum(above + _BROW * np.maximum(upper - above, 0), upper)
    lower = lower + _EDGE * (lower - upper)
    lashes = np.maximum(upper - _LASHES * (lower - upper), (top + upper) / 2)
    bottom = lower + _CHEEK * float(np.linalg.norm(eye[0] - eye[3]))
    return np.maximum.accumulate(np.stack([top, lashes, upper, lower, bottom], axis=1), axis=1)
