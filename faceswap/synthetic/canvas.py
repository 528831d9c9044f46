"""A raster in the plane of the face on which skin and features are painted, and the brushes for it.

Coordinates are cm: x to the right of the picture, y up from the eye line.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from faceswap.synthetic.traits import Array

LEFT, RIGHT = -9.5, 9.5
BOTTOM, TOP = -15.5, 9.0

Curve = Callable[[Any], Any]
"""A height in cm for each parameter along a feature."""


def step(low: float, high: float, value: Any) -> Any:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``; ``low`` may be the greater one."""
    part = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return part * part * (3 - 2 * part)


def bell(distance: Any, width: float) -> Any:
    """Return exp(-(distance / width)²)."""
    ratio = distance / np.float32(width)
    return np.exp(-ratio * ratio)


def blend(target: Array, coverage: Array, color: Any) -> None:
    """Paint ``color`` over ``target`` (h, w, 3) in place; coverage (h, w) lies in 0 .. 1."""
    target += np.clip(coverage, 0, 1)[..., None] * (np.asarray(color, np.float32) - target)


def darken(target: Array, amount: Any, color: tuple[float, float, float] = (1, 1, 1)) -> None:
    """Take ``amount`` (h, w) of each channel away, in place; ``color`` weighs the channels."""
    target *= 1 - amount[..., None] * np.asarray(color, np.float32)


def soften(image: Array, sigma: float, sigma_y: float | None = None) -> Array:
    """Blur with a Gaussian of this deviation in pixels."""
    blurred: Array = cv2.GaussianBlur(image, (0, 0), sigma, sigmaY=sigma if sigma_y is None else sigma_y)
    return blurred


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[float, float], octaves: int
) -> Array:
    """Return smooth noise: ``cells`` random cells high and wide, each octave half as strong and twice as fine."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        height, width = (max(2, round(count * 2**octave)) for count in cells)
        grid = rng.standard_normal((height, width), np.float32)
        total += cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC) * np.float32(0.5**octave)
    return total


@dataclass
class Window:
    """A rectangle of a canvas: views to paint on, and the coordinates of its columns and rows."""

    albedo: Array
    bump: Array
    gloss: Array
    x: Array
    """(1, w)."""
    y: Array
    """(h, 1)."""
    where: tuple[slice, slice]


@dataclass
class Canvas:
    """Albedo (linear light), displacement towards the viewer (cm) and gloss of a face seen from the front."""

    density: int
    """Pixels per cm."""
    albedo: Array
    bump: Array
    gloss: Array

    @classmethod
    def blank(cls, density: int, color: Array) -> "Canvas":
        """Return a canvas of one colour, flat and matt."""
        height, width = round((TOP - BOTTOM) * density), round((RIGHT - LEFT) * density)
        albedo = np.empty((height, width, 3), np.float32)
        albedo[:] = color
        flat = np.zeros((height, width), np.float32)
        return cls(density, albedo, flat, flat.copy())

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.bump.shape
        return height, width

    @property
    def x(self) -> Array:
        """The columns' coordinates, (1, w)."""
        return (LEFT + (np.arange(self.shape[1], dtype=np.float32)[None] + 0.5) / self.density).astype(
            np.float32
        )

    @property
    def y(self) -> Array:
        """The rows' coordinates, (h, 1)."""
        return (TOP - (np.arange(self.shape[0], dtype=np.float32)[:, None] + 0.5) / self.density).astype(
            np.float32
        )

    def window(self, left: float, right: float, bottom: float, top: float) -> Window:
        """Return the part of the canvas in this rectangle (cm)."""
        columns = slice(max(round((left - LEFT) * self.density), 0), round((right - LEFT) * self.density))
        rows = slice(max(round((TOP - top) * self.density), 0), round((TOP - bottom) * self.density))
        where = (rows, columns)
        return Window(
            self.albedo[where],
            self.bump[where],
            self.gloss[where],
            self.x[:, columns],
            self.y[rows],
            where,
        )

    def mound(self, x: float, y: float, width: float, height: float, amount: float) -> None:
        """Raise the surface by a Gaussian of these deviations (cm); a negative amount makes a hollow."""
        window = self.window(x - 3 * width, x + 3 * width, y - 3 * height, y + 3 * height)
        across = np.exp(-(((window.x - x) / width) ** 2) / 2)
        window.bump += (amount * np.exp(-(((window.y - y) / height) ** 2) / 2) * across).astype(np.float32)

    def column(self, x: Any) -> Array:
        """Return where x lies, in pixel columns."""
        return np.asarray((x - LEFT) * self.density - 0.5, np.float32)

    def row(self, y: Any) -> Array:
        """Return where y lies, in pixel rows."""
        return np.asarray((TOP - y) * self.density - 0.5, np.float32)

    def sample(self, image: Array, x: Array, y: Array) -> Array:
        """Look up one of the canvas's images at points (h, w) given in cm."""
        found: Array = cv2.remap(
            image, self.column(x), self.row(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return found

    def lowered(self, neutral: Curve) -> "Canvas":
        """Return a copy whose rows follow the jaw: row y shows what was at height ``neutral(y)``."""
        rows = self.y[:, 0]
        source = self.row(neutral(rows))
        first = int(np.argmax(np.abs(source - np.arange(len(rows))) > 0.01))
        copy = Canvas(self.density, self.albedo.copy(), self.bump.copy(), self.gloss.copy())
        if first == 0:
            return copy
        low = np.floor(source[first:]).clip(0, len(rows) - 2).astype(np.intp)
        part = (source[first:] - low).clip(0, 1).astype(np.float32)[:, None]
        copy.albedo[first:] = (
            self.albedo[low] * (1 - part[..., None]) + self.albedo[low + 1] * part[..., None]
        )
        copy.bump[first:] = self.bump[low] * (1 - part) + self.bump[low + 1] * part
        copy.gloss[first:] = self.gloss[low] * (1 - part) + self.gloss[low + 1] * part
        return copy
