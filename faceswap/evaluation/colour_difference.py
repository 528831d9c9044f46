"""How different two colours look: CIEDE2000."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CHROMA7 = 25.0**7


def lab_of(picture: NDArray[Any]) -> Floats:
    """(…, 3) CIELAB (L 0..100, D65) of a picture (H, W, 3) in sRGB, uint8 or float in 0..1."""
    values = picture.astype(np.float32)
    return cv2.cvtColor(
        values / np.float32(255) if picture.dtype == np.uint8 else values, cv2.COLOR_RGB2LAB
    ).astype(np.float64)


def ciede2000(a: Floats, b: Floats) -> Floats:
    """Difference of colours in CIELAB, (…, 3) each; 1 is about what an eye can just tell side by side.

    Sharma, Wu & Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test data, and
    mathematical observations" (2005).
    """
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean7 / (mean7 + _CHROMA7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)
    coloured = c1 * c2 > 0
    turn = np.where(coloured, (h2 - h1 + np.pi) % (2 * np.pi) - np.pi, 0.0)
    hue = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    middle = np.where(np.abs(h1 - h2) > np.pi, (h1 + h2 + 2 * np.pi) / 2, (h1 + h2) / 2)
    middle = np.where(coloured, middle, h1 + h2)
    t = (
        1
        - 0.17 * np.cos(middle - np.radians(30))
        + 0.24 * np.cos(2 * middle)
        + 0.32 * np.cos(3 * middle + np.radians(6))
        - 0.20 * np.cos(4 * middle - np.radians(63))
    )
    blue = np.radians(60) * np.exp(-(((np.degrees(middle % (2 * np.pi)) - 275) / 25) ** 2))
    chroma7 = chroma**7
    off = (lightness - 50) ** 2
    dl = (l2 - l1) / (1 + 0.015 * off / np.sqrt(20 + off))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = hue / (1 + 0.015 * chroma * t)
    rotation = -2 * np.sqrt(chroma7 / (chroma7 + _CHROMA7)) * np.sin(blue)
    return np.asarray(np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0)))
