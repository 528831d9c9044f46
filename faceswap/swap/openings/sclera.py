"""How clearly the white of an eye shows: behind glasses that mirror, or in a blurred picture, it looks like skin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.smoothing import rise
from faceswap.swap.openings.axes import Window
from faceswap.swap.openings.eye_opening import EyeOpening


@dataclass(frozen=True)
class ScleraTuning:
    """Constants of the white; measured on every ninth frame of a to g. Lengths are halves of an eye's width."""

    pale: tuple[float, float] = (0.65, 0.85)
    """Saturation of the palest quarter of the white over that of the skin up to which the white shows clearly, and from
    which on it does not: c's lies at 0.3 to 0.64, that of d, whose glasses mirror, at 0.88 to 1.73."""
    inset: float = 0.06
    """What beside the lids may be lashes and is not looked at;"""
    iris: float = 1.15
    """nor is what lies so far from the iris's centre at least, in its radii: its soft edge."""
    skin: tuple[float, float] = (0.25, 0.6)
    """Where below the lower lid the skin is looked at."""
    fewest: int = 8
    """Pixels of white and of skin that are needed to tell anything."""


TUNING = ScleraTuning()
_REACH = 1.3
_LEAST = 5
"""Of 255: what is darker has no saturation that tells anything."""


def white_shows(picture: NDArray[np.uint8], eye: EyeOpening) -> float:
    """How clearly the white of an eye shows, 0..1.

    Args:
        picture: (h, w, 3) uint8 RGB.
        eye: in it.
    """
    window = Window.around(eye.axis, _REACH, picture.shape)
    if window.empty:
        return 0.0
    pixels = picture[window.part].astype(np.float32)
    upper, lower = eye.lids(window.along)
    centre, radius = eye.iris
    across, down = eye.axis.of(centre)
    away = np.hypot(window.along - across, window.down - down) * eye.axis.half / radius
    within = np.abs(window.along) < 1 - TUNING.inset
    open_ = (window.down > upper + TUNING.inset) & (window.down < lower - TUNING.inset)
    white = within & open_ & (away > TUNING.iris)
    near, far = TUNING.skin
    skin = within & (window.down > lower + near) & (window.down < lower + far)
    if min(white.sum(), skin.sum()) < TUNING.fewest:
        return 0.0
    saturation = 1 - pixels.min(axis=-1) / np.maximum(pixels.max(axis=-1), _LEAST)
    palest = float(np.percentile(saturation[white], 25))
    return 1 - float(rise(palest / max(float(np.median(saturation[skin])), 1e-3), TUNING.pale))
