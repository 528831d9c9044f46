"""Which surface each pixel of a frame shows: points are thrown into a depth buffer densely enough to leave no gap."""

from dataclasses import dataclass

import cv2
import numpy as np

from faceswap.synthetic.scene import Scene
from faceswap.synthetic.shapes import PIVOT
from faceswap.synthetic.traits import Array

DISTANCE = 75.0
"""From the camera to the head, cm."""

SCALE = 0.0325
"""Parts of the frame per cm at zoom 1."""

MIDDLE = -1.5
"""The height (cm) shown in the middle of the frame, where the pivot's depth is."""

_GAP = 0.9
"""Greatest distance of neighbouring samples in pixels."""

_PINHOLE = 0.5
"""A pixel this much (cm) behind all around it is a gap between samples."""

_NOTHING = np.float32(-1e6)


@dataclass(frozen=True)
class Camera:
    """Perspective from head space (cm) to a square frame of ``size`` pixels, whose corner is (0, 0).

    The optical axis runs through the pivot, so that roll turns the picture of the head about one point.
    """

    size: int
    zoom: float
    shift: tuple[float, float]

    @classmethod
    def of(cls, scene: Scene, size: int) -> "Camera":
        """Return the camera of a scene."""
        return cls(size, scene.zoom, scene.shift)

    def project(self, points: Array) -> Array:
        """Return x, y (..., 2) in pixels, y down."""
        focal = SCALE * self.size * DISTANCE * self.zoom
        scale = focal / (DISTANCE - points[..., 2])
        x = self.size * (0.5 + self.shift[0]) + points[..., 0] * scale
        pivot = focal / (DISTANCE - PIVOT[2]) * (MIDDLE - PIVOT[1])
        y = self.size * (0.5 + self.shift[1]) + pivot - (points[..., 1] - PIVOT[1]) * scale
        return np.stack([x, y], -1).astype(np.float32)


class Buffer:
    """Per pixel: the index of the surface in front (-1: none), its grid coordinates, its depth."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.depth = np.full(size * size, _NOTHING, np.float32)
        self.surface = np.full(size * size, -1, np.int16)
        self.column = np.zeros(size * size, np.float32)
        self.row = np.zeros(size * size, np.float32)

    def draw(self, surface: int, pixels: Array, depth: Array, alpha: Array) -> None:
        """Throw a surface's grid in: pixels (h, w, 2), depth (h, w), alpha (h, w; from 0.5 it is there)."""
        x, y = pixels[..., 0], pixels[..., 1]
        border = 0.05 * self.size
        near, far = -border, self.size + border
        seen = (alpha > 0.02) & (x > near) & (x < far) & (y > near) & (y < far)
        rows = np.flatnonzero(seen.any(1))
        columns = np.flatnonzero(seen.any(0))
        if not len(rows) or rows[-1] == rows[0] or columns[-1] == columns[0]:
            return
        top, left = int(rows[0]), int(columns[0])
        part = np.s_[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
        pixels, depth, alpha, seen = pixels[part], depth[part], alpha[part], seen[part]
        height, width = depth.shape
        across = _density(pixels[::2, 1::2] - pixels[::2, :-1:2], seen[::2, 1::2])
        down = _density(pixels[1::2, ::2] - pixels[:-1:2, ::2], seen[1::2, ::2])
        finer = (max(2, round(width * across)), max(2, round(height * down)))
        x, y, z, there = (
            cv2.resize(np.ascontiguousarray(values), finer, interpolation=cv2.INTER_LINEAR).ravel()
            for values in (pixels[..., 0], pixels[..., 1], depth, alpha)
        )
        inside = (there >= 0.5) & (x >= 0) & (x < self.size) & (y >= 0) & (y < self.size)
        kept = np.flatnonzero(inside)
        z = z[kept]
        index = y[kept].astype(np.intp) * self.size + x[kept].astype(np.intp)
        np.maximum.at(self.depth, index, z)
        front = np.flatnonzero(z >= self.depth[index])
        index = index[front]
        row, column = np.divmod(kept[front].astype(np.int32), np.int32(finer[0]))
        self.surface[index] = surface
        self.column[index] = (column + np.float32(0.5)) * np.float32(width / finer[0]) + np.float32(
            left - 0.5
        )
        self.row[index] = (row + np.float32(0.5)) * np.float32(height / finer[1]) + np.float32(top - 0.5)

    def close(self) -> None:
        """Fill single pixels that lie far behind their surroundings from the neighbour in front."""
        size = self.size
        image = self.depth.reshape(size, size)
        closed = cv2.morphologyEx(image, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        deep = closed > image + _PINHOLE
        deep[0] = deep[-1] = False
        deep[:, 0] = deep[:, -1] = False
        holes = np.flatnonzero(deep)
        around = holes[:, None] + np.array([-1, 1, -size, size])
        nearest = around[np.arange(len(holes)), self.depth[around].argmax(1)]
        self.surface[holes] = self.surface[nearest]
        self.column[holes] = self.column[nearest]
        self.row[holes] = self.row[nearest]
        self.depth[holes] = self.depth[nearest]


def _density(steps: Array, seen: Array) -> float:
    """Return how many samples are needed per grid step, for steps (h, w, 2) in pixels."""
    lengths = np.maximum(np.abs(steps[..., 0]), np.abs(steps[..., 1]))[seen]
    if not len(lengths):
        return 1.0
    return float(np.clip(np.percentile(lengths, 96) / _GAP, 0.4, 8))
