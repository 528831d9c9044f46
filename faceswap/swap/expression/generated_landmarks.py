"""Where the face that the network drew ends: its landmarks, read from the drawing.

The reference's jaw is not the target's. Where a mask goes by the target's alone, it must stay well inside of it, or it
lets in what surrounds the reference's face in the drawing: a collar, hair at the temples.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.detection import Box
from faceswap.faces.geometry import Geometry, Points

_BOX = np.array([(0.04, -0.02), (0.94, 0.88)])
"""Where dlib's detector sees a face in a crop of coverage 1.5, in sides of the crop: its landmarks start from there."""
_COVERAGE = 1.5
_LOOKS = ((0.03, 0.03, 0.02), (-0.03, -0.03, 0.02), (0.03, -0.03, -0.02), (-0.03, 0.03, -0.02))
"""Shift to the right, down, and growth of that box in each look, in its sides (half of a cube's corners, a fractional
factorial design): dlib's landmarks hang on the box. The mean of four is as good as that of eight."""
_AT_ONCE = 2
"""Looks at a frame of a video; the next frame gets the others."""
READ_AT = 288
"""Side to which a smaller drawing is enlarged: dlib gives landmarks in whole pixels."""
_LOOK_EVERY = 0.1
"""Seconds of video: how far one face reaches beyond another changes slowly."""
_MEMORY = 0.4
"""Seconds over which that is smoothed."""


class Reader(Protocol):
    """What finds landmarks."""

    def landmarks(self, frame: NDArray[np.uint8], box: Box) -> Points:
        """(68, 2) landmarks of the face in a box."""


@dataclass
class Difference:
    """How far a drawn face's landmarks lay from the target's, on a video: (68, 2) in sides of the crop."""

    time: float
    offsets: Points


def read_landmarks(
    reader: Reader, drawn: NDArray[np.float32], geometry: Geometry, frame: int | None = None
) -> Points:
    """The landmarks of a drawn face (4 ms on a video, else 7).

    Args:
        reader: finds them.
        drawn: (S, S, 3) float32 RGB, 0..1, as the network gave it.
        geometry: of that crop.
        frame: number of a video's frame, which gets half of the looks, the next one the others; None: a picture,
            which gets all.

    Returns:
        (68, 2) in the crop's pixels.
    """
    scale = max(1.0, READ_AT / geometry.size)
    picture = np.rint(np.clip(drawn, 0, 1) * 255).astype(np.uint8)
    if scale > 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    # the crop's centre is the same at any coverage
    box = ((_BOX - 0.5) * _COVERAGE / geometry.coverage + 0.5) * len(picture) - 0.5
    first = 0 if frame is None else frame * _AT_ONCE % len(_LOOKS)
    looks = _LOOKS if frame is None else _LOOKS[first : first + _AT_ONCE]
    found = np.mean([reader.landmarks(picture, _moved(box, *look)) for look in looks], axis=0)
    return np.asarray((found + 0.5) * geometry.size / len(picture) - 0.5)


def _moved(box: Points, right: float, down: float, growth: float) -> Box:
    """A box of two corners (2, 2), shifted and grown by shares of its sides."""
    way = np.array([(right - growth, down - growth), (right + growth, down + growth)])
    x0, y0, x1, y1 = (box + way * (box[1] - box[0])).ravel().tolist()
    return (x0, y0, x1, y1)


@dataclass(frozen=True)
class Readings:
    """The landmarks of a drawing and of what the network saw, each read when it is first asked for.

    Both are read in the same way, so that what the reader does to every face cancels in their difference.

    Attributes:
        reader, picture, geometry: as for :func:`read_landmarks`.
        crop: (S, S, 3) uint8 RGB, what the network saw.
        frame: as for :func:`read_landmarks`.
    """

    reader: Reader
    picture: NDArray[np.float32]
    crop: NDArray[np.uint8]
    geometry: Geometry
    frame: int | None = None

    @cached_property
    def drawn(self) -> Points:
        """(68, 2) of the drawn face, in the crop's pixels."""
        return read_landmarks(self.reader, self.picture, self.geometry, self.frame)

    @cached_property
    def seen(self) -> Points:
        """(68, 2) of the target, likewise."""
        crop = self.crop.astype(np.float32) / np.float32(255)
        return read_landmarks(self.reader, crop, self.geometry, self.frame)


def drawn_landmarks(
    readings: Readings, target: Points, before: Difference | None, time: float
) -> tuple[Points, Difference]:
    """The landmarks of a drawn face, calm on video: seldom read, and smoothed as offsets from the target's.

    A network that returns its input has the target's landmarks.

    Args:
        readings: of the drawing.
        target: (68, 2) the target's landmarks in the crop's pixels.
        before: what the frame before left; None: a single picture, or the first.
        time: of the frame, seconds.

    Returns:
        (68, 2) in the crop's pixels, and what the next frame needs.
    """
    size = readings.geometry.size
    age = math.inf if before is None else time - before.time
    if before is not None and 0 <= age < _LOOK_EVERY:
        return target + before.offsets * size, before
    offsets = (readings.drawn - readings.seen) / size
    if before is not None and age >= 0:
        share = 1 - math.exp(-age / _MEMORY)
        offsets = before.offsets + share * (offsets - before.offsets)
    return target + offsets * size, Difference(time, offsets)
