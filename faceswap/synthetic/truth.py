"""Where the landmarks of a rendered face are and which part of it a swap replaces."""

import numpy as np
from numpy.typing import NDArray

from faceswap.synthetic import curves
from faceswap.synthetic.canvas import Canvas, step
from faceswap.synthetic.rasterizer import Camera
from faceswap.synthetic.scene import Expression, Scene
from faceswap.synthetic.shapes import Head, rotation, turn
from faceswap.synthetic.traits import Array, Traits


def face_region(traits: Traits, head: Head, angle: Array, height: Array) -> Array:
    """Return 1 inside the face, from just above the brows to the chin and before the ears, 0 outside."""
    top = traits.brow_height + 0.6 * traits.brow_arch + 1.1
    x = np.sin(angle) * head.width(height)
    top_edge = step(top - 0.02 * x * x + 0.25, top - 0.02 * x * x - 0.25, height)
    chin_edge = step(traits.chin_height - 0.6, traits.chin_height, height)
    sides = step(79, 71, np.abs(np.degrees(angle)))
    return np.asarray(top_edge * chin_edge * sides, np.float32)


def landmarks(head: Head, canvas: Canvas, scene: Scene, size: int) -> NDArray[np.float32]:
    """Return the 68 landmarks (68, 2) in a picture of ``size`` pixels, pixel centres at whole numbers.

    ``canvas`` is the face in the scene's expression.
    """
    camera = Camera.of(scene, size)
    matrix = rotation(scene.pose)
    inner = curves.inner_landmarks(head.traits, scene.expression)
    z = head.depth(inner[:, 0], inner[:, 1], scene.expression, canvas)
    points = turn(np.concatenate([inner, z[:, None]], 1), matrix)
    jaw = _jaw_line(head, scene.expression, matrix, camera)
    return (np.concatenate([jaw, camera.project(points)]) - 0.5).astype(np.float32)


def _jaw_line(head: Head, expression: Expression, matrix: Array, camera: Camera) -> Array:
    """Return landmarks 0 .. 16 (17, 2) in pixels: the outermost point of the face at 17 places.

    On the side turned away that is the silhouette, on the other the line before the ear.
    """
    chin = head.traits.chin_height
    heights = np.array([0.0, -2.05, -4.1, -6.1, -7.8, -9.2, -10.3, -11.2, -11.6]) / -11.6 * chin
    reach = np.radians([80, 80, 80, 79, 78, 72, 57, 30, 0])
    angles = reach[:, None] * np.linspace(0.0, 1.0, 161)
    lines = []
    for side in (-1, 1):
        points = head.points(side * angles, heights[:, None])
        points[..., 1] -= curves.jaw_drop(expression, heights[:, None])
        turned = turn(points, matrix)
        # The roll is undone to find the outermost point across the upright face.
        outermost = (side * _upright_x(turned, matrix)).argmax(1)
        lines.append(camera.project(turned[np.arange(len(heights)), outermost]))
    left, right = lines
    return np.concatenate([left, right[-2::-1]])


def _upright_x(points: Array, matrix: Array) -> Array:
    up = matrix[:2, 1] / (np.linalg.norm(matrix[:2, 1]) + 1e-6)
    across: Array = points[..., 0] * up[1] - points[..., 1] * up[0]
    return across
