"""A drawing in the light of the target: its colours, and as sharp or as far out of focus."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import Crispness, sharpen, unsharp_for
from faceswap.faces.geometry import scale_of
from faceswap.swap.compositing.colour import Transfer, apply_transfer, fit_transfer
from faceswap.swap.compositing.detail import blurred, missing_blur
from faceswap.swap.face_crop import Placed
from faceswap.swap.masks.occlusion_mask import Visible
from faceswap.swap.masks.shapes import skin_in_crop
from faceswap.swap.options import SwapOptions

_EVERY, _NEW = 0.1, 0.02
"""Seconds of video after which the light is looked at again, and the change (of 1) in the mean colour of the middle of
a face for which that is done at once."""
_CRISP_MEMORY = 0.4
"""Seconds of video over which the sharpening is smoothed: teeth that show count as detail."""


@dataclass(frozen=True)
class Light:
    """What brings a drawing into the target's light.

    Attributes:
        time: of the frame that was looked at, seconds.
        middle: (3,) mean colour of the middle of its crop, 0..1.
        transfer: of the colours; None: they stay.
        unsharp: amount of unsharp masking that it needs there.
        blur: standard deviation, px of the crop.
    """

    time: float
    middle: NDArray[np.float64]
    transfer: Transfer | None
    unsharp: float
    blur: float


def light_of(
    face: Placed,
    drawn: NDArray[np.float32],
    visible: Visible | None,
    options: SwapOptions,
    crispness: Crispness,
    before: Light | None = None,
    time: float = 0.0,
) -> Light:
    """The light of a face. On a video it is looked at ten times a second, and when it changes.

    Args:
        face: the target.
        drawn: (S, S, 3) float32 RGB, 0..1, of the network.
        visible: where the target's face is not covered; None: everywhere.
        options: ``colour``, ``colour_strength``, ``colour_memory``, ``sharpen`` and ``match_blur`` count here.
        crispness: of the network's pictures, which they shall have in this light, too: a shift of brightness alone
            would make the same features twice as crisp on darker skin.
        before: of an earlier frame, with whose colours those found are mixed; None: a single picture, or the first.
        time: of the frame in seconds.
    """
    size = len(drawn)
    middle = face.crop[size // 4 : -(size // 4), size // 4 : -(size // 4)].mean(axis=(0, 1)) / 255
    age = time - before.time if before else -1.0
    # a field of pixels is of one frame alone
    lasting = options.colour != "seamless" and options.colour_memory > 0
    if before and lasting and 0 <= age < _EVERY and np.abs(middle - before.middle).max() < _NEW:
        return before
    skin = skin_in_crop(face.landmarks, face.geometry, face.matrix)
    if visible is not None:
        skin &= visible.in_crop(face.matrix, face.geometry.size) > 0.5
    transfer = None
    if options.colour_strength:
        # fitted before sharpening: the spread that sharpening adds would be taken away again
        transfer = fit_transfer(drawn, face.crop, skin, options.colour)
    if transfer and before and age > 0 and options.colour_memory > 0:
        transfer = transfer.mixed(before.transfer, 1 - math.exp(-age / options.colour_memory))
    light = Light(time, middle, transfer, 0.0, 0.0)
    if options.sharpen:
        unsharp = _unsharp(drawn, light, options, crispness)
        if before and age > 0:
            unsharp = before.unsharp + (1 - math.exp(-age / _CRISP_MEMORY)) * (unsharp - before.unsharp)
        light = replace(light, unsharp=unsharp)
    if options.match_blur:
        blur = missing_blur(in_light(drawn, light, options), face.crop, skin, enlarged=scale_of(face.matrix))
        light = replace(light, blur=blur)
    return light


def _unsharp(drawn: NDArray[np.float32], light: Light, options: SwapOptions, crispness: Crispness) -> float:
    """The amount that makes a drawing in a light, whose own is not known yet, as crisp as it shall be."""
    if not crispness.detail:
        return crispness.unsharp
    plain = options.model_copy(update={"sharpen": 1.0})
    soft, sharp = (in_light(drawn, replace(light, unsharp=amount), plain) for amount in (0.0, 1.0))
    return unsharp_for(soft, sharp, crispness.detail)


def in_light(drawn: NDArray[np.float32], light: Light, options: SwapOptions) -> NDArray[np.float32]:
    """(S, S, 3) float32 RGB, 0..1: a drawing sharpened, with the light's colours and blur; see :func:`light_of`.

    ``options.sharpen`` times what the light needs is applied.
    """
    result = sharpen(drawn, options.sharpen * light.unsharp)
    if light.transfer is not None:
        result = apply_transfer(result, light.transfer, options.colour_strength)
    return blurred(result, light.blur)
