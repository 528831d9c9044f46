"""The swap's border as light as the target's skin beside it.

A smooth field of gains over the whole face (:mod:`faceswap.swap.compositing.colour`) leaves what two people's cheeks
differ in shape: where the reference's cheek turns away and darkens, the target's goes on, and its own skin shows as a
pale rim around the swap. Along the border the two are compared once more; what they differ is taken away there, and
less and less towards the middle of the face. In brightness alone: the tint of a chin in a warm light would spread as
a patch.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
from faceswap.faces.regions import fill_outline

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class BorderTuning:
    """Constants of the border, by eye on a, e and g on f. Lengths are face heights."""

    cells: float = 40.0
    """Pixels a face height at which the border is looked at."""
    level: float = 0.02
    """Standard deviation of the blur by which the two are made comparable."""
    reach: float = 0.07
    """Standard deviation of the Gaussian by which the border's gain spreads."""
    faith: float = 0.2
    """Share of border around a place at which it takes half of the border's gain."""
    most: float = 0.6
    """Largest logarithm of a gain: beyond it what lies beside the border is no skin."""
    black: float = 0.03
    """Of 1, is added before quotients are taken."""


TUNING = BorderTuning()


def match_border(
    over: NDArray[np.uint8],
    under: NDArray[np.uint8],
    mask: Floats,
    seen: Floats | None,
    landmarks: Points,
    height: float,
) -> NDArray[np.uint8]:
    """The swap with the target's brightness along its border.

    Args:
        over, under: (h, w, 3) uint8 RGB, the swap and the target in a region of the frame.
        mask: (h, w) float32, 0..1: how far the swap will be seen.
        seen: (h, w) float32, 0..1: where the target's face is not covered; None: everywhere.
        landmarks: (68, 2) of the target, px of the region.
        height: of the face, px.

    Returns:
        (h, w, 3) uint8 RGB; ``over`` itself where the target shows no skin along the border.
    """
    step = max(1.0, height / TUNING.cells)
    size = tuple(max(1, round(side / step)) for side in mask.shape[::-1])
    unit = height / step
    weight = _small(mask, size)
    weight = 4 * weight * (1 - weight)
    if seen is not None:
        weight *= np.clip(2 * _small(seen, size) - 1, 0, 1)
    face = np.zeros(size[::-1], np.uint8)
    fill_outline(face, landmarks, 1 / step)
    source, goal = (_level(picture, size, TUNING.level * unit) for picture in (over, under))
    gain = np.log(goal / source)
    weight *= face * (np.abs(gain) < TUNING.most)
    if not weight.any():
        return over
    reach = TUNING.reach * unit
    total = cv2.GaussianBlur(weight, (0, 0), reach) + np.float32(TUNING.faith)
    gain = cv2.resize(np.exp(cv2.GaussianBlur(gain * weight, (0, 0), reach) / total), mask.shape[::-1])
    return cv2.multiply(over, cv2.merge([gain] * 3), dtype=cv2.CV_8U)


def _level(picture: NDArray[np.uint8], size: tuple[int, ...], sigma: float) -> Floats:
    """The brightness of a picture, smoothed, above 0 to 1."""
    grey = cv2.cvtColor(_small(picture, size), cv2.COLOR_RGB2GRAY) / np.float32(255)
    return cv2.GaussianBlur(grey, (0, 0), max(sigma, 0.5)) + np.float32(TUNING.black)


def _small(picture: NDArray[np.uint8] | Floats, size: tuple[int, ...]) -> Floats:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
