"""Soft masks: where in the frame a swap replaces the target, 0 (the target) to 1 (the swap).

Masks are convex shapes. The soft edge rises from 0 on the border inwards, so a mask never leaks out of its shape.
All masks also end, softly, where the network's crop ends.

The default one, ``extended_hull``, is two shapes. The face reaches from the jaw to a little above the brows, the
target's and the generated ones: whoever raises them, no brow is left beside another. The forehead above it is an arch
with an edge of its own, so wide that no line is seen on the skin.
"""

from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.faces.geometry import Geometry, Matrix, Points
from faceswap.faces.landmarks import BROWS, EYES, OUTER_LIPS
from faceswap.faces.regions import Depth, Region, convex, depth_in
from faceswap.faces.smoothing import smoothstep
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.options import Feature, Mask, SwapOptions

_PARTS: dict[Feature, tuple[slice, ...]] = {"eyes": EYES, "mouth": (OUTER_LIPS,)}


@dataclass(frozen=True)
class MaskTuning:
    """Constants of the masks, in face heights unless said otherwise; not measured."""

    crop_feather: float = 0.06
    """Widest soft edge at the crop's border: crops of before end soon above the brows, and those count."""
    brow_margin: float = 0.02
    """How far around the landmarks of all brows the mask is whole."""
    forehead_edge: float = 0.5
    """Width of the forehead's soft edge, as a share of its height."""
    temples: float = 0.45
    """What the forehead's arch is lower by above the brows' outer ends, as a share of its height."""
    beyond: float = 0.05
    """How far a hull may reach beyond the target's face where the generated one is larger."""
    eyes_margin: float = 0.05
    """How far around protected eyes the target's pixels are kept untouched."""
    mouth_margin: float = 0.03
    """The same around a protected mouth."""
    protect_feather: float = 0.06
    """Width of the soft edge beyond those margins."""
    samples: int = 128
    """Samples per face height with which a mask is computed before it is enlarged: it is smooth by design."""
    depth_samples: int = 48
    """The same for how deep they lie in an outline, from which it is computed. That is a concave function: between the
    samples it comes out no deeper than it is, so that no mask leaks."""
    ellipse: tuple[float, float] = (0.58, 0.70)
    """Half axes of the ellipse, across and along the face: the mean face's proportions."""


TUNING = MaskTuning()


def face_mask(
    region: Region,
    crop: FaceCrop,
    options: SwapOptions,
    target: Points | None = None,
    generated: Points | None = None,
) -> NDArray[np.float32]:
    """The mask of one face over a region of the frame.

    Args:
        region: the part of the frame that is wanted, not empty.
        crop: of the face.
        options: ``mask``, ``forehead``, ``erosion``, ``feather`` and ``protect`` count here.
        target: (68, 2) landmarks of the target in the frame, where they are not the crop's own.
        generated: (68, 2) landmarks in the frame of the generated face: the hulls end there too, and may reach a
            little beyond the target's; None: they end at the target's.

    Returns:
        (region.height, region.width) float32, 0..1; 0 outside of the crop (to a sample, see ``MaskTuning``).

    Raises:
        SettingsError: there is no mask of that name.
    """
    target = crop.landmarks if target is None else target
    shape, unit = (region.height, region.width), crop.height
    rows, columns = _samples(region, unit, TUNING.samples)
    inside_crop = depth_in(crop.corners, *_grid(region, rows, columns))
    if options.mask == "rect":
        inside = inside_crop
    else:
        faces = [target] if generated is None else [target, generated]
        inside = _common_depth(
            _outlines(options, faces, crop, _brow_ring(options, faces, crop)), crop, region, inside_crop.shape
        )
    eroded = np.float32(options.erosion * unit)
    edge = options.feather if options.mask == "rect" else min(options.feather, TUNING.crop_feather)
    mask = _rise(inside - eroded, options.feather * unit)
    if options.mask == "extended_hull" and options.forehead:
        arch = _common_depth(
            _outlines(options, faces, crop, _arch(options, faces, crop)), crop, region, inside_crop.shape
        )
        width = max(options.feather, TUNING.forehead_edge * options.forehead) * unit
        mask = np.maximum(mask, _rise(arch - eroded, width))
    mask = np.minimum(mask, _rise(inside_crop, edge * unit))
    if options.mask == "hull_rect":
        mask *= _rise(inside_crop - eroded, options.feather * unit)
    if (rows, columns) != shape:
        mask = cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_LINEAR)
    for feature in options.protect:
        mask *= 1 - feature_mask(feature, region, target, unit)
    return mask


def _outlines(options: SwapOptions, faces: list[Points], crop: FaceCrop, more: Points) -> list[Points]:
    """The convex outline (m, 2) of each face with ``more`` points; none for an ellipse, which no landmark moves."""
    match options.mask:
        case "hull" | "hull_rect":
            return [convex(face) for face in faces]
        case "extended_hull":
            return [convex(np.concatenate([face, more])) for face in faces]
        case "ellipse":
            return []
        case unknown:
            # Options made without validation could get here; an empty mask would silently swap nothing.
            raise SettingsError(
                f"There is no mask {unknown!r}", f"choose one of: {', '.join(get_args(Mask))}"
            )


def _samples(region: Region, unit: float, per_height: int) -> tuple[int, int]:
    """Rows and columns of a grid over a region with so many samples per face height, at most one a pixel."""
    step = max(1, unit / per_height)
    return max(2, round(region.height / step)), max(2, round(region.width / step))


def _grid(region: Region, rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y in the frame of the pixel centres of such a grid, as cv2.resize has them."""
    xs = (np.arange(columns) + 0.5) * region.width / columns - 0.5 + region.left
    ys = (np.arange(rows) + 0.5) * region.height / rows - 0.5 + region.top
    return xs, ys


def _common_depth(outlines: list[Points], crop: FaceCrop, region: Region, shape: tuple[int, ...]) -> Depth:
    """(rows, columns): how deep points of a grid of that shape over a region lie in the generated face's outline.

    It reaches little beyond the target's.
    """
    xs, ys = _grid(region, *_samples(region, crop.height, TUNING.depth_samples))
    if not outlines:
        depth = _depth_in_ellipse(crop.geometry, crop.matrix, crop.height, xs, ys)
    else:
        depth, *generated = (depth_in(outline, xs, ys) for outline in outlines)
        for other in generated:
            depth = np.minimum(other, depth + np.float32(TUNING.beyond * crop.height))
    return np.asarray(cv2.resize(depth, shape[::-1], interpolation=cv2.INTER_LINEAR))


def _brow_ring(options: SwapOptions, faces: list[Points], crop: FaceCrop) -> Points:
    """Points around all brows, so far from them that a mask which begins there is whole at the brows."""
    radius = (TUNING.brow_margin + options.feather) * crop.height
    angles = np.arange(8) * np.pi / 4
    # on the circle, the octagon's sides would be nearer than that
    ring = radius / np.cos(np.pi / 8) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.concatenate([(face[BROWS][:, None] + ring).reshape(-1, 2) for face in faces])


def _arch(options: SwapOptions, faces: list[Points], crop: FaceCrop) -> Points:
    """The forehead's outline above all brows, highest in the middle; up is the crop's up."""
    up = crop.to_frame[:, :2] @ (0.0, -1.0)
    up = up / np.hypot(*up)
    across = np.linspace(-1, 1, len(faces[0][BROWS]))
    lift = options.forehead * crop.height * (1 - TUNING.temples * across**2)
    return np.concatenate([face[BROWS] + lift[:, None] * up for face in faces])


def feature_mask(feature: Feature, region: Region, landmarks: Points, unit: float) -> NDArray[np.float32]:
    """(region.height, region.width) float32: 1 on a protected feature and a margin around it, softly to 0.

    At full resolution: inside the margin the mask is exactly 1, so that no protected pixel changes.
    """
    result = np.zeros((region.height, region.width), np.float32)
    xs = np.arange(region.left, region.right, dtype=np.float64)
    ys = np.arange(region.top, region.bottom, dtype=np.float64)
    margin = (TUNING.eyes_margin if feature == "eyes" else TUNING.mouth_margin) * unit
    soft = max(1.0, TUNING.protect_feather * unit)
    for part in _PARTS[feature]:
        depth = depth_in(convex(landmarks[part]), xs, ys) + np.float32(margin + soft)
        np.maximum(result, _rise(depth, soft), out=result)
    return result


def _depth_in_ellipse(
    geometry: Geometry, matrix: Matrix, unit: float, xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> Depth:
    """Depth in an oval of the mean face's proportions, to first order exact near its border."""
    a, b = np.array(TUNING.ellipse) * geometry.unit
    right, down = geometry.middle
    u = matrix[0, 0] * xs[None] + (matrix[0, 1] * ys[:, None] + matrix[0, 2] - right)
    v = matrix[1, 0] * xs[None] + (matrix[1, 1] * ys[:, None] + matrix[1, 2] - down)
    value = np.hypot(u / a, v / b)
    slope = np.hypot(u / a**2, v / b**2) / np.maximum(value, 1e-9)
    depth = (1 - value) / np.maximum(slope, 1 / max(a, b))
    return (depth * unit / geometry.unit).astype(np.float32)


def _rise(depth: Depth, width: float) -> NDArray[np.float32]:
    """0 on the border to 1 at ``width`` inside, without a kink; at least one pixel wide (anti-aliasing)."""
    return np.asarray(smoothstep(depth / np.float32(max(width, 1.0))), np.float32)
