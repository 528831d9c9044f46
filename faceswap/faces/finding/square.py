"""Squares of a frame that may lie at an angle: what a network for faces looks at."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Image, Matrix, Points, apply, compose, invert

_COARSE = 1.6
"""Pixels of the frame for one of the picture up to which interpolation alone will do (MediaPipe does nothing else)."""


@dataclass(frozen=True)
class Square:
    """A square of a frame.

    Attributes:
        x, y: its centre, px of the frame.
        side: px of the frame.
        angle: by which it is turned clockwise, radians.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0

    def matrix(self, size: int, mirrored: bool = False) -> Matrix:
        """(2, 3) from the frame to a picture of ``size`` px, which may be mirrored."""
        scale = size / max(self.side, 1e-6)
        cos, sin = scale * math.cos(self.angle), scale * math.sin(self.angle)
        linear = np.array([[-cos, -sin] if mirrored else [cos, sin], [-sin, cos]])
        return np.hstack([linear, ((size - 1) / 2 - linear @ (self.x, self.y))[:, None]])

    def cut(self, image: Image, size: int, mirrored: bool = False) -> Image:
        """(size, size, 3) uint8 picture of it; black beyond the frame, as MediaPipe's networks were trained."""
        matrix = self.matrix(size, mirrored)
        corners = apply(invert(matrix), np.array([(0, 0), (size, 0), (0, size), (size, size)], np.float64))
        height, width = image.shape[:2]
        x0, y0 = np.clip(np.floor(corners.min(0)) - 2, 0, (width - 1, height - 1)).astype(int)
        x1, y1 = np.clip(np.ceil(corners.max(0)) + 3, (x0 + 1, y0 + 1), (width, height)).astype(int)
        part = image[y0:y1, x0:x1]
        matrix[:, 2] += matrix[:, :2] @ (float(x0), float(y0))
        if (
            factor := int(self.side / size / _COARSE)
        ) > 1:  # whole pixels are averaged first, so that nothing aliases
            height, width = part.shape[0] // factor, part.shape[1] // factor
            part = cv2.resize(
                part[: height * factor, : width * factor], (width, height), interpolation=cv2.INTER_AREA
            )
            matrix = compose(matrix, np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2]]))
        cut = cv2.warpAffine(part, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))
        return np.asarray(cut, np.uint8)


def direction(start: NDArray[np.float64], end: NDArray[np.float64]) -> float:
    """Angle of a line from a point (2,) to another against the picture's horizontal, clockwise, radians."""
    return math.atan2(end[1] - start[1], end[0] - start[0])


def around(points: Points, angle: float, margin: float) -> Square:
    """The square around points (n, 2) at an angle, its side ``margin`` times theirs."""
    cos, sin = math.cos(angle), math.sin(angle)
    axes = np.array([[cos, sin], [-sin, cos]])
    along = points @ axes.T
    low, high = along.min(0), along.max(0)
    x, y = ((low + high) / 2 @ axes).tolist()
    return Square(x, y, margin * float((high - low).max()), angle)
