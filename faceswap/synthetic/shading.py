"""How light falls on surfaces: a lamp with soft shadows, light from everywhere, highlights."""

from collections.abc import Sequence

import cv2
import numpy as np

from faceswap.synthetic.canvas import soften
from faceswap.synthetic.scene import Light
from faceswap.synthetic.shapes import Shape
from faceswap.synthetic.traits import Array

_MAP_SIZE = 220
_MAP_SCALE = 220 / 46
"""Pixels of the shadow map per cm; the map shows 46 cm."""
_FINE = 130
"""Grids of at least this many rows count as fine."""
_TAPS = ((0.0, 0.0), (-1.6, 0.0), (1.6, 0.0), (0.0, -1.6), (0.0, 1.6))


def toward(light: Light) -> Array:
    """Return the unit vector to the lamp."""
    direction = np.array(light.direction, np.float32)
    return direction / np.linalg.norm(direction)


def lamp_visibility(shapes: Sequence[Shape], light: Light) -> list[Array]:
    """Return for each shape how much of the lamp its points (h, w) see, 0 .. 1."""
    lamp = toward(light)
    upright = np.array([0, 1, 0] if abs(lamp[1]) < 0.9 else [1, 0, 0], np.float32)
    across = np.cross(upright, lamp)
    across /= np.linalg.norm(across)
    basis = np.stack([across * _MAP_SCALE, np.cross(lamp, across) * _MAP_SCALE, lamp]).astype(np.float32)
    offset = np.array([23 * _MAP_SCALE, 27 * _MAP_SCALE, 0], np.float32)
    # Shadows are soft: every other point of a fine grid tells enough.
    strides = [2 if len(shape.points) >= _FINE else 1 for shape in shapes]
    seen_from_lamp = [
        shape.points[::stride, ::stride] @ basis.T + offset
        for shape, stride in zip(shapes, strides, strict=True)
    ]
    nearest = np.full(_MAP_SIZE * _MAP_SIZE, -1e6, np.float32)
    for shape, place, stride in zip(shapes, seen_from_lamp, strides, strict=True):
        there = shape.alpha[::stride, ::stride] > 0.5
        x, y, z = place[there].T
        column = x.clip(0, _MAP_SIZE - 1).astype(np.intp)
        row = y.clip(0, _MAP_SIZE - 1).astype(np.intp)
        np.maximum.at(nearest, row * _MAP_SIZE + column, z)
    depth = cv2.morphologyEx(
        nearest.reshape(_MAP_SIZE, _MAP_SIZE), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)
    )
    return [
        _enlarged(_soft_visibility(depth, place, 2.5 / stride), shape)
        for shape, place, stride in zip(shapes, seen_from_lamp, strides, strict=True)
    ]


def _enlarged(image: Array, shape: Shape) -> Array:
    height, width = shape.alpha.shape
    if image.shape == (height, width):
        return image
    larger: Array = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return larger


def _soft_visibility(depth: Array, place: Array, blur: float) -> Array:
    x = np.ascontiguousarray(place[..., 0])
    y = np.ascontiguousarray(place[..., 1])
    lit = np.zeros(x.shape, np.float32)
    for right, down in _TAPS:
        # The margin keeps a curved surface from shading itself.
        margin = 0.75 + 0.3 * (abs(right) + abs(down))
        found = cv2.remap(depth, x + right, y + down, cv2.INTER_NEAREST, borderValue=-1e6)
        lit += found < place[..., 2] + np.float32(margin)
    return soften(lit / len(_TAPS), blur)


def shade(shape: Shape, visibility: Array, light: Light) -> tuple[Array, Array]:
    """Return what multiplies the albedo and what is added to it, both (h, w, 3) in linear light."""
    lamp = toward(light)
    color = np.array(light.color, np.float32) * np.float32(light.power)
    normals, material = shape.normals, shape.material
    facing = normals @ lamp
    ambient = shape.occlusion * np.float32(light.ambient) * (0.78 + 0.22 * normals[..., 1])
    tint = 0.6 + 0.4 * color / max(float(color.max()), 1e-3)
    diffuse = np.empty_like(normals)
    for channel, bleed in enumerate(material.bleed):
        direct = np.clip((facing + np.float32(bleed)) * np.float32(1 / (1 + bleed)), 0, 1)
        # A shadow's edge glows a little: some light travels through the skin.
        leak = np.float32(0.4 * bleed)
        direct *= (leak + (1 - leak) * visibility) * shape.occlusion
        diffuse[..., channel] = direct * np.float32(1.05 * color[channel]) + ambient * np.float32(
            tint[channel]
        )

    half = lamp + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half) + 1e-6
    spot = np.clip(normals @ half, 0, 1)
    for _ in range(material.doublings):
        spot *= spot
    rim = np.clip(1 - normals[..., 2], 0, 1)
    rim = rim * rim * rim * np.clip(facing, 0, 1)
    shine = np.clip(material.shine + 0.5 * shape.gloss, 0, 1)
    highlight = shine * visibility * (0.3 * spot + 0.1 * rim)
    if material.mirrors_own_color:
        return diffuse, (3.0 * highlight)[..., None] * shape.albedo * color
    return diffuse, highlight[..., None] * color
