"""How a video's stored frames are turned and mirrored before they are shown: the eight display matrices."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, pi
from typing import Any

import numpy as np
from av import VideoFrame
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

_ONE = 1 << 16
"""1 as a fixed-point number of 16 bits (ISO 14496-12, tkhd); the matrix' last number has 30."""


@dataclass(frozen=True)
class Orientation:
    """What a player does with a stored frame: mirror it left to right if so, then turn it.

    Attributes:
        rotation: degrees counter-clockwise: 0, 90, 180 or 270.
        mirrored: whether left and right are exchanged before.
    """

    rotation: int = 0
    mirrored: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Orientation:
        """That of a decoded frame; one that lies between the eight is taken as the next of them."""
        try:
            side_data: Any = frame.side_data  # PyAV's types name one of its kinds only
        except ValueError:  # a kind that PyAV does not know: then it shows none of them
            return cls()
        if Type.DISPLAYMATRIX not in side_data:
            return cls()
        data = side_data[Type.DISPLAYMATRIX]
        # x' = a x + c y, y' = b x + d y, with y downwards
        a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].astype(float).tolist()
        mirrored = a * d - b * c < 0
        across, down = (-a, -b) if mirrored else (a, b)
        return cls(round(atan2(-down, across) / (pi / 2)) % 4 * 90, mirrored)

    @property
    def matrix(self) -> list[int]:
        """As nine numbers in FFmpeg's order."""
        across, down = {0: (1, 0), 90: (0, -1), 180: (-1, 0), 270: (0, 1)}[self.rotation]
        sign = -1 if self.mirrored else 1
        turned = [sign * across, sign * down, 0, -down, across, 0]
        return [value * _ONE for value in turned] + [0, 0, 1 << 30]

    @property
    def lying(self) -> bool:
        """Whether width and height are exchanged."""
        return self.rotation in {90, 270}

    @property
    def upright(self) -> bool:
        """Whether frames are shown as they are stored."""
        return not self.rotation and not self.mirrored

    def shown(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, a stored frame as it is shown."""
        image = stored[:, ::-1] if self.mirrored else stored
        return np.ascontiguousarray(np.rot90(image, self.rotation // 90))

    def stored(self, shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, the inverse of :meth:`shown`."""
        image = np.rot90(shown, -(self.rotation // 90))
        return np.ascontiguousarray(image[:, ::-1] if self.mirrored else image)
