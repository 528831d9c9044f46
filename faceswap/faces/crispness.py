"""How crisp a face is, and how much a generated face has to be sharpened to be as crisp as its person's photos."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MOST = 1.6
"""Largest amount of unsharp masking: beyond it the swap leaves the truth. On the cast its SSIM to the true swap falls
below the unswapped target's."""


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

    On the network's own grid, so that it does not depend on the size of the face in the frame.
    """
    if not amount:
        return crop
    return np.clip(crop + np.float32(amount) * (crop - cv2.GaussianBlur(crop, (0, 0), 1.0)), 0, 1)


def detail_of(crop: NDArray[Any]) -> float:
    """Variance of the Laplacian of a crop's middle three fifths, relative to the square of their mean grey level.

    Relative, because the same detail on darker skin or in dimmer light has a smaller amplitude.

    Args:
        crop: (S, S, 3) RGB, uint8 or float32 in 0..1.
    """
    return float(_laplacian(crop).var()) / _level(crop) ** 2


def unsharp_for(soft: Floats, sharp: Floats, detail: float) -> float:
    """The amount of unsharp masking that gives a picture so much detail, 0 to :data:`MOST`.

    The Laplacian of a picture grows linearly with the amount, so its variance is a parabola, which two pictures tell.

    Args:
        soft, sharp: (S, S, 3) float32 RGB, 0..1: without unsharp masking and with an amount of 1.
        detail: wanted, as :func:`detail_of` tells it.
    """
    start, step = _laplacian(soft), _laplacian(sharp)
    step = step - start
    start, step = start - start.mean(), step - step.mean()
    square, linear = float(np.mean(step * step)), 2 * float(np.mean(start * step))
    missing = detail * _level(soft) ** 2 - float(np.mean(start * start))
    if missing <= 0:
        return 0.0
    reachable = square * MOST**2 + linear * MOST
    if missing >= reachable:
        return MOST
    return float((np.sqrt(linear**2 + 4 * square * missing) - linear) / (2 * square))


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
