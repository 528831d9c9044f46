"""Coordinates of an eye or a mouth, along the line of its corners and down from it: by them, two correspond."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points

Floats = NDArray[np.float64]

_SHORTEST = 1e-6
"""Half of the distance of two corners, px: a limit to what is divided by."""


@dataclass(frozen=True, eq=False)
class Axis:
    """Lengths along it are halves of the distance of its ends: the ends lie at -1 and 1.

    Attributes:
        middle: (2,) px.
        half: half of the distance of the ends, px.
        along: (2,) unit vector from the first end to the second.
    """

    middle: Points
    half: float
    along: Points

    @classmethod
    def between(cls, start: Points, end: Points) -> "Axis":
        """From one corner (2,) to the other."""
        half = max(float(np.linalg.norm(end - start)) / 2, _SHORTEST)
        return cls((start + end) / 2, half, (end - start) / (2 * half))

    @property
    def _turn(self) -> Floats:
        """(2, 2): along, and at a right angle to it, downwards in an upright face."""
        return np.array([self.along, (-self.along[1], self.along[0])])

    def of(self, points: Points) -> Points:
        """Points (..., 2) in px as coordinates along the axis and down from it."""
        return np.asarray((points - self.middle) @ self._turn.T / self.half)

    def px(self, coordinates: Points) -> Points:
        """The inverse of :meth:`of`."""
        return np.asarray(coordinates @ self._turn * self.half + self.middle)


@dataclass(frozen=True, eq=False)
class Window:
    """A part of a picture around an axis: its pixels, and where each lies along the axis and down from it."""

    part: tuple[slice, slice]
    along: Floats
    down: Floats

    @classmethod
    def around(cls, axis: Axis, reach: float, shape: tuple[int, ...]) -> "Window":
        """Up to ``reach`` halves from the middle, in a picture (H, W, ...); empty where that lies beyond it."""
        size = np.array(shape[1::-1])
        low = np.clip(np.floor(axis.middle - reach * axis.half), 0, size).astype(int)
        high = np.clip(np.ceil(axis.middle + reach * axis.half) + 1, low, size).astype(int)
        xs, ys = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
        local = axis.of(np.stack([xs, ys], axis=-1).astype(np.float64))
        return cls((slice(low[1], high[1]), slice(low[0], high[0])), local[..., 0], local[..., 1])

    @property
    def empty(self) -> bool:
        """True where it lies beyond the picture."""
        return self.along.size == 0


def edge(axis: Axis, points: Points, along: Floats) -> Floats:
    """How far down a lid's or a lip's edge lies at places along an axis, in straight pieces, level beyond its ends.

    Args:
        axis: of the eye or mouth.
        points: (n, 2) of the edge, px.
        along: of any shape.

    Returns:
        the same shape.
    """
    local = axis.of(points)
    order = np.argsort(local[:, 0])
    return np.interp(along, local[order, 0], local[order, 1])


def sample(picture: NDArray[Any], points: Points) -> NDArray[np.float32]:
    """(h, w, 3) float32: a picture (H, W, 3) at points (h, w, 2) in px; its border repeats beyond it."""
    x, y = (np.ascontiguousarray(points[..., i], np.float32) for i in range(2))
    there = cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(there, np.float32)


def lay_in(
    over: NDArray[np.uint8], window: Window, there: NDArray[np.float32], share: Floats, soft: float
) -> None:
    """Blend into a window of a picture, in place.

    Args:
        over: (H, W, 3) uint8 RGB, changed.
        window: a part of it.
        there: (h, w, 3) float32 of the same part, 0..255.
        share: (h, w), 0..1.
        soft: standard deviation of a blur of the share, px.
    """
    weight = cv2.GaussianBlur(share.astype(np.float32), (0, 0), max(soft, 0.3))[..., None]
    part = over[window.part]
    over[window.part] = np.rint(np.clip(part + weight * (there - part), 0, 255)).astype(np.uint8)
