"""The network's crop back into the frame."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Matrix, compose, invert, scale_of, warp
from faceswap.faces.regions import Region


def uncrop(crop: NDArray[np.float32], matrix: Matrix, region: Region) -> NDArray[np.uint8]:
    """What a crop looks like in a region of the frame.

    It is first enlarged on its own grid, to twice its size with Lanczos' filter and on to about the frame's resolution
    with a bicubic one, and then turned and shifted with bilinear samples, which no longer blur it. That is ten times
    faster than Lanczos samples through the matrix and as crisp. A shrunken crop is averaged, so that it does not
    alias.

    Args:
        crop: (S, S, 3) float32, 0..1.
        matrix: (2, 3) from frame to crop.
        region: the part of the frame.

    Returns:
        (region.height, region.width, 3) uint8; beyond the crop its border repeats.
    """
    from_crop = invert(compose(matrix, np.array([[1.0, 0, region.left], [0, 1.0, region.top]])))
    size, scale = len(crop), scale_of(from_crop)
    pixels = crop * np.float32(255)
    if scale < 1 / 1.5:
        return _bytes(warp(pixels, from_crop, (region.width, region.height)))
    enlarged = _bytes(cv2.resize(pixels, (2 * size, 2 * size), interpolation=cv2.INTER_LANCZOS4))
    if scale > 2:
        larger = math.ceil(scale * size)
        enlarged = cv2.resize(enlarged, (larger, larger), interpolation=cv2.INTER_CUBIC)
    ratio = size / len(enlarged)
    from_larger = compose(from_crop, np.array([[ratio, 0, ratio / 2 - 0.5], [0, ratio, ratio / 2 - 0.5]]))
    # Not geometry.warp: that would average the enlarged crop again.
    return cv2.warpAffine(
        enlarged,
        from_larger,
        (region.width, region.height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _bytes(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    return cv2.add(pixels, 0.0, dtype=cv2.CV_8U)  # rounds and clips, a tenth of NumPy's time


def brightened(picture: NDArray[np.uint8], *layers: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    """A picture (h, w, 3) uint8 RGB with grey levels (h, w) float32 added; without any layer the same object."""
    levels = [layer for layer in layers if layer is not None]
    if not levels:
        return picture
    return cv2.add(picture, cv2.merge([sum(levels[1:], levels[0])] * 3), dtype=cv2.CV_8U)


def blend(
    frame: NDArray[np.uint8], over: NDArray[np.uint8], mask: NDArray[np.float32], region: Region
) -> None:
    """Blend ``over`` into a region of the frame, in place; where the mask is 0 no pixel changes.

    Args:
        frame: (H, W, 3) uint8 RGB, changed.
        over: (h, w, 3) uint8 RGB.
        mask: (h, w) float32, 0..1.
        region: where ``over`` and ``mask`` lie.
    """
    under = frame[region.slices]
    frame[region.slices] = cv2.blendLinear(over, under, mask, 1 - mask)
