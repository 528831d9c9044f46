"""Targets of one hue keep it: black and white, sepia and toned pictures get a swap from their own scale of colours.

In such a picture the colour is a function of the lightness alone. That function is read off the target, and every
pixel that the swap changed gets the colour that the target has for its lightness.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ToningTuning:
    """Constants of the recognition of one hue, in grey levels unless said otherwise.

    Measured on the crops of seven real people, as they are and made sepia, through JPEG of quality 30 to 85.
    """

    view: int = 9
    """Side in px of the average that is looked at: codecs know a colour only for some pixels together."""
    every: int = 3
    """Every so many rows and columns are looked at."""
    one_hue: float = 2.0
    """Root mean square by which colours may differ from a function of the lightness: sepia up to 1.3, people in
    colour at least 2.9."""
    share: float = 0.1
    """The same in shares of the colours' own root mean square, so that dim faces are not taken for toned ones: sepia
    up to 0.09, people in colour at least 0.1."""
    neglected: float = 0.6
    """Difference up to which that does not count: the noise of a picture without colour."""
    still: float = 1.4
    """Factor of these limits on a video for what was of one hue before."""
    smoothing: float = 1.5
    """Standard deviation of the smoothing of that function: a lightness that is rare tells little. Not measured."""
    least: float = 0.5
    """Pixels of one lightness, after smoothing, that tell its colour. Not measured."""


TUNING = ToningTuning()


@dataclass(frozen=True)
class Toning:
    """A picture's colours as a function of its lightness: ``scale`` (256, 3) uint8 RGB, a row for each grey level."""

    scale: Image

    def toned(self, picture: Image) -> Image:
        """(H, W, 3) uint8 RGB: each pixel in the colour that belongs to its grey level."""
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return np.asarray(cv2.LUT(cv2.merge([grey] * 3), self.scale[None]), np.uint8)


def toning_of(picture: Image, before: Toning | None = None) -> Toning | None:
    """The scale of a picture of one hue; None where its colours are more than that.

    Args:
        picture: (H, W, 3) uint8 RGB.
        before: of an earlier frame; with one, a little more colour (the noise of a codec) changes nothing.
    """
    view = cv2.blur(picture, (TUNING.view, TUNING.view))[:: TUNING.every, :: TUNING.every]
    levels, tints = _levels_and_tints(view)
    off = float(np.sqrt(np.mean((tints - _tint_of_levels(levels, tints)[levels]) ** 2)))
    share = TUNING.share * float(np.sqrt(np.mean(tints**2)))
    limit = max(min(TUNING.one_hue, share), TUNING.neglected)
    if off > limit * (1 if before is None else TUNING.still):
        return None
    colours = np.arange(256)[:, None] + _tint_of_levels(*_levels_and_tints(picture))
    return Toning(np.clip(np.rint(colours), 0, 255).astype(np.uint8))


def _levels_and_tints(picture: Image) -> tuple[NDArray[np.uint8], Floats]:
    """(n,) the grey levels of all pixels, and (n, 3) how much each channel differs from them."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return grey.reshape(-1), (picture.astype(np.float32) - grey[..., None]).reshape(-1, 3)


def _tint_of_levels(levels: NDArray[np.uint8], tints: Floats) -> NDArray[np.float64]:
    """(256, 3): the mean tint of each grey level; of those that are not seen, what lies between or beside them."""
    sums = [np.bincount(levels, weights, 256) for weights in (None, *tints.T)]
    smooth = cv2.GaussianBlur(
        np.stack(sums, 1).astype(np.float64), (1, 0), sigmaX=1e-6, sigmaY=TUNING.smoothing
    )
    seen = np.flatnonzero(smooth[:, 0] > TUNING.least)
    curves = (smooth[seen, 1:] / smooth[seen, :1]).T
    tint = np.stack([np.interp(np.arange(256), seen, curve) for curve in curves], 1)
    # darker and lighter than all that is seen: of the same saturation
    levels_seen = np.clip(np.arange(256), max(int(seen[0]), 1), max(int(seen[-1]), 1))
    return tint * (np.arange(256) / levels_seen)[:, None]


def without_colour(picture: Floats) -> Floats:
    """(H, W, 3) float32 RGB, 0..1, in grey."""
    return np.asarray(cv2.merge([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)] * 3))
