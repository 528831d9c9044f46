"""Hair: a shell around the head whose edge thins out, and its roots on the scalp."""

import cv2
import numpy as np

from faceswap.synthetic.canvas import fractal, soften, step
from faceswap.synthetic.hairstyles import covers, lowest_of, slits
from faceswap.synthetic.shapes import HAIR, LONG_HAIR, Head, Shape, surface_normals
from faceswap.synthetic.traits import Array, Traits

_LOWEST = {"long": -19.0, "medium": -10.5, "fringe": -12.0, "short": -6.5, "buzz": -6.0}

_CM_PER_DEGREE = 0.124
"""Length of a degree around the head."""

_CELL = 0.1
"""Grid on which distances from the hairline are measured, cm."""


_OVER_SKIN = 0.55
"""How far hair that falls over the face lies before it, cm: brow ridge and cheek bones must not break through."""


def _is_long(traits: Traits) -> bool:
    return traits.style in ("long", "medium", "fringe") or covers(traits)


def _is_hair(traits: Traits, around: Array, height: Array) -> Array:
    """Return whether hair grows at an angle (degrees from the front, 0 .. 180) and a height."""
    line = traits.hairline - (2.4 if traits.style == "fringe" else 0.0)
    side = 72.0 if _is_long(traits) else 74.0
    temple = 58.0 if traits.style == "fringe" else 54.0
    heights = [-30, -3, 0, 2.5, line - 1.6, line - 0.5, line, line + 0.9, line + 2.6]
    edge = np.interp(height, heights, [side + 4, side, side - 2, side - 6, temple, 34, 6, -14, -40])
    if not _is_long(traits):
        edge = edge + (98 - edge) * step(-0.6, -2.2, height)
    return np.asarray(around > edge, np.uint8)


def _depth_inside(traits: Traits, angle: Array, height: Array, falling_seed: int | None = None) -> Array:
    """Return how far (cm) places lie inside the hair, (h, w); negative is bare skin.

    With a seed, hair that falls over the face counts, too; without one where it grows.
    """
    degrees = np.arange(-200, 201, _CELL / _CM_PER_DEGREE, dtype=np.float32)
    heights = np.arange(14, -24, -_CELL, dtype=np.float32)
    hair = _is_hair(traits, np.abs(degrees)[None], heights[:, None])
    if falling_seed is not None and covers(traits):
        hair |= (heights[:, None] > lowest_of(traits, degrees, falling_seed)).astype(np.uint8)
    inside = cv2.distanceTransform(hair, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - hair, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    signed = soften(inside - outside, 4) * np.float32(_CELL)
    column = (np.degrees(angle) + 200) * (_CM_PER_DEGREE / _CELL) + 0 * height
    row = (14 - height) / _CELL + 0 * angle
    found: Array = cv2.remap(signed, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR)
    return found


def scalp_cover(traits: Traits, seed: int, angle: Array, height: Array) -> Array:
    """Return how much of the skin (h, w) the roots of the hair cover, 0 .. 1."""
    shape = (height.shape[0], angle.shape[1])
    if traits.style == "bald":
        return np.zeros(shape, np.float32)
    rng = np.random.default_rng([seed, 3])
    inside = _depth_inside(traits, angle, height) + 0.25 * fractal(rng, shape, (18, 40), 3)
    density = np.clip(0.9 + 0.12 * fractal(rng, shape, (40, 90), 2), 0, 1)
    most = 0.8 if traits.style == "buzz" else 0.95
    cover: Array = most * step(-0.35, 0.6, inside) * density * step(-4.5, -1.5, height)
    return cover.astype(np.float32)


def _strands(rng: np.random.Generator) -> Array:
    """Return a strip of noise (256, 1024) around the head, drawn out along the hairs, unit deviation."""
    strip = fractal(rng, (256, 1024), (3, 220), 3) + 0.7 * fractal(rng, (256, 1024), (2, 40), 2)
    return (strip / strip.std()).astype(np.float32)


def hair_shell(
    traits: Traits, head: Head, seed: int, count: int, beneath: Head | None = None
) -> Shape | None:
    """Return the hair over a grid of ``count`` rows, or nothing for the bald and the shorn.

    ``head`` is the one that it grew on; ``beneath`` another one that wears it, through which it must not pass.
    """
    if traits.style in ("bald", "buzz"):
        return None
    rng = np.random.default_rng([seed, 2])
    long = _is_long(traits)
    lowest, crown = _LOWEST.get(traits.style, -19.0), traits.crown_height
    part = np.linspace(0, 1, count)[:, None]
    part = 0.5 * part + 0.25 * (1 - np.cos(np.pi * part))
    height = crown - 0.01 - (crown - lowest) * part
    angle = np.linspace(-np.pi, np.pi, round(1.3 * count))[None]
    shape = (count, angle.shape[1])
    locks = fractal(rng, shape, (3, 22), 3)
    ragged = fractal(rng, shape, (10, 70), 3)
    inside = _depth_inside(traits, angle, height, seed) + 0.12 * ragged

    full = step(-0.1, 2.4 if long else 3.2, inside)
    most = traits.hair_volume * (1.0 if long else 0.75)
    thinning = 1 - (0.25 if long else 0.6) * step(5, -4, height)
    thickness = 0.08 + most * full * thinning * (1 + 0.13 * locks)
    if covers(traits):
        over_face = step(traits.hairline + 2, traits.hairline - 0.5, height) * step(1.4, 0.9, np.abs(angle))
        thickness = thickness + _OVER_SKIN * over_face
    points = head.points(angle, np.maximum(height, -3), thickness)
    if beneath is not None:
        other = beneath.points(angle, np.maximum(height, -3), thickness)
        wider = np.hypot(other[..., 0], other[..., 2]) > np.hypot(points[..., 0], points[..., 2])
        points = np.where(wider[..., None], other, points)
    below = np.clip(-3 - height, 0, None)
    flare = 1 + (0.012 if long else 0) * below
    top = step(crown - 5, crown, height)
    parting = 0.35 * most * traits.hair_part * np.tanh(1.5 * angle) * np.cos(angle / 2) * full * top
    points[..., 0] *= flare
    points[..., 1] = height + thickness * top + parting + 0.35 * ragged * step(lowest + 3, lowest, height)
    points[..., 2] -= 0.06 * below

    strip = _strands(rng)
    sway = 1.1 * traits.hair_part * np.cos(angle) * step(0, crown, height) * height / 8
    column = ((angle + sway) / (2 * np.pi) + 0.5) % 1 * 1023
    row = np.linspace(0, 255, count)[:, None] + 0 * angle
    strands = cv2.remap(
        strip, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    shade = np.clip(1 + 0.26 * strands, 0.3, 2.0)[..., None]
    # Single hairs leave the edge at different places: alpha follows the strands.
    alpha = step(-0.25, 0.6, inside + 0.22 * strands)
    alpha = (
        alpha * step(lowest, lowest + 1.2, height + 0.5 * strands)
        if long
        else alpha * step(lowest, lowest + 2.5, height + 0.4 * strands)
    )
    if covers(traits):
        alpha = alpha * (1 - slits(traits, angle, height, seed))
    roots = 0.6 + 0.4 * step(0, 1.6, inside)
    return Shape(
        points=points,
        normals=_combed(surface_normals(points), strands),
        albedo=(traits.hair * shade).astype(np.float32),
        alpha=alpha.astype(np.float32),
        occlusion=roots.astype(np.float32),
        gloss=np.zeros(shape, np.float32),
        material=LONG_HAIR if long else HAIR,
    )


def _combed(normals: Array, strands: Array) -> Array:
    """Tilt normals sideways by the strands, so that highlights break up."""
    slope = soften(np.gradient(strands, axis=1).astype(np.float32), 0.8)
    tilted = normals.copy()
    tilted[..., 0] -= 0.25 * slope * normals[..., 2]
    tilted[..., 2] += 0.25 * slope * normals[..., 0]
    tilted /= np.linalg.norm(tilted, axis=-1, keepdims=True) + 1e-6
    return tilted
