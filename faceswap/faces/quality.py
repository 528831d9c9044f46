"""Is a crop worth keeping: sharpness and near-duplicates."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 128
"""Side, px, at which sharpness is measured, whatever the resolution of the frame."""
_HASH = 8
"""Lowest frequencies along each side that the hash holds: 64 bits."""


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of an aligned crop (S, S, 3) uint8, at 128 px whatever the frame's resolution.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000). Blurred faces lie below about 10.
    """
    grey = cv2.cvtColor(cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    middle = grey[_SIDE // 4 : -_SIDE // 4, _SIDE // 4 : -_SIDE // 4]
    return float(cv2.Laplacian(middle, cv2.CV_64F).var())


def perceptual_hash(crop: NDArray[np.uint8]) -> int:
    """64-bit DCT hash of an aligned crop (S, S, 3) uint8; similar faces differ in few bits (Zauner, 2010)."""
    grey = cv2.cvtColor(cv2.resize(crop, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    low = cv2.dct(grey.astype(np.float64))[:_HASH, :_HASH].ravel()
    bits = low > np.median(low[1:])
    return int("".join("1" if bit else "0" for bit in bits), 2)


def hamming(a: int, b: int) -> int:
    """Number of bits in which two hashes differ."""
    return (a ^ b).bit_count()
