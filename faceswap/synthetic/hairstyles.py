"""Hair that falls over forehead and temples: how low it reaches around the head, and where it parts into locks."""

import numpy as np

from faceswap.synthetic.canvas import fractal, step
from faceswap.synthetic.styling import COVERING
from faceswap.synthetic.traits import Array, Traits

_DOWN = -30.0
"""Lower than any hair reaches, cm."""


def covers(traits: Traits) -> bool:
    """Return whether the hair falls over the face."""
    return traits.style in COVERING


def lowest_of(traits: Traits, degrees: Array, seed: int) -> Array:
    """Return down to which height (cm) hair covers the head at these angles from the front, (n,)."""
    line, low = traits.hairline, traits.fringe
    if low is None:
        raise ValueError(f"hair in the style {traits.style!r} needs the height where its fringe ends")
    if traits.style == "bangs":
        low = min(low, line - 1.0)
        lowest = np.interp(np.abs(degrees), [0, 36, 43, 50, 56], [low, low - 0.2, low - 1.2, -3, _DOWN])
    elif traits.style == "curtains":
        away = np.abs(degrees - 12 * traits.hair_part)
        sides = [line, line - 0.4, line - 1.8, 3.8, 1.4, -3, _DOWN]
        lowest = np.interp(away, [0, 4, 13, 24, 35, 44, 52], sides)
    else:
        over = degrees * (1 if traits.hair_part >= 0 else -1)
        angles = [-60, -54, -48, -38, -24, 0, 18, 34, 44, 51, 57]
        low = min(low, line - 1.6)
        heights = [_DOWN, -3, 2, line - 1.5, line, line - 1.2, low + 1.3, low, low - 1.4, -3, _DOWN]
        lowest = np.interp(over, angles, heights)
    rng = np.random.default_rng([seed, 6])
    locks = fractal(rng, (2, len(degrees)), (2, 45), 3)[0]
    return np.asarray(lowest + 0.4 * locks, np.float32)


def slits(traits: Traits, angle: Array, height: Array, seed: int) -> Array:
    """Return where the skin is seen between locks over the forehead (h, w), 0 .. 1."""
    rng = np.random.default_rng([seed, 7])
    shape = (height.shape[0], angle.shape[1])
    noise = fractal(rng, shape, (3, 240), 2)
    loose = step(traits.hairline, traits.hairline - 2.0, height) * step(1.1, 0.8, np.abs(angle))
    found: Array = step(0.9, 1.5, noise) * loose
    return found
