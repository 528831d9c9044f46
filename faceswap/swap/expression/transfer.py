"""The generated face takes the target's expression: lips, lids and irises move as the target's, and hair leaves it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import AS_ASKED, Crispness, sharpen
from faceswap.faces.eyes import Eyes
from faceswap.faces.finding.finder import LandmarkDetector
from faceswap.faces.geometry import apply
from faceswap.faces.pose import frontality
from faceswap.swap.expression.generated_landmarks import (
    LandmarkOffsets,
    LandmarkPair,
    detect_landmarks,
    track_generated_landmarks,
)
from faceswap.swap.expression.irises import GazeChange, move_irises
from faceswap.swap.expression.lids import TUNING as LID_TUNING
from faceswap.swap.expression.lids import UsualOpenness, close_lids, lid_closing, openness
from faceswap.swap.expression.lips import TUNING as LIP_TUNING
from faceswap.swap.expression.lips import LipGapChange, change_lip_gap, lip_gap_change
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.masks.generated_mask import SmoothedGeneratedMask
from faceswap.swap.options import SwapOptions

_READ_EVERY = 0.1
"""Seconds of video after which the generated eyes are read anew: where they look hardly changes. Not measured."""


@dataclass
class ExpressionMemory:
    """What is remembered of one face from frame to frame, so that its expression does not flicker."""

    offsets: LandmarkOffsets | None = None
    openness: UsualOpenness | None = None
    lip_gap: LipGapChange | None = None
    gaze: GazeChange | None = None
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
    """Give a generated face the target's gap of the lips, opening of the eyes and gaze, and take hair out of it.

    A single picture takes twelve detections of landmarks (20 ms), a video's frame four, seldom six.

    Args:
        generated: as the network made it.
        detector: of landmarks.
        options: ``outline``, ``mask``, ``lips``, ``lids``, ``gaze``, ``hairline`` and ``sharpen`` count here.
        crispness: of the network's pictures, as for :func:`faceswap.swap.compositing.composite.composite`.
        memory: of this face; changed. None: a single picture.
        time: of the frame in seconds.
        quick: treat a single picture like a video's frame.

    Returns:
        the same face with its lips, lids and irises moved, without hair; with its landmarks and its mask, where the
        mask of the swap follows them.
    """
    careful = memory is None and not quick
    memory = memory or ExpressionMemory()
    crop, picture = generated.crop, generated.picture
    # as it will be shown: soft lips are detected nearer together than they are, and would be torn open
    crisp = sharpen(picture, options.sharpen * crispness.unsharp)
    pair = LandmarkPair(detector, crisp, generated.target, crop.geometry, None if careful else memory.frames)
    memory.frames += 1
    landmarks = None
    if options.outline == "generated" and options.mask not in {"rect", "ellipse"}:
        landmarks, memory.offsets = track_generated_landmarks(
            pair, crop.landmarks_in_crop, memory.offsets, time
        )
        generated = replace(generated, landmarks=apply(crop.to_frame, landmarks))
    facing = frontality(crop.landmarks)
    if facing and options.lips:
        strength = facing * options.lips
        if careful:
            picture = change_lip_gap(picture, pair.generated, strength * _careful_lip_change(pair))
        else:
            memory.lip_gap = LipGapChange.after(
                memory.lip_gap, lip_gap_change(pair.generated, pair.target), time
            )
            picture = change_lip_gap(picture, pair.generated, strength * memory.lip_gap.amount)
    if facing and (options.gaze or options.lids):
        seen = Eyes.of(generated.target, pair.target)
        opened = openness(pair.target, seen.openness)
        read_at, own = _own_eyes(pair, opened, memory, time)
        looks = own.gaze[0] if read_at == time else None
        memory.own_eyes, memory.gaze = (
            (read_at, own),
            GazeChange.after(memory.gaze, seen.gaze[0], looks, time),
        )
        change = facing * options.gaze * memory.gaze.amount
        picture = move_irises(picture, pair.generated, memory.gaze.generated, change)
        shares, memory.openness = lid_closing(
            openness(pair.generated, own.openness), opened, memory.openness, time
        )
        picture = close_lids(picture, pair.generated, facing * options.lids * shares)
    if landmarks is not None:
        memory.mask = SmoothedGeneratedMask.after(memory.mask, picture, landmarks, crop.geometry, time)
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


def _careful_lip_change(pair: LandmarkPair) -> float:
    """How much wider the lips of a single picture have to open: they are moved, and detected again."""
    first, again = LIP_TUNING.repeated_gains
    change = lip_gap_change(pair.generated, pair.target, first)
    moved = change_lip_gap(pair.picture, pair.generated, change)
    landmarks = detect_landmarks(pair.detector, moved, pair.geometry)
    return change + lip_gap_change(landmarks, pair.target, again)
