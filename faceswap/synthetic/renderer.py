"""From a person and a scene to a picture with its truth."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.synthetic import curves
from faceswap.synthetic.canvas import Canvas, fractal, soften
from faceswap.synthetic.features import paint_expression
from faceswap.synthetic.model import Model, model_of
from faceswap.synthetic.people import Person
from faceswap.synthetic.rasterizer import Buffer, Camera
from faceswap.synthetic.scene import Background, Expression, Light, Pose, Scene
from faceswap.synthetic.shading import lamp_visibility, shade, toward
from faceswap.synthetic.shapes import SKIN, Shape, front_share, rotation, surface_normals, turn
from faceswap.synthetic.traits import Array, linear
from faceswap.synthetic.truth import landmarks

SMALLEST, LARGEST = 64, 1024
"""The sizes of a picture, pixels."""

SEGMENTS = ("skin", "hair", "glasses", "other")
"""What a pixel shows: skin with all that grows or is painted on it (brows, lips, a beard), eyes and mouth; hair on the
head; the frames of glasses; clothes, background and whatever else."""

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
    head: NDArray[np.float32]
    """(H, W), 0 .. 1: all that is seen of the head's skin, eyes and mouth: neither hair nor glasses."""
    segments: NDArray[np.float32]
    """(H, W, 4), 0 .. 1, sums to 1: the share of each pixel that is one of :data:`SEGMENTS`."""
    person: NDArray[np.float32]
    """(H, W), 0 .. 1: where it is not the background."""


def render(person: Person, scene: Scene, size: int = 256) -> Rendering:
    """Draw a person in a scene; ``size`` (64 .. 1024) is the picture's width and height in pixels.

    The same arguments give the same bytes. Drawing another person in the same scene gives the true swap.
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"size is {size}; it must lie in {SMALLEST} .. {LARGEST}")
    model = model_of(person, size > 320)
    light, pose = scene.light, scene.pose
    matrix = rotation(pose)
    canvas = paint_expression(
        model.canvas, model.hairs, model.traits, scene.expression, matrix.T @ toward(light)
    )
    frame = round(size * (2.0 if size < 200 else 1.5))
    camera = Camera.of(scene, frame)

    head = _head_shape(model, canvas, scene.expression)
    shapes = [
        _posed(shape, pose) for shape in (head, *model.fixed, model.clothes, *model.hair, *model.glasses)
    ]
    lit = [
        shade(shape, seen, light) for shape, seen in zip(shapes, lamp_visibility(shapes, light), strict=True)
    ]
    buffer = Buffer(frame)
    solid = len(shapes) - len(model.glasses)
    for index, shape in enumerate(shapes[:solid]):
        _draw(buffer, camera, index, shape)
    buffer.close()
    mask = _share(buffer, model.face)
    for index, shape in enumerate(shapes[solid:], solid):
        _draw(buffer, camera, index, shape)
    bare = _share(buffer, np.clip(1 - 2 * model.scalp, 0, 1))
    segments = _segments(buffer, model, bare)

    picture = _backdrop(scene.background, light, frame)
    for index, (shape, (diffuse, highlight)) in enumerate(zip(shapes, lit, strict=True)):
        if index == _HEAD:
            _paint_head(picture, buffer, model, canvas, head.points, diffuse, highlight)
        else:
            _paint(picture, buffer, index, shape.albedo * diffuse + highlight)
    return Rendering(
        image=_developed(picture, scene.background, size),
        landmarks=landmarks(model.head, canvas, scene, size),
        mask=_reduced(mask, size),
        head=_reduced(bare, size),
        segments=_reduced(segments, size),
        person=_reduced((buffer.surface >= 0).astype(np.float32).reshape(frame, frame), size),
    )


def _head_shape(model: Model, canvas: Canvas, expression: Expression) -> Shape:
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
    model: Model,
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


def _share(buffer: Buffer, of_head: Array) -> Array:
    """A map over the head's grid, where the head is seen in the picture; 0 elsewhere."""
    mask = np.zeros(buffer.size * buffer.size, np.float32)
    if (buffer.surface == _HEAD).any():
        place, share = _lookup(buffer, _HEAD, of_head)
        mask[place] = share[:, 0]
    return mask.reshape(buffer.size, buffer.size)


def _segments(buffer: Buffer, model: Model, bare: Array) -> Array:
    """(frame, frame, 4): which of the segments is in front, in the order of :data:`SEGMENTS`."""
    surface = buffer.surface.reshape(buffer.size, buffer.size)
    clothes = 1 + len(model.fixed)
    hairs = clothes + 1 + len(model.hair)
    skin = bare + ((surface > _HEAD) & (surface < clothes))
    hair = ((surface > clothes) & (surface < hairs)) + (surface == _HEAD) * (1 - bare)
    glasses = surface >= hairs
    return np.stack([skin, hair, glasses, (surface < 0) | (surface == clothes)], -1).astype(np.float32)


def _reduced(share: Array, size: int) -> NDArray[np.float32]:
    reduced: NDArray[np.float32] = cv2.resize(share, (size, size), interpolation=cv2.INTER_AREA).clip(0, 1)
    return reduced


def _backdrop(background: Background, light: Light, frame: int) -> Array:
    """Return what is behind the person (frame, frame, 3), linear light: soft blotches, a darker rim."""
    rng = np.random.default_rng([background.seed, 0])
    bright = np.exp(0.45 * background.noise * np.tanh(fractal(rng, (96, 96), (3, 3), 3)))
    across = np.linspace(-1, 1, 96, dtype=np.float32)
    bright *= (1 - 0.12 * (across[None] ** 2 + across[:, None] ** 2)) * np.float32(0.6 + 0.4 * light.power)
    bright = cv2.resize(bright, (frame, frame), interpolation=cv2.INTER_CUBIC)
    return cv2.merge([bright * channel for channel in linear(background.color)])


def _developed(picture: Array, background: Background, size: int) -> NDArray[np.uint8]:
    """Return the picture as a camera saves it: smaller, with a soft shoulder, gamma and a little noise."""
    small = cv2.resize(soften(picture, 0.45), (size, size), interpolation=cv2.INTER_AREA)
    small = small * (1.12 / (1 + 0.22 * small))
    values = cv2.pow(np.clip(small, 0, 1), 1 / 2.2) * 255
    noise = np.random.default_rng([background.seed, 1]).standard_normal((size, size, 3), np.float32)
    developed: NDArray[np.uint8] = np.clip(np.rint(values + 1.2 * noise), 0, 255).astype(np.uint8)
    return developed
