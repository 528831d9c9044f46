"""From a person and a scene to a picture with its truth."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.synthetic import body, curves
from faceswap.synthetic.canvas import Canvas, fractal, soften, step
from faceswap.synthetic.features import paint_expression
from faceswap.synthetic.hair import hair_shell, scalp_cover
from faceswap.synthetic.people import Person
from faceswap.synthetic.rasterizer import Buffer, Camera
from faceswap.synthetic.scene import Background, Expression, Light, Pose, Scene
from faceswap.synthetic.shading import lamp_visibility, shade, toward
from faceswap.synthetic.shapes import (
    SKIN,
    Head,
    Shape,
    front_share,
    rotation,
    rows_of_head,
    surface_normals,
    turn,
)
from faceswap.synthetic.skin import grain, paint_face_at_rest
from faceswap.synthetic.traits import Array, Traits, draw_traits, linear

SMALLEST, LARGEST = 64, 1024
"""The sizes of a picture, pixels."""

_HEAD = 0
"""Index of the head among the surfaces of a frame."""


@dataclass
class Rendering:
    """A picture and what is true of it."""

    image: NDArray[np.uint8]
    """(H, W, 3), RGB."""
    landmarks: NDArray[np.float32]
    """(68, 2), x and y in the order of iBUG; pixel centres are whole numbers."""
    mask: NDArray[np.float32]
    """(H, W), 0 .. 1: the visible skin of the face from the brows to the chin with eyes and mouth."""


@dataclass(frozen=True, eq=False)
class _Model:
    """All of a person that no scene changes."""

    traits: Traits
    head: Head
    canvas: Canvas
    hairs: Array
    angle: Array
    height: Array
    bare: Array
    """(h, w, 3) points of the head without relief."""
    scalp: Array
    face: Array
    """(h, w) 1 where the face is that a swap replaces."""
    fixed: tuple[Shape, ...]
    """Ears, neck, clothes, hair."""
    glasses: tuple[Shape, ...]


def _face_region(traits: Traits, head: Head, angle: Array, height: Array) -> Array:
    """Return 1 inside the face, from just above the brows to the chin and before the ears, 0 outside."""
    top = traits.brow_height + 0.6 * traits.brow_arch + 1.1
    x = np.sin(angle) * head.width(height)
    top_edge = step(top - 0.02 * x * x + 0.25, top - 0.02 * x * x - 0.25, height)
    chin_edge = step(traits.chin_height - 0.3, traits.chin_height + 0.3, height)
    sides = step(74, 66, np.abs(np.degrees(angle)))
    return np.asarray(top_edge * chin_edge * sides, np.float32)


@lru_cache(maxsize=24)
def _model(seed: int, fine: bool) -> _Model:
    traits = draw_traits(seed)
    density, rows = (36, 420) if fine else (20, 240)
    head = Head(traits)
    canvas = paint_face_at_rest(traits, seed, density)
    angle = np.linspace(-2.25, 2.25, rows, dtype=np.float32)[None]
    height = rows_of_head(head, rows).astype(np.float32)
    shapes = [
        body.ear(traits, head, -1),
        body.ear(traits, head, 1),
        body.neck(traits),
        body.clothes(traits, seed),
    ]
    hair = hair_shell(traits, head, seed, 440 if fine else 240)
    if hair is not None:
        shapes.append(hair)
    return _Model(
        traits=traits,
        head=head,
        canvas=canvas,
        hairs=grain(canvas, np.random.default_rng([seed, 5]), 0.02, 0.13),
        angle=angle,
        height=height,
        bare=head.points(angle, height),
        scalp=scalp_cover(traits, seed, angle, height),
        face=_face_region(traits, head, angle, height),
        fixed=tuple(shapes),
        glasses=tuple(body.glasses(traits, head, canvas)) if traits.glasses else (),
    )


def render(person: Person, scene: Scene, size: int = 256) -> Rendering:
    """Draw a person in a scene; ``size`` (64 .. 1024) is the picture's width and height in pixels.

    The same arguments give the same bytes. Drawing another person in the same scene gives the true swap.
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"size is {size}; it must lie in {SMALLEST} .. {LARGEST}")
    model = _model(person.seed, size > 320)
    light, pose = scene.light, scene.pose
    matrix = rotation(pose)
    canvas = paint_expression(
        model.canvas, model.hairs, model.traits, scene.expression, matrix.T @ toward(light)
    )
    frame = round(size * (2.0 if size < 200 else 1.5))
    camera = Camera.of(scene, frame)

    head = _head_shape(model, canvas, scene.expression)
    shapes = [_posed(shape, pose) for shape in (head, *model.fixed, *model.glasses)]
    lit = [
        shade(shape, seen, light) for shape, seen in zip(shapes, lamp_visibility(shapes, light), strict=True)
    ]
    buffer = Buffer(frame)
    solid = len(shapes) - len(model.glasses)
    for index, shape in enumerate(shapes[:solid]):
        _draw(buffer, camera, index, shape)
    buffer.close()
    mask = _face_mask(buffer, model)
    for index, shape in enumerate(shapes[solid:], solid):
        _draw(buffer, camera, index, shape)

    picture = _backdrop(scene.background, light, frame)
    for index, (shape, (diffuse, highlight)) in enumerate(zip(shapes, lit, strict=True)):
        if index == _HEAD:
            _paint_head(picture, buffer, model, canvas, head.points, diffuse, highlight)
        else:
            _paint(picture, buffer, index, shape.albedo * diffuse + highlight)
    return Rendering(
        image=_developed(picture, scene.background, size),
        landmarks=_landmarks(model, canvas, scene, matrix, size),
        mask=cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA).clip(0, 1),
    )


def _head_shape(model: _Model, canvas: Canvas, expression: Expression) -> Shape:
    """Return the head with the canvas's relief; its colours stay on the canvas."""
    points = model.bare.copy()
    points[..., 1] -= curves.jaw_drop(expression, model.height)
    front = front_share(np.cos(model.angle))
    relief = canvas.sample(canvas.bump, points[..., 0], points[..., 1]) * front
    points[..., 2] += relief
    gloss = canvas.sample(canvas.gloss, points[..., 0], points[..., 1]) * front
    hollow = soften(relief, 9 * len(model.height) / 400) - relief
    grid = relief.shape
    return Shape(
        points=points,
        normals=surface_normals(points),
        albedo=np.empty(0, np.float32),
        alpha=np.ones(grid, np.float32),
        occlusion=(1 - 0.68 * np.clip(hollow, -0.15, 0.8)).astype(np.float32),
        gloss=(gloss - 0.4 * model.scalp).astype(np.float32),
        material=SKIN,
    )


def _posed(shape: Shape, pose: Pose) -> Shape:
    if not shape.follows:
        return shape
    matrix = rotation(pose, shape.follows)
    normals = shape.normals @ matrix.T
    if shape.material.double_sided:
        normals *= np.where(normals[..., 2:] < 0, np.float32(-1), np.float32(1))
    return replace(shape, points=turn(shape.points, matrix), normals=normals)


def _draw(buffer: Buffer, camera: Camera, index: int, shape: Shape) -> None:
    alpha = shape.alpha if shape.material.double_sided else shape.alpha * (shape.normals[..., 2] > -0.15)
    buffer.draw(index, camera.project(shape.points), shape.points[..., 2], alpha)


def _lookup(buffer: Buffer, index: int, image: Array) -> tuple[Any, Array]:
    """Return where (flat) a surface is seen, and an image (h, w, up to 4 channels) over its grid there."""
    place = np.flatnonzero(buffer.surface == index)
    return place, _gather(image, buffer.column[place], buffer.row[place])


def _gather(image: Array, column: Array, row: Array) -> Array:
    """Interpolate an image at a list of places."""
    # OpenCV's maps must not have a side above 32767.
    width = 4096
    count = len(column)
    lines = -(-count // width)
    spare = (0, lines * width - count)
    columns = np.pad(column, spare).reshape(lines, width)
    rows = np.pad(row, spare).reshape(lines, width)
    found: Array = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(lines * width, -1)[:count]


def _paint(picture: Array, buffer: Buffer, index: int, colors: Array) -> None:
    if (buffer.surface == index).any():
        place, color = _lookup(buffer, index, colors.astype(np.float32))
        picture.reshape(-1, 3)[place] = color


def _paint_head(
    picture: Array,
    buffer: Buffer,
    model: _Model,
    canvas: Canvas,
    points: Array,
    diffuse: Array,
    highlight: Array,
) -> None:
    """Paint the head: its colour comes from the canvas at the picture's resolution, not the grid's."""
    if not (buffer.surface == _HEAD).any():
        return
    where = np.concatenate([points[..., :2], model.scalp[..., None]], -1)
    place, found = _lookup(buffer, _HEAD, where)
    albedo = _gather(canvas.albedo, canvas.column(found[:, 0]), canvas.row(found[:, 1]))
    albedo += found[:, 2:] * (model.traits.hair * np.float32(0.75) - albedo)
    _, light = _lookup(buffer, _HEAD, diffuse)
    _, shine = _lookup(buffer, _HEAD, highlight)
    picture.reshape(-1, 3)[place] = albedo * light + shine


def _face_mask(buffer: Buffer, model: _Model) -> Array:
    mask = np.zeros(buffer.size * buffer.size, np.float32)
    if (buffer.surface == _HEAD).any():
        place, share = _lookup(buffer, _HEAD, model.face)
        mask[place] = share[:, 0]
    return mask.reshape(buffer.size, buffer.size)


def _backdrop(background: Background, light: Light, frame: int) -> Array:
    """Return what is behind the person (frame, frame, 3), linear light: soft blotches, a darker rim."""
    rng = np.random.default_rng([background.seed, 0])
    blotches = cv2.resize(fractal(rng, (96, 96), (3, 3), 3), (frame, frame), interpolation=cv2.INTER_CUBIC)
    across = np.linspace(-1, 1, frame, dtype=np.float32)
    rim = 1 - 0.12 * (across[None] ** 2 + across[:, None] ** 2)
    bright = np.exp(0.45 * background.noise * np.tanh(blotches)) * rim * (0.6 + 0.4 * light.power)
    picture = linear(background.color) * bright[..., None]
    return np.ascontiguousarray(picture, np.float32)


def _developed(picture: Array, background: Background, size: int) -> NDArray[np.uint8]:
    """Return the picture as a camera saves it: smaller, with a soft shoulder, gamma and a little noise."""
    small = cv2.resize(soften(picture, 0.45), (size, size), interpolation=cv2.INTER_AREA)
    small = small * (1.12 / (1 + 0.22 * small))
    values = np.clip(small, 0, 1) ** np.float32(1 / 2.2) * 255
    noise = np.random.default_rng([background.seed, 1]).standard_normal((size, size, 3), np.float32)
    developed: NDArray[np.uint8] = np.clip(np.rint(values + 1.2 * noise), 0, 255).astype(np.uint8)
    return developed


def _landmarks(model: _Model, canvas: Canvas, scene: Scene, matrix: Array, size: int) -> NDArray[np.float32]:
    camera = Camera.of(scene, size)
    inner = curves.inner_landmarks(model.traits, scene.expression)
    z = model.head.depth(inner[:, 0], inner[:, 1], scene.expression, canvas)
    points = turn(np.concatenate([inner, z[:, None]], 1), matrix)
    jaw = _jaw_line(model, scene.expression, matrix, camera)
    return (np.concatenate([jaw, camera.project(points)]) - 0.5).astype(np.float32)


def _jaw_line(model: _Model, expression: Expression, matrix: Array, camera: Camera) -> Array:
    """Return landmarks 0 .. 16 (17, 2) in pixels: the outermost point of the face at 17 places.

    On the side turned away that is the silhouette, on the other the line before the ear.
    """
    chin = model.traits.chin_height
    heights = np.array([0.0, -2.05, -4.1, -6.1, -7.8, -9.2, -10.3, -11.2, -11.6]) / -11.6 * chin
    reach = np.radians([80, 80, 80, 79, 78, 72, 57, 30, 0])
    part = np.linspace(0.0, 1.0, 24)
    lines = []
    for side in (-1, 1):
        rows = []
        for height, widest in zip(heights, reach, strict=True):
            points = model.head.points(side * (widest * part)[None], np.array([[height]]))[0]
            points[:, 1] -= curves.jaw_drop(expression, height)
            turned = turn(points, matrix)
            # Undo the roll to find the outermost point across the upright face.
            across = _upright_x(turned, matrix)
            rows.append(camera.project(turned)[int(np.argmax(side * across))])
        lines.append(rows)
    left, right = lines
    return np.array([*left, *right[-2::-1]], np.float32)


def _upright_x(points: Array, matrix: Array) -> Array:
    up = matrix[:2, 1] / (np.linalg.norm(matrix[:2, 1]) + 1e-6)
    across: Array = points[:, 0] * up[1] - points[:, 1] * up[0]
    return across
