"""Surfaces as grids of points, how they turn with the head, and the bare head itself.

Lengths are cm: x to the right of the picture, y up from the eye line, z towards the viewer.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from faceswap.synthetic.canvas import Canvas, step
from faceswap.synthetic.curves import jaw_drop
from faceswap.synthetic.scene import Expression, Pose
from faceswap.synthetic.traits import Array, Traits

PIVOT = np.array([0, -4, -1], np.float32)
"""The point the head turns about, at the top of the neck."""


@dataclass(frozen=True)
class Material:
    """How a surface answers to light."""

    bleed: tuple[float, float, float]
    """How far red, green and blue light creeps past the edge of the shadow, 0 .. 1."""
    shine: float
    """Strength of the highlight."""
    doublings: int
    """How narrow the highlight is: the exponent is 2 to this power."""
    double_sided: bool = False
    """Whether the inside can be seen."""
    mirrors_own_color: bool = False
    """Whether highlights take the surface's colour, as those of hair do."""


SKIN = Material((0.28, 0.16, 0.12), 0.22, 4)
HAIR = Material((0.25, 0.25, 0.25), 0.5, 3, mirrors_own_color=True)
LONG_HAIR = replace(HAIR, double_sided=True)
CLOTH = Material((0.2, 0.2, 0.2), 0.03, 3)
PLASTIC = Material((0.2, 0.2, 0.2), 0.5, 4)


@dataclass(frozen=True, eq=False)
class Shape:
    """A surface over a grid of h x w points."""

    points: Array
    """(h, w, 3), cm."""
    normals: Array
    """(h, w, 3), unit length, outwards."""
    albedo: Array
    """(h, w, 3), linear light."""
    alpha: Array
    """(h, w), the share of the surface that is there, 0 .. 1."""
    occlusion: Array
    """(h, w), the share of the light from everywhere that arrives, 0 .. 1."""
    gloss: Array
    """(h, w), added to the material's shine."""
    material: Material
    follows: float = 1.0
    """How much of the head's turn it makes: 1 is fixed to the head, 0 to the body."""


def surface_normals(points: Array) -> Array:
    """Return unit normals of a grid of points, on the side where rows go down and columns to the right."""
    across, down = np.empty_like(points), np.empty_like(points)
    across[:, 1:-1] = points[:, 2:] - points[:, :-2]
    across[:, 0], across[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    down[1:-1] = points[2:] - points[:-2]
    down[0], down[-1] = points[1] - points[0], points[-1] - points[-2]
    normals = np.empty_like(points)
    for axis in range(3):
        second, third = (axis + 1) % 3, (axis + 2) % 3
        normals[..., axis] = down[..., second] * across[..., third] - down[..., third] * across[..., second]
    normals /= np.sqrt((normals * normals).sum(-1, keepdims=True)) + np.float32(1e-6)
    return normals


def rotation(pose: Pose, share: float = 1.0) -> Array:
    """Return the matrix (3, 3) that turns points by a share of the pose."""
    yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll]) * share
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    return (np.array(about_z) @ np.array(about_x) @ np.array(about_y)).astype(np.float32)


def turn(points: Array, matrix: Array) -> Array:
    """Turn points (..., 3) about the pivot."""
    return ((points - PIVOT) @ matrix.T + PIVOT).astype(np.float32)


class Head:
    """The lofted head without features: one superellipse-like section for each height.

    Profiles over the height give half the width, the depth of the front and the back, and the section's
    middle, which moves forward towards the chin and so forms the jaw.
    """

    def __init__(self, traits: Traits) -> None:
        self.traits = traits
        scale = traits.chin_height / -11.6
        self.bottom = -12.8 * scale
        jaw = np.array([-12.8, -12.2, -11.6, -10.3, -8.6, -6.6]) * scale
        heights = np.concatenate([jaw, [-4, -1.5, 1, 4, 7, 9, 13]])
        chin_width, jaw_width = traits.chin_width, traits.jaw_width
        widths = [0.1, 1.7 * chin_width, 2.6 * chin_width, 1.875 * (chin_width + jaw_width)]
        widths += [4.95 * jaw_width, 2.95 * (jaw_width + 1), 6.6, 7.0 * traits.cheek_width, 7.1]
        widths += [7.2 * traits.forehead_width, 7.15 * traits.forehead_width, 7.0, 6.9]
        self._width = PchipInterpolator(heights, np.array(widths) * traits.head_width)
        self._front = PchipInterpolator(
            heights, [4.6, 7.0, 8.2, 8.7, 8.6, 8.6, 8.6, 8.6, 8.7, 8.9, 8.8, 8.5, 8.0]
        )
        self._middle = PchipInterpolator(heights, [4.5, 4.3, 4.0, 3.0, 1.8, 0.6, 0, 0, 0, 0, 0, 0, 0])
        self._back = PchipInterpolator(
            heights, [4.4, 3.5, 2.6, 1.0, -2.5, -6, -8.5, -9.5, -9.8, -10, -10, -10, -10]
        )

    def width(self, height: Any) -> Any:
        """Return half the head's width at a height, without the narrowing of the crown."""
        return self._width(height)

    def _dome(self, height: Any) -> Any:
        part = np.clip(height - 2, 0, None) / (self.traits.crown_height - 2)
        return np.sqrt(np.clip(1 - part**2.4, 0, 1))

    def points(self, angle: Array, height: Array, thickness: Any = 0.0) -> Array:
        """Return the surface (h, w, 3) for angles (1, w; 0 is the front) and neutral heights (h, 1).

        ``thickness`` (cm) lifts a shell off the surface.
        """
        dome = self._dome(height)
        width, middle = self._width(height) * dome, self._middle(height)
        front, back = self._front(height) * dome, self._back(height) * dome
        sine, cosine = np.sin(angle), np.cos(angle)
        exponent = self.traits.squareness
        bow = np.clip(1 - np.abs(sine) ** exponent, 0, 1) ** (1 / exponent)
        x = (width + thickness) * sine
        y = height + 0 * x
        ahead = middle + (front - middle + thickness) * bow
        behind = middle - (middle - back + thickness) * bow
        return np.stack([x, y, np.where(cosine > 0, ahead, behind)], -1).astype(np.float32)

    def depth(self, x: Array, y: Array, expression: Expression, canvas: Canvas) -> Array:
        """Return z of the expressive face's front at points of its plane (n,), bumps included."""
        heights = np.linspace(-20, 12, 1600)
        height = np.interp(y, heights - jaw_drop(expression, heights), heights)
        dome = self._dome(height)
        sine = np.clip(np.abs(x) / (self._width(height) * dome), 0, 1)
        exponent = self.traits.squareness
        bow = (1 - sine**exponent) ** (1 / exponent)
        middle = self._middle(height)
        bump = canvas.sample(canvas.bump, np.asarray(x)[None], np.asarray(y)[None])[0]
        z = middle + (self._front(height) * dome - middle) * bow
        return np.asarray(z + bump * front_share(np.sqrt(1 - sine**2)), np.float32)


def front_share(cosine: Any) -> Any:
    """Return how much of the canvas's relief the head shows where the cosine of the angle is this."""
    return step(0.15, 0.6, cosine)


def rows_of_head(head: Head, count: int) -> Array:
    """Return neutral heights (count, 1) from crown to chin, denser at both ends."""
    part = np.linspace(0, 1, count)[:, None]
    part = 0.55 * part + 0.45 * (1 - np.cos(np.pi * part)) / 2
    return np.asarray(head.traits.crown_height - part * (head.traits.crown_height - head.bottom))
