"""The generated face takes the target's expression: lips and lids move as the target's, and hair leaves it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import AS_ASKED, Crispness, sharpen
from faceswap.faces.eyes import Eyes
from faceswap.faces.finding.finder import LandmarkDetector
from faceswap.faces.geometry import apply
from faceswap.swap.expression.generated_landmarks import (
    LandmarkOffsets,
    LandmarkPair,
    detect_landmarks,
    track_generated_landmarks,
)
from faceswap.swap.expression.lids import TUNING as LID_TUNING
from faceswap.swap.expression.lids import UsualOpenness, close_lids, closed_landmarks, lid_closing, openness
from faceswap.swap.expression.lips import TUNING as LIP_TUNING
from faceswap.swap.expression.lips import LipGapChange, change_lip_gap, lip_gap_change, moved_landmarks
from faceswap.swap.generated_face import Features, GeneratedFace
from faceswap.swap.masks.generated_mask import SmoothedGeneratedMask
from faceswap.swap.options import SwapOptions

_READ_EVERY = 0.1
"""Seconds of video after which the generated eyes are read anew, while the target's stay open. Not measured."""


@dataclass
class ExpressionMemory:
    """What is remembered of one face from frame to frame, so that its expression does not flicker."""

    offsets: LandmarkOffsets | None = None
    openness: UsualOpenness | None = None
    lip_gap: LipGapChange | None = None
    own_eyes: tuple[float, Eyes] | None = None
    """Of the generated picture, and when they were read, seconds."""
    mask: SmoothedGeneratedMask | None = None
    frames: int = 0
    """Frames so far."""


def transfer_expression(
    generated: GeneratedFace,
    detector: LandmarkDetector,
    options: SwapOptions,
    crispness: Crispness = AS_ASKED,
    memory: ExpressionMemory | None = None,
    time: float = 0.0,
    quick: bool = False,
) -> GeneratedFace:
    """Give a generated face the target's gap of the lips and opening of the eyes, and take hair out of it.

    A single picture takes twelve detections of landmarks (20 ms), a video's frame four, seldom six.

    Args:
        generated: as the network made it.
        detector: of landmarks.
        options: ``outline``, ``mask``, ``lips``, ``lids``, ``hairline`` and ``glasses`` count here, and whether
            ``eyes`` or ``teeth`` will ask for the features.
        crispness: of the network's pictures, which are read as crisp as photos, however they will be shown.
        memory: of this face; changed. None: a single picture.
        time: of the frame in seconds.
        quick: treat a single picture like a video's frame.

    Returns:
        the same face with its lips and lids moved, without hair; with its landmarks and its mask, where the mask of
        the swap follows them, and with its features.
    """
    careful = memory is None and not quick
    memory = memory or ExpressionMemory()
    crop, picture = generated.crop, generated.picture
    # as crisp as photos: soft lips are detected nearer together than they are, and would be torn open
    crisp = sharpen(picture, crispness.unsharp)
    pair = LandmarkPair(detector, crisp, generated.target, crop.geometry, None if careful else memory.frames)
    memory.frames += 1
    landmarks = None
    if options.outline == "generated" and options.mask not in {"rect", "ellipse"}:
        landmarks, memory.offsets = track_generated_landmarks(
            pair, crop.landmarks_in_crop, memory.offsets, time
        )
        generated = replace(generated, landmarks=apply(crop.to_frame, landmarks))
    facing = crop.frontality
    lips, shares, seen = 0.0, np.zeros(2), None
    if facing and options.lips:
        lips = facing * options.lips * _lip_change(pair, memory, time, careful)
        picture = change_lip_gap(picture, pair.generated, lips)
    if facing and (options.lids or options.eyes):
        seen = Eyes.of(generated.target, pair.target)
    if seen is not None and options.lids:
        opened = openness(pair.target, seen.openness)
        memory.own_eyes = _own_eyes(pair, opened, memory, time)
        closing, memory.openness = lid_closing(
            openness(pair.generated, memory.own_eyes[1].openness), opened, memory.openness, time
        )
        shares = facing * options.lids * closing
        picture = close_lids(picture, pair.generated, shares)
    if facing and (options.eyes or options.teeth):
        shown = closed_landmarks(moved_landmarks(pair.generated, lips), shares)
        generated = replace(
            generated, features=Features(shown, pair.target, seen.read if seen else (None, None))
        )
    if landmarks is not None:
        memory.mask = SmoothedGeneratedMask.after(
            memory.mask, picture, landmarks, crop.geometry, time, options.glasses
        )
        generated = replace(generated, mask=memory.mask.mask)
        if options.hairline:
            picture = memory.mask.mask.painted(picture, crop.geometry, options.hairline)
    return replace(generated, picture=picture)


def _own_eyes(
    pair: LandmarkPair, opened: NDArray[np.float64], memory: ExpressionMemory, time: float
) -> tuple[float, Eyes]:
    """The generated eyes and when they were read: on a video seldom, but while the target's (2,) are not open."""
    known, usual = memory.own_eyes, memory.openness
    open_wide = usual is not None and bool((opened >= LID_TUNING.open * usual.target).all())
    if known is not None and open_wide and 0 <= time - known[0] < _READ_EVERY:
        return known
    picture = np.rint(np.clip(pair.picture, 0, 1) * 255).astype(np.uint8)
    return time, Eyes.of(picture, pair.generated)


def _lip_change(pair: LandmarkPair, memory: ExpressionMemory, time: float, careful: bool) -> float:
    """How much wider the generated lips have to open, in inter-ocular distances."""
    if careful:
        return _careful_lip_change(pair)
    memory.lip_gap = LipGapChange.after(memory.lip_gap, lip_gap_change(pair.generated, pair.target), time)
    return memory.lip_gap.amount


def _careful_lip_change(pair: LandmarkPair) -> float:
    """How much wider the lips of a single picture have to open: they are moved, and detected again."""
    first, again = LIP_TUNING.repeated_gains
    change = lip_gap_change(pair.generated, pair.target, first)
    moved = change_lip_gap(pair.picture, pair.generated, change)
    landmarks = detect_landmarks(pair.detector, moved, pair.geometry)
    return change + lip_gap_change(landmarks, pair.target, again)
