"""The face at rest: the skin's colour and relief that no expression changes, painted once per person."""

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

from faceswap.synthetic.canvas import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Canvas,
    bell,
    blend,
    darken,
    fractal,
    soften,
    step,
)
from faceswap.synthetic.traits import Array, Traits

_NOISE_DENSITY = 40
"""Pixels per cm at which noise is drawn, so that it is the same at every density of the canvas."""


def paint_face_at_rest(traits: Traits, seed: int, density: int) -> Canvas:
    """Return the canvas of a neutral face without eyes, brows and lips."""
    rng = np.random.default_rng([seed, 1])
    canvas = Canvas.blank(density, traits.skin)
    _shape_nose(canvas, traits)
    _shape_bones(canvas, traits)
    _color_skin(canvas, traits, rng)
    _paint_wrinkles(canvas, traits)
    _paint_spots(canvas, traits, rng)
    _paint_nostrils(canvas, traits)
    if traits.cheek_color is not None:
        color, share = traits.cheek_color
        for side in (-1, 1):
            spot = ((canvas.x - side * 4.6) / 1.9) ** 2 + (
                (canvas.y + 3.0 - 0.35 * side * canvas.x) / 1.3
            ) ** 2
            blend(canvas.albedo, share * np.exp(-spot), color)
    if traits.beard:
        _paint_beard(canvas, traits, rng)
    return canvas


def grain(canvas: Canvas, rng: np.random.Generator, width: float, height: float) -> Array:
    """Return noise of unit deviation whose grains have this size in cm."""
    shape = round((TOP - BOTTOM) * _NOISE_DENSITY), round((RIGHT - LEFT) * _NOISE_DENSITY)
    fine = soften(rng.standard_normal(shape, np.float32), width * _NOISE_DENSITY, height * _NOISE_DENSITY)
    # Every canvas shows the same grains, so they are averaged down from the finest one.
    coarse = cv2.resize(fine, canvas.shape[::-1], interpolation=cv2.INTER_AREA)
    return (coarse / coarse.std()).astype(np.float32)


def _shape_nose(canvas: Canvas, traits: Traits) -> None:
    base = traits.nose_height
    heights = [-9, base - 0.75, base - 0.25, base + 0.15, base + 0.75, base + 1.7, -0.6, 0.5, 1.9, 4]
    bridge, tip = traits.nose_bridge, traits.nose_tip
    ridge = [0, 0, 0.9, 1.75 + tip, 2.2 + tip / 2, 1.85, 0.75 + bridge / 2, 0.75 * bridge, 0.2, 0]
    profile = PchipInterpolator(heights, np.array(ridge) / 2.2)(np.clip(canvas.y[:, 0], -9, 4))
    width = np.interp(
        canvas.y[:, 0],
        [base - 0.6, base + 0.6, base + 1.8, -0.4, 1.5],
        [1.0, 0.7 * traits.nose_width, 0.8, traits.nose_bridge_width, 1.2 * traits.nose_bridge_width],
    ).astype(np.float32)
    across = np.exp(-(np.abs(canvas.x / width[:, None]) ** 2.1) / 1.7)
    canvas.bump += (traits.nose_depth * np.clip(profile, 0, 9)[:, None] * across).astype(np.float32)
    canvas.mound(0, base + 0.75, 0.62, 0.55, traits.nose_ball)
    for side in (-1, 1):
        canvas.mound(side * traits.nose_width, base + 0.38, 0.4, 0.46, 0.75)
    canvas.gloss += 0.3 * bell(canvas.x, 0.8) * bell(canvas.y - base / 2, 2.6)


def _shape_bones(canvas: Canvas, traits: Traits) -> None:
    chin, mouth = traits.chin_height, traits.mouth_height
    canvas.mound(0, mouth, 2.9, 1.7, 0.5)
    canvas.mound(0, (traits.nose_height + mouth) / 2, 0.26, 0.5, -0.12)
    canvas.mound(0, chin + 1.4, 1.35, 0.9, traits.chin)
    canvas.mound(0, mouth - traits.lower_lip - 0.75, 1.6, 0.42, -0.32)
    canvas.mound(0, traits.brow_height - 0.2, 0.9, 0.8, 0.25 * traits.brow_ridge)
    for side in (-1, 1):
        canvas.mound(side * traits.eye_distance, 0.45, 1.75, 1.0, -traits.socket)
        canvas.mound(side * 1.55, 0.25, 0.55, 0.8, -0.5 * traits.socket)
        canvas.mound(side * 3.0, traits.brow_height - 0.15, 1.9, 0.5, traits.brow_ridge)
        canvas.mound(side * 4.9, -2.3, 1.5, 1.1, traits.cheek_bone)
        canvas.mound(side * 4.2, -5.2, 1.9, 1.9, traits.cheek_fullness)
    canvas.gloss += 0.22 * bell(canvas.x, 3.6) * bell(canvas.y - 5, 1.8)


def _color_skin(canvas: Canvas, traits: Traits, rng: np.random.Generator) -> None:
    mottle = fractal(rng, canvas.shape, (10, 8), 4)
    blush = fractal(rng, canvas.shape, (16, 12), 3)
    pores = grain(canvas, rng, 0.035, 0.035)
    canvas.albedo *= (1 + 0.03 * mottle + 0.03 * pores)[..., None]
    # Blood shows where the skin is thin; melanin hides it.
    canvas.albedo *= 1 + 0.03 * blush[..., None] * np.array([0.5, -1, -1], np.float32)
    x, y = canvas.x, canvas.y
    red = 0.8 * np.exp(-((x / 1.1) ** 2 + ((y - traits.nose_height - 0.6) / 0.9) ** 2) / 2)
    red = red + 0.3 * np.exp(-((x / 1.4) ** 2 + ((y - traits.chin_height - 1) / 0.9) ** 2) / 2)
    shade = np.zeros(canvas.shape, np.float32)
    for side in (-1, 1):
        red = red + np.exp(-(((x - side * 4.1) / 1.7) ** 2 + ((y + 3.4) / 1.4) ** 2) / 2)
        eye = (x - side * 0.95 * traits.eye_distance) / 1.3
        shade += np.exp(-(eye**2 + ((y + 1.1) / 0.4) ** 2) / 2)
    darken(canvas.albedo, red * (0.7 + 0.2 * mottle) * (1 - 0.6 * traits.melanin), (0, 0.2, 0.18))
    darken(canvas.albedo, 0.1 * (0.6 + traits.age) * shade, (0.8, 1, 0.9))
    if traits.masculine > 0.5:
        jaw = step(traits.mouth_height + 1, traits.mouth_height - 1.5, y) * (1 - 0.7 * traits.melanin)
        darken(canvas.albedo, 0.1 * jaw * np.ones_like(x), (1, 0.75, 0.55))
    canvas.bump += 0.006 * pores + 0.004 * grain(canvas, rng, 0.08, 0.08)
    canvas.gloss += 0.05 * pores


def _paint_wrinkles(canvas: Canvas, traits: Traits) -> None:
    depth = max(traits.age - 0.45, 0.0)
    if not depth:
        return
    across = step(4.4, 2.0, np.abs(canvas.x))
    for line in range(3):
        middle = traits.brow_height + 1.5 + 0.95 * line + 0.15 * np.cos(0.8 * canvas.x + line)
        crease = bell(canvas.y - middle, 0.1) * across
        darken(canvas.albedo, 0.25 * depth * crease)
        canvas.bump -= (0.07 * depth * crease).astype(np.float32)
    for side in (-1, 1):
        corner = traits.eye_distance + traits.eye_width
        left, right = sorted((side * corner, side * (corner + 1.8)))
        window = canvas.window(left, right, -1.4, 1.2)
        out = np.abs(window.x) - corner
        for slope in (-0.5, -0.05, 0.4):
            crease = (
                bell(window.y - traits.eye_tilt - slope * out, 0.06)
                * step(0.1, 0.5, out)
                * step(1.6, 0.8, out)
            )
            darken(window.albedo, 0.35 * depth * crease)
            window.bump -= (0.06 * depth * crease).astype(np.float32)


def _paint_spots(canvas: Canvas, traits: Traits, rng: np.random.Generator) -> None:
    for _ in range(int(260 * traits.freckles)):
        x, y, size = rng.normal(0, 3.2), rng.normal(-2.2, 1.6), rng.uniform(0.06, 0.11)
        _paint_spot(canvas, x, y, size, 0.45, traits.skin * np.array([0.62, 0.42, 0.3], np.float32))
    for _ in range(rng.integers(0, 4)):
        x, y = rng.uniform(-5, 5), rng.uniform(-9, 5)
        _paint_spot(canvas, x, y, 0.12, 0.7, traits.skin * np.float32(0.3))


def _paint_spot(canvas: Canvas, x: float, y: float, size: float, coverage: float, color: Array) -> None:
    reach = 3 * size
    if abs(x) > RIGHT - reach:
        return
    window = canvas.window(x - reach, x + reach, y - reach, y + reach)
    blend(window.albedo, coverage * bell(np.hypot(window.x - x, window.y - y), size), color)


def _paint_nostrils(canvas: Canvas, traits: Traits) -> None:
    base, width = traits.nose_height, traits.nose_width
    for side in (-1, 1):
        window = canvas.window(side * 0.75 - 1.6, side * 0.75 + 1.6, base - 1, base + 1.4)
        hole = 0.58 * width
        level = window.y - base + 0.12 - 0.12 * np.abs(window.x) / hole
        distance = ((window.x - side * hole) / 0.42) ** 2 + (level / 0.17) ** 2
        coverage = np.exp(-(distance**1.5))
        blend(window.albedo, 0.75 * coverage, traits.skin * np.array([0.14, 0.07, 0.06], np.float32))
        window.bump -= (0.25 * coverage).astype(np.float32)
        window.gloss -= 0.5 * coverage
        ring = np.hypot((window.x - side * (width - 0.12)) / 0.62, (window.y - base - 0.35) / 0.62)
        wing = bell(ring - 1, 0.13) * step(0, 0.3, side * window.x - width + 0.1)
        darken(window.albedo, 0.26 * wing)


def _paint_beard(canvas: Canvas, traits: Traits, rng: np.random.Generator) -> None:
    across, y = np.abs(canvas.x), canvas.y
    hairs = grain(canvas, rng, 0.03, 0.12)
    soft = grain(canvas, rng, 0.06, 0.1)
    edge = traits.mouth_height + 0.9 + 0.24 * np.maximum(across - 3, 0) + 0.6 * step(4.5, 7, across)
    cheeks = step(0.6, -0.9, y - edge + 0.2 * soft)
    cheeks = cheeks * step(1.2, 2.6, across + 1.5 * np.clip(traits.mouth_height - y - 0.3, 0, 9))
    lip = traits.mouth_height + traits.upper_lip
    line = (y - lip - 0.5 + 0.16 * across) / 0.42
    moustache = np.exp(-(line**4)) * step(traits.mouth_width + 1, traits.mouth_width - 0.2, across)
    coverage = np.clip(np.maximum(cheeks, moustache), 0, 1) * np.clip(0.78 + 0.2 * hairs, 0, 1)
    blend(
        canvas.albedo,
        0.85 * traits.beard * coverage,
        traits.brows * np.clip(1 + 0.25 * hairs, 0.3, 2)[..., None],
    )
    canvas.bump += (0.25 * max(traits.beard - 0.4, 0) * coverage * (1 + 0.1 * hairs)).astype(np.float32)
    canvas.gloss -= 0.4 * traits.beard * coverage
