"""The generated eyes shut where the target's do.

A person who did not blink in the training's pictures has no shut eyes that a network could generate, and few blinked
often enough for it to learn them. So it is measured how far each eye is shut, in the generated picture and in what the
network saw, and the generated lids come together by the difference: the upper lid comes down, as lids do, and the skin
above it is stretched.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
from faceswap.faces.landmarks import EYE_LOWER_LID, EYE_UPPER_LID, EYES, LEFT_BROW, RIGHT_BROW
from faceswap.faces.regions import curve
from faceswap.swap.expression.column_warp import Floats, columns_of, warp_columns


@dataclass(frozen=True)
class LidTuning:
    """Constants of the lids; not measured unless said. An opening is the height of an open eye."""

    usual: float = 0.283
    """Height over width of an open eye where nothing is known of the person: narrow, so that nobody's eyes pass for
    half shut in a single picture. Of a to g open eyes have 0.28 to 0.45, and shut ones 0.14 to 0.2. (The eye aspect
    ratio of Soukupova & Cech, "Real-Time Eye Blink Detection using Facial Landmarks", CVWW 2016.)"""
    open: float = 0.85
    """Share of the usual ratio from which on an eye counts as open."""
    shut: float = 0.6
    """Share of it at which an eye counts as shut."""
    rise: float = 0.5
    """Seconds of video over which a wider opening is taken for the usual one."""
    fall: float = 20.0
    """The same for one that is less wide: a blink is none."""
    narrowest: float = 0.18
    """The usual ratio is never less: eyes that are shut for long stay shut."""
    upper_share: float = 0.8
    """Share of the way that the upper lid goes; the lower one goes the rest."""
    enlarged: int = 3
    """The lids are moved in a picture so many times larger: shut lids meet within a pixel, in a line without steps."""
    left_open: float = 0.5
    """Px of that picture that are left of a shut eye."""
    lashes: float = 0.12
    """Height, in openings, of the strip above the upper lid's edge that is not stretched: lashes keep their width."""
    lower_edge: float = 0.12
    """How far below the landmarks the lower lid's edge is taken to be, in openings: no white of a shut eye may stay."""
    brow: float = 0.4
    """Where the skin begins to move, as a share of the way from the brow to the lid."""
    cheek: float = 0.35
    """Where it ends, below the lower lid, in widths of the eye."""
    margin: int = 4
    """Px around what moves that are enlarged with it: as far as interpolation sees."""


TUNING = LidTuning()


@dataclass
class UsualOpenness:
    """How far the eyes of a face are usually open, as learned on a video; the left eye of the picture first."""

    time: float
    """Of the frame, seconds."""
    target: Floats
    """(2,) height over width in the target."""
    generated: Floats
    """(2,) the same in the generated picture."""


def openness(landmarks: Points, contours: Floats) -> Floats:
    """(2,) height over width of each eye, that on the picture's left first.

    The mean of two readings that err differently: dlib's landmarks take an eye that looks down for shut, the contours
    of the iris's network one that is shut for a little open.

    Args:
        landmarks: (68, 2).
        contours: (2,) as read by :class:`faceswap.faces.eyes.Eyes`; where they are NaN, the landmarks alone count.
    """
    eyes = np.stack([landmarks[eye] for eye in EYES])
    heights = np.linalg.norm(eyes[:, [1, 2]] - eyes[:, [5, 4]], axis=-1).mean(axis=1)
    widths = np.linalg.norm(eyes[:, 0] - eyes[:, 3], axis=-1)
    ratios = heights / np.maximum(widths, 1e-6)
    return np.where(np.isfinite(contours), (ratios + contours) / 2, ratios)


def lid_closing(
    generated: Floats, target: Floats, before: UsualOpenness | None = None, time: float = 0.0
) -> tuple[Floats, UsualOpenness]:
    """Which share of its opening each generated eye has to lose to be as far shut as the target's.

    Args:
        generated, target: (2,) :func:`openness` of each eye, read in the same way.
        before: what the frame before left; None: a single picture, or the first.
        time: of the frame, seconds.

    Returns:
        (2,) shares, 0..1, the left eye of the picture first; and what the next frame needs.
    """
    step = 0.0 if before is None else max(time - before.time, 0.0)
    start = np.full(2, TUNING.usual)
    known = before or UsualOpenness(time, start, start)
    usual = UsualOpenness(
        time,
        _learned(known.target, target, step),
        _learned(known.generated, generated, step),
    )
    is_shut, to_be_shut = _shut(generated, usual.generated), _shut(target, usual.target)
    return np.maximum(to_be_shut - is_shut, 0) / np.maximum(1 - is_shut, 1e-6), usual


def close_lids(picture: NDArray[np.float32], landmarks: Points, shares: Floats) -> NDArray[np.float32]:
    """A generated picture with its lids nearer to each other.

    Args:
        picture: (S, S, 3) float32 RGB, 0..1, an upright face.
        landmarks: (68, 2) its landmarks in px.
        shares: (2,) of each eye's opening that is lost, 0..1; the left one of the picture first.

    Returns:
        (S, S, 3) float32, a new picture; where nothing moves, the same values.
    """
    if not np.any(shares > 0):
        return picture.copy()
    result = picture.copy()
    for eye, brow, share in zip(EYES, (RIGHT_BROW, LEFT_BROW), shares, strict=True):
        if share > 0:
            part, corner = _around(picture, landmarks[eye], landmarks[brow])
            marks = (landmarks - corner + 0.5) * TUNING.enlarged - 0.5
            result[part] = _closed(result[part], marks[eye], marks[brow], float(share))
    return result


def closed_landmarks(landmarks: Points, shares: Floats) -> Points:
    """(68, 2) landmarks where :func:`close_lids` moves them; arguments as there."""
    result = landmarks.copy()
    for eye, brow, share in zip(EYES, (RIGHT_BROW, LEFT_BROW), shares, strict=True):
        heights = _heights(landmarks[eye, 0], landmarks[eye], landmarks[brow])
        lost = share * (heights[:, 3] - heights[:, 2])
        for lid, way in ((EYE_UPPER_LID, TUNING.upper_share), (EYE_LOWER_LID, TUNING.upper_share - 1)):
            inner = lid[1:-1]  # the corners stay
            result[eye][inner, 1] += way * lost[inner]
    return result


def _around(picture: NDArray[np.float32], eye: Points, brow: Points) -> tuple[tuple[slice, slice], Points]:
    """The part of a picture in which an eye's lids move and no others, and its first pixel (x, y)."""
    margin = TUNING.margin + TUNING.cheek * float(np.linalg.norm(eye[0] - eye[3]))
    low, high = np.minimum(eye.min(0), brow.min(0)) - margin, eye.max(0) + margin
    size = np.array(picture.shape[1::-1])
    left, top = np.clip(np.floor(low), 0, size - 1).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high) + 1, (left + 1, top + 1), size).astype(int).tolist()
    return (slice(top, bottom), slice(left, right)), np.array([left, top], np.float64)


def _closed(part: NDArray[np.float32], eye: Points, brow: Points, share: float) -> NDArray[np.float32]:
    """A part of a picture with an eye in it, by how much it loses; landmarks as they lie in the part enlarged."""
    size = part.shape[1::-1]
    large = cv2.resize(part, None, fx=TUNING.enlarged, fy=TUNING.enlarged, interpolation=cv2.INTER_CUBIC)
    heights = _heights(columns_of(large), eye, brow)
    lost = np.maximum(share * (heights[:, 3] - heights[:, 2] - TUNING.left_open), 0)
    ways = np.array([0, TUNING.upper_share, TUNING.upper_share, TUNING.upper_share - 1, 0])
    moved = warp_columns(large, heights, lost[:, None] * ways)
    changed = np.abs(moved - large).max(axis=-1)
    back, where = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (moved, changed))
    return np.asarray(np.where(where[..., None] > 0, np.clip(back, 0, 1), part), np.float32)


def _learned(usual: Floats, ratios: Floats, step: float) -> Floats:
    seconds = np.where(ratios > usual, TUNING.rise, TUNING.fall)
    return np.maximum(usual + (1 - np.exp(-step / seconds)) * (ratios - usual), TUNING.narrowest)


def _shut(ratios: Floats, usual: Floats) -> Floats:
    """How far each eye is shut, 0..1."""
    return np.clip((TUNING.open - ratios / usual) / (TUNING.open - TUNING.shut), 0, 1)


def _heights(columns: Floats, eye: Points, brow: Points) -> Floats:
    """(S, 5) rows in each column, downwards: where the skin begins to move, the lashes, the lids, where it ends."""
    upper, lower = (
        curve(eye[points, 0], eye[points, 1], columns) for points in (EYE_UPPER_LID, EYE_LOWER_LID)
    )
    above = np.interp(columns, brow[:, 0], brow[:, 1])
    top = np.minimum(above + TUNING.brow * np.maximum(upper - above, 0), upper)
    lower = lower + TUNING.lower_edge * (lower - upper)
    lashes = np.maximum(upper - TUNING.lashes * (lower - upper), (top + upper) / 2)
    bottom = lower + TUNING.cheek * float(np.linalg.norm(eye[0] - eye[3]))
    return np.maximum.accumulate(np.stack([top, lashes, upper, lower, bottom], axis=1), axis=1)
