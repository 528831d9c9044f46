"""Soft masks: where in the frame a swap replaces the target, 0 (the target) to 1 (the swap).

Every mask is a convex shape. How deep a pixel lies inside such a shape is the least of its distances to the
shape's edges, in closed form, to a fraction of a pixel. The soft edge rises from 0 on the border inwards, so a
mask never leaks out of its shape. All masks also end, softly, where the network's crop ends.
"""

import math
from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.faces.geometry import Geometry, Matrix, Points, apply, invert, scale_of
from faceswap.swap.options import Feature, Mask, SwapOptions

Depth = NDArray[np.float32]

_BROWS = slice(17, 27)
_CROP_FEATHER = 0.06
"""Widest soft edge at the crop's border, face heights: the crop ends soon above the brows, and those count."""
_BEYOND = 0.05
"""How far a hull may reach beyond the target's face where the drawn one is larger, face heights."""
_PARTS: dict[Feature, tuple[slice, ...]] = {
    "eyes": (slice(36, 42), slice(42, 48)),
    "mouth": (slice(48, 60),),
}
_MARGINS: dict[Feature, float] = {"eyes": 0.05, "mouth": 0.03}
"""How far around a protected feature the target's pixels are kept untouched, face heights."""
_PROTECT_FEATHER = 0.06
"""Width of the soft edge beyond that margin, face heights."""
_GRID = 128
"""A mask is computed with at most this many samples per face height and enlarged: it is smooth by design."""
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
    """(4, 2): the outer corners of the crop's pixels, in the frame, in order around the square."""
    low, high = -0.5, geometry.size - 0.5
    return apply(invert(matrix), np.array([(low, low), (high, low), (high, high), (low, high)]))


def region_of(geometry: Geometry, matrix: Matrix, width: int, height: int) -> Region:
    """The part of a frame of that size that the crop covers; it may be empty."""
    corners = crop_corners(geometry, matrix)
    (x0, y0), (x1, y1) = np.floor(corners.min(0)), np.ceil(corners.max(0)) + 1
    left, right = np.clip((x0, x1), 0, width).astype(int)
    top, bottom = np.clip((y0, y1), 0, height).astype(int)
    return Region(int(left), int(top), int(right), int(bottom))


def face_height(geometry: Geometry, matrix: Matrix) -> float:
    """The height of the face, brows to lower lip, in the frame's pixels."""
    return geometry.size / geometry.coverage / scale_of(matrix)


def hull_of(landmarks: Points, matrix: Matrix, lift: float) -> Points:
    """(m, 2): the convex outline of the 68 landmarks and of the brows lifted by ``lift`` pixels.

    Up is the crop's up, so a tilted head has its forehead where it belongs.
    """
    up = invert(matrix)[:, :2] @ (0.0, -1.0)
    lifted = landmarks[_BROWS] + up / math.hypot(*up) * lift
    return convex(np.concatenate([landmarks, lifted]))


def convex(points: Points) -> Points:
    """(m, 2): the convex hull of points (n, 2)."""
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)


def depth_in(polygon: Points, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Depth:
    """(len(ys), len(xs)) float32: how deep each grid point lies in a convex polygon; negative outside.

    Inside it is the distance to the border; outside, that to the farthest edge line that is crossed. Nothing lies in
    a polygon that is a single point.
    """
    ahead = np.roll(polygon, -1, axis=0) - polygon
    area = (polygon[:, 0] * np.roll(polygon[:, 1], -1) - polygon[:, 1] * np.roll(polygon[:, 0], -1)).sum()
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


def face_mask(
    region: Region,
    landmarks: Points,
    geometry: Geometry,
    matrix: Matrix,
    options: SwapOptions,
    drawn: Points | None = None,
) -> NDArray[np.float32]:
    """The mask of one face over a region of the frame.

    Args:
        region: the part of the frame that is wanted, not empty.
        landmarks: (68, 2) in the frame.
        geometry, matrix: the network's crop and the map from frame to crop.
        options: ``mask``, ``forehead``, ``erosion``, ``feather`` and ``protect`` count here.
        drawn: (68, 2) landmarks in the frame of the face that was drawn: the hulls end there too, and may reach a
            little beyond the target's; None: they end at the target's.

    Returns:
        (region.height, region.width) float32, 0..1; 0 outside of the crop (to a sample, see ``_GRID``).

    Raises:
        SettingsError: there is no mask of that name.
    """
    shape = region.height, region.width
    unit = face_height(geometry, matrix)
    rows, columns = (max(2, round(n / max(1, unit / _GRID))) for n in shape)
    # pixel centres of the coarser grid in the frame, as cv2.resize has them
    xs = (np.arange(columns) + 0.5) * shape[1] / columns - 0.5 + region.left
    ys = (np.arange(rows) + 0.5) * shape[0] / rows - 0.5 + region.top
    corners = crop_corners(geometry, matrix)
    inside_crop = depth_in(corners, xs, ys)
    if options.mask == "rect":
        inside = inside_crop
    else:
        inside = _depth(options, landmarks, geometry, matrix, xs, ys)
        if drawn is not None and options.mask != "ellipse":
            reach = inside + np.float32(_BEYOND * unit)
            inside = np.minimum(_depth(options, drawn, geometry, matrix, xs, ys), reach)
    eroded = np.float32(options.erosion * unit)
    edge = options.feather if options.mask == "rect" else min(options.feather, _CROP_FEATHER)
    mask = np.minimum(_rise(inside - eroded, options.feather * unit), _rise(inside_crop, edge * unit))
    if options.mask == "hull_rect":
        mask *= _rise(inside_crop - eroded, options.feather * unit)
    if (rows, columns) != shape:
        mask = cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_LINEAR)
    for feature in options.protect:
        mask *= 1 - feature_mask(feature, region, landmarks, unit)
    return mask


def _depth(
    options: SwapOptions,
    landmarks: Points,
    geometry: Geometry,
    matrix: Matrix,
    xs: NDArray[np.float64],
    ys: NDArray[np.float64],
) -> Depth:
    """How deep each grid point lies in the shape that the options name."""
    unit = face_height(geometry, matrix)
    match options.mask:
        case "hull" | "hull_rect":
            return depth_in(hull_of(landmarks, matrix, 0.0), xs, ys)
        case "extended_hull":
            return depth_in(hull_of(landmarks, matrix, options.forehead * unit), xs, ys)
        case "ellipse":
            return _depth_in_ellipse(geometry, matrix, unit, xs, ys)
        case unknown:
            # Options made without validation could get here; an empty mask would silently swap nothing.
            raise SettingsError(
                f"There is no mask {unknown!r}", f"choose one of: {', '.join(get_args(Mask))}"
            )


def feature_mask(feature: Feature, region: Region, landmarks: Points, unit: float) -> NDArray[np.float32]:
    """(region.height, region.width) float32: 1 on a protected feature and a margin around it, softly to 0.

    At full resolution: inside the margin the mask is exactly 1, so that no protected pixel changes.
    """
    result = np.zeros((region.height, region.width), np.float32)
    xs = np.arange(region.left, region.right, dtype=np.float64)
    ys = np.arange(region.top, region.bottom, dtype=np.float64)
    margin, soft = _MARGINS[feature] * unit, max(1.0, _PROTECT_FEATHER * unit)
    for part in _PARTS[feature]:
        depth = depth_in(convex(landmarks[part]), xs, ys) + np.float32(margin + soft)
        np.maximum(result, _rise(depth, soft), out=result)
    return result


def _depth_in_ellipse(
    geometry: Geometry, matrix: Matrix, unit: float, xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> Depth:
    """Depth in an oval of the mean face's proportions, to first order exact near its border."""
    a, b = np.array([0.58, 0.70]) * geometry.size / geometry.coverage
    centre = (geometry.size - 1) / 2
    u = matrix[0, 0] * xs[None] + (matrix[0, 1] * ys[:, None] + matrix[0, 2] - centre)
    v = matrix[1, 0] * xs[None] + (matrix[1, 1] * ys[:, None] + matrix[1, 2] - centre)
    value = np.hypot(u / a, v / b)
    slope = np.hypot(u / a**2, v / b**2) / np.maximum(value, 1e-9)
    depth = (1 - value) / np.maximum(slope, 1 / max(a, b))
    return (depth * unit * geometry.coverage / geometry.size).astype(np.float32)


def _rise(depth: Depth, width: float) -> NDArray[np.float32]:
    """0 on the border to 1 at ``width`` inside, without a kink; at least one pixel wide (anti-aliasing)."""
    t = np.clip(depth / np.float32(max(width, 1.0)), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def skin_in_crop(landmarks: Points, geometry: Geometry, matrix: Matrix) -> NDArray[np.bool_]:
    """(S, S): where the crop shows the skin of the face: inside of the landmarks, without eyes and mouth."""
    points = apply(matrix, landmarks)
    xs = np.arange(geometry.size, dtype=np.float64)
    skin = depth_in(convex(points), xs, xs) > 0
    margin = 0.03 * geometry.size / geometry.coverage
    for part in (*_PARTS["eyes"], *_PARTS["mouth"]):
        skin &= depth_in(convex(points[part]), xs, xs) < -margin
    return skin
