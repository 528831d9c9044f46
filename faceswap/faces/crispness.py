"""How crisp a face is, and how much a generated face has to be sharpened to be as crisp as its person's photos."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MOST = 1.6
"""Largest amount of unsharp masking: beyond it the swap leaves the truth. On the cast its SSIM to the true swap falls
below the unswapped target's."""
_HALO = 0.2
"""Largest change of a pixel by sharpening, of the face's mean grey level: skin, brows and lids get their detail, and
the whites of eyes and teeth don't glow (docs/measurements/colour-and-sharpness.md)."""


@dataclass(frozen=True)
class Crispness:
    """What was measured of a network on its identity's own faces (:mod:`faceswap.evaluation.crispness_calibration`)."""

    unsharp: float = 1.2
    """Amount of unsharp masking that its pictures need to look as crisp as photos; 0: none. Where nobody has measured
    it, what a ``lite`` network needs after some minutes."""
    detail: float = 0.0
    """:func:`detail_of` its pictures so sharpened, which pictures in another's light shall have too; 0: not measured,
    all are sharpened alike."""


UNMEASURED = Crispness()
AS_ASKED = Crispness(1.0)
"""Sharpened by what the options say, no more and no less."""


def sharpen(crop: Floats, amount: float) -> Floats:
    """Unsharp mask of (S, S, 3) float32 in 0..1: add ``amount`` of what a Gaussian of one pixel takes away.

    Of the brightness, so that no edge gets a colour; what is added has a limit, so that no edge gets a halo. On the
    network's own grid, so that it does not depend on the size of the face in the frame.
    """
    if not amount:
        return crop
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    most = np.float32(_HALO * _level(crop))
    change = most * np.tanh(np.float32(amount) / most * (grey - cv2.GaussianBlur(grey, (0, 0), 1.0)))
    return np.clip(crop + change[..., None], 0, 1)


def detail_of(crop: NDArray[Any]) -> float:
    """Variance of the Laplacian of a crop's middle three fifths, relative to the square of their mean grey level.

    Relative, because the same detail on darker skin or in dimmer light has a smaller amplitude.

    Args:
        crop: (S, S, 3) RGB, uint8 or float32 in 0..1.
    """
    return float(_laplacian(crop).var()) / _level(crop) ** 2


def unsharp_for(sharpened: Callable[[float], Floats], detail: float) -> float:
    """The amount of unsharp masking that gives a picture so much detail, 0 to :data:`MOST`.

    Args:
        sharpened: (S, S, 3) float32 RGB, 0..1: the picture with a given amount of unsharp masking.
        detail: wanted, as :func:`detail_of` tells it.
    """
    low, high = 0.0, MOST
    least, most = (detail_of(sharpened(amount)) for amount in (low, high))
    if least >= detail or most <= detail:
        return low if least >= detail else high
    # with a limit it grows less and less: one more amount, and lines in between
    middle = (low + high) / 2
    return float(np.interp(detail, [least, detail_of(sharpened(middle)), most], [low, middle, high]))


def _level(crop: NDArray[Any]) -> float:
    """Mean grey level of the middle, at least one of 255."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return max(1.0 if grey.dtype == np.uint8 else 1 / 255, float(grey[_inner(crop)].mean()))


def _laplacian(crop: NDArray[Any]) -> Floats:
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32, copy=False)
    return np.asarray(cv2.Laplacian(grey, cv2.CV_32F)[_inner(crop)])


def _inner(crop: NDArray[Any]) -> tuple[slice, slice]:
    edge = len(crop) // 5
    return slice(edge, -edge), slice(edge, -edge)
