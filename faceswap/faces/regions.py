"""Parts of a frame, convex outlines of faces, and how deep a pixel lies inside of them.

How deep a pixel lies inside a convex shape is the least of its distances to the shape's edges, in closed form, to a
fraction of a pixel.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Matrix, Points, apply, invert, scale_of
from faceswap.faces.landmarks import BROWS

Depth = NDArray[np.float32]

_AT_ONCE = 1 << 18
"""Distances to edges that are computed at a time: they fit into a core's cache."""


@dataclass(frozen=True)
class Region:
    """An upright rectangle of a frame: left and top included, right and bottom excluded, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from left to right; 0 or less for a region outside of the frame."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom; 0 or less for a region outside of the frame."""
        return self.bottom - self.top

    @property
    def empty(self) -> bool:
        """True where no pixel lies inside."""
        return self.width <= 0 or self.height <= 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """To index a frame with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def crop_corners(geometry: Geometry, matrix: Matrix) -> Points:
    """(4, 2): the outer corners of the crop's pixels that a network generates, in the frame, in order around them."""
    low, high = -0.5, geometry.size - 0.5
    left, right = low + geometry.beside, high - geometry.beside
    return apply(invert(matrix), np.array([(left, low), (right, low), (right, high), (left, high)]))


def region_of(geometry: Geometry, matrix: Matrix, width: int, height: int) -> Region:
    """The part of a frame of that size that the crop's generated part covers; it may be empty."""
    corners = crop_corners(geometry, matrix)
    (x0, y0), (x1, y1) = np.floor(corners.min(0)), np.ceil(corners.max(0)) + 1
    left, right = np.clip((x0, x1), 0, width).astype(int)
    top, bottom = np.clip((y0, y1), 0, height).astype(int)
    return Region(int(left), int(top), int(right), int(bottom))


def face_height(geometry: Geometry, matrix: Matrix) -> float:
    """The height of the face, brows to lower lip, in the frame's pixels."""
    return geometry.unit / scale_of(matrix)


def hull_of(landmarks: Points, matrix: Matrix, lift: float) -> Points:
    """(m, 2): the convex outline of the 68 landmarks and of the brows lifted by ``lift`` pixels.

    Up is the crop's up, so a tilted head has its forehead where it belongs.
    """
    up = invert(matrix)[:, :2] @ (0.0, -1.0)
    lifted = landmarks[BROWS] + up / math.hypot(*up) * lift
    return convex(np.concatenate([landmarks, lifted]))


def convex(points: Points) -> Points:
    """(m, 2): the convex hull of points (n, 2)."""
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)


def depth_in(polygon: Points, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Depth:
    """(len(ys), len(xs)) float32: how deep each grid point lies in a convex polygon; negative outside.

    Inside it is the distance to the border; outside, that to the farthest edge line that is crossed. Nothing lies in
    a polygon that is a single point.
    """
    following = np.concatenate([polygon[1:], polygon[:1]])
    ahead = following - polygon
    area = (polygon[:, 0] * following[:, 1] - polygon[:, 1] * following[:, 0]).sum()
    length = np.hypot(*ahead.T)
    edges = length > 1e-9
    if not edges.any():
        return np.full((len(ys), len(xs)), -np.inf, np.float32)
    (x, y), (dx, dy) = polygon[edges].T[..., None], ahead[edges].T[..., None]
    turn = np.copysign(length[edges], area)[:, None]
    across, down = (-dy / turn * (xs - x)).astype(np.float32), (dx / turn * (ys - y)).astype(np.float32).T
    depth = np.empty((len(ys), len(xs)), np.float32)
    rows = max(1, _AT_ONCE // max(1, across.size))
    for start in range(0, len(ys), rows):
        part = slice(start, start + rows)
        np.min(down[part, :, None] + across, axis=1, out=depth[part])
    return depth


def fill_outline(picture: NDArray[np.uint8], points: Points, scale: float) -> None:
    """Fill the convex hull of points with ones.

    Args:
        picture: (H, W), changed.
        points: (n, 2) in px of a crop.
        scale: pixels of the picture per px of the crop.
    """
    outline = (convex(points) + 0.5) * scale - 0.5
    cv2.fillConvexPoly(picture, np.rint(outline * 16).astype(np.int32), 1, shift=4)


def curve(x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth curve through points, level beyond them: it never leaves the range of two neighbours.

    A piecewise cubic Hermite interpolation (PCHIP; Fritsch & Butland, "A method for constructing local monotone
    piecewise cubic interpolants", 1984), as SciPy's, in a third of its time: a frame of a video needs some fifteen.

    Args:
        x, y: (n,) of the points, in any order, three at least.
        at: places of x, of any shape.

    Returns:
        the values there, of the same shape.
    """
    order = np.argsort(x)
    places = x[order] + 1e-3 * np.arange(len(x)) * max(float(np.ptp(x)), 1e-6)  # no two in one place
    values, steps = y[order], np.diff(places)
    rises = np.diff(values) / steps
    slopes = np.array(_slopes(steps.tolist(), rises.tolist()))
    square = (3 * rises - 2 * slopes[:-1] - slopes[1:]) / steps
    cube = (slopes[:-1] + slopes[1:] - 2 * rises) / steps**2
    within = np.clip(at, places[0], places[-1])
    piece = np.clip(np.searchsorted(places, within, side="right") - 1, 0, len(steps) - 1)
    t = within - places[piece]
    return np.asarray(values[piece] + t * (slopes[piece] + t * (square[piece] + t * cube[piece])))


def _slopes(steps: list[float], rises: list[float]) -> list[float]:
    """A curve's slope at each point, by the distances between neighbours and the slopes of the lines there."""
    inner = [
        3 * (h0 + h1) / ((2 * h1 + h0) / r0 + (h1 + 2 * h0) / r1) if r0 * r1 > 0 else 0.0
        for h0, h1, r0, r1 in zip(steps, steps[1:], rises, rises[1:], strict=False)
    ]
    return [_end_slope(steps, rises), *inner, _end_slope(steps[::-1], rises[::-1])]


def _end_slope(steps: list[float], rises: list[float]) -> float:
    """The slope at the first point, of a parabola through three, limited so that the curve turns nowhere between."""
    slope = ((2 * steps[0] + steps[1]) * rises[0] - steps[0] * rises[1]) / (steps[0] + steps[1])
    if slope * rises[0] <= 0:
        return 0.0
    turns = rises[0] * rises[1] < 0 and abs(slope) > 3 * abs(rises[0])
    return 3 * rises[0] if turns else slope
