"""What the network drew, fitted to the target: lips and lids move as the target's, hair leaves the face."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import AS_ASKED, Crispness, sharpen
from faceswap.faces.geometry import apply, invert
from faceswap.swap.compositing.reshaping import share_at
from faceswap.swap.expression.generated_landmarks import (
    Difference,
    Reader,
    Readings,
    drawn_landmarks,
    read_landmarks,
)
from faceswap.swap.expression.lids import Usual, closing, with_lids
from faceswap.swap.expression.lips import GAINS, Change, gap_change, with_gap
from faceswap.swap.face_crop import Placed
from faceswap.swap.masks.hair_mask import Fringe, without_hair
from faceswap.swap.options import SwapOptions


@dataclass
class Fitting:
    """What is remembered of one face from frame to frame, so that it is fitted calmly."""

    outline: Difference | None = None
    usual: Usual | None = None
    gap: Change | None = None
    fringe: Fringe | None = None
    frames: int = 0
    """So many were fitted."""


def fit(
    placed: Placed,
    output: NDArray[np.float32],
    reader: Reader,
    options: SwapOptions,
    crispness: Crispness = AS_ASKED,
    memory: Fitting | None = None,
    time: float = 0.0,
    quick: bool = False,
) -> tuple[Placed, NDArray[np.float32]]:
    """Fit a drawing to the target.

    A single picture takes twelve readings of landmarks (20 ms), a video's frame four, seldom six.

    Args:
        placed: where it goes, and what the network saw.
        output: (S, S, 3) float32 RGB, 0..1, of the network.
        reader: finds landmarks.
        options: ``outline``, ``mask``, ``lips``, ``lids``, ``hairline`` and ``sharpen`` count here.
        crispness: of the network's pictures, as for :func:`faceswap.swap.compositing.composite.lay`.
        memory: of this face; changed. None: a single picture.
        time: of the frame in seconds.
        quick: treat a single picture like a video's frame.

    Returns:
        the place with the drawn face's landmarks and fringe, where the mask goes by them, and the drawing with lips
        and lids moved, without hair in the face.
    """
    careful = memory is None and not quick
    memory = memory or Fitting()
    # read as it will look: soft lips are read nearer together than they are, and would be torn open
    crisp = sharpen(output, options.sharpen * crispness.unsharp)
    readings = Readings(reader, crisp, placed.crop, placed.geometry, None if careful else memory.frames)
    memory.frames += 1
    drawn = None
    if options.outline == "drawn" and options.mask not in {"rect", "ellipse"}:
        target = apply(placed.matrix, placed.landmarks)
        drawn, memory.outline = drawn_landmarks(readings, target, memory.outline, time)
        placed = replace(placed, drawn=apply(invert(placed.matrix), drawn))
    facing = share_at(placed.landmarks)
    if facing and options.lips:
        strength = facing * options.lips
        if careful:
            output = with_gap(output, readings.drawn, strength * _lip_change(readings))
        else:
            memory.gap = Change.after(memory.gap, gap_change(readings.drawn, readings.seen), time)
            output = with_gap(output, readings.drawn, strength * memory.gap.amount)
    if facing and options.lids:
        shares, memory.usual = closing(readings.drawn, readings.seen, memory.usual, time)
        output = with_lids(output, readings.drawn, facing * options.lids * shares)
    if drawn is not None:
        memory.fringe = Fringe.after(memory.fringe, output, drawn, placed.geometry, time)
        placed = replace(placed, fringe=memory.fringe.face)
        if options.hairline:
            output = without_hair(output, memory.fringe.face, placed.geometry, options.hairline)
    return placed, output


def _lip_change(readings: Readings) -> float:
    """How much wider the lips of a single picture have to open: they are moved, and read again."""
    first, again = GAINS
    change = gap_change(readings.drawn, readings.seen, first)
    moved = with_gap(readings.picture, readings.drawn, change)
    read = read_landmarks(readings.reader, moved, readings.geometry)
    return change + gap_change(read, readings.seen, again)
