"""The visible label on every generated picture."""

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

DEFAULT_TEXT = "AI-GENERATED"
_SHARE = 0.03
_MIN_HEIGHT = 10
_PLATE = 0.65
"""Opacity: white letters keep a contrast of 7 to 1 on a plate over white."""


def stamp(image: NDArray[np.uint8], text: str = DEFAULT_TEXT) -> NDArray[np.uint8]:
    """Put a label into the lower left corner.

    The text is about 3 % of the shorter side high, at least 10 px, on a dark half-transparent plate, so that it
    can be read on light and on dark. Text that is too long for the width is shortened; where the picture is lower
    than the plate, the plate covers what there is.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        text: what to say. The built-in font holds ASCII only: accents are left out, other letters become ``?``.

    Returns:
        a new (H, W, 3) uint8 picture; pixels outside of the plate are the same.
    """
    height, width = image.shape[:2]
    plate, alpha = _plate(width, height, text)
    h, w = alpha.shape[:2]
    result = image.copy()
    corner = result[height - h :, :w].astype(np.float32)
    result[height - h :, :w] = np.rint(corner * (1 - alpha) + plate * alpha).astype(np.uint8)
    return result


@lru_cache(maxsize=64)
def _plate(width: int, height: int, text: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The plate's colours (h, w, 3) and its opacity (h, w, 1), at most as large as the picture."""
    text = _plain(text)
    size = max(_MIN_HEIGHT, round(_SHARE * min(width, height)))
    font = ImageFont.load_default(size)
    margin = max(2, size // 3)
    while text and font.getlength(text) + 2 * margin > width:
        text = text[:-3].rstrip(". ") + ".." if len(text) > 4 else ""
    w = min(width, round(font.getlength(text)) + 2 * margin)
    h = min(height, size + 2 * margin)
    ink = Image.new("L", (w, h), 0)
    ImageDraw.Draw(ink).text((margin, h / 2), text, fill=255, font=font, anchor="lm")
    letters = np.asarray(ink, np.float32)[..., None] / np.float32(255)
    opacity = np.float32(_PLATE) + np.float32(1 - _PLATE) * letters
    return np.repeat(np.float32(255) * letters, 3, axis=2), opacity


def _plain(text: str) -> str:
    letters = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in letters)


def covered(width: int, height: int, text: str = DEFAULT_TEXT) -> NDArray[np.bool_]:
    """(H, W) where :func:`stamp` puts its plate into a picture of this size."""
    plate, _ = _plate(width, height, text)
    mask = np.zeros((height, width), bool)
    mask[height - plate.shape[0] :, : plate.shape[1]] = True
    return mask
