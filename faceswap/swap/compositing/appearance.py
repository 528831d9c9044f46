"""A generated face as the target's camera would show it: its colours, and as sharp or as far out of focus."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import Crispness, sharpen, unsharp_for
from faceswap.faces.geometry import scale_of
from faceswap.faces.smoothing import weight_of_new
from faceswap.swap.compositing.colour import Transfer, apply_transfer, fit_transfer
from faceswap.swap.compositing.focus import around_eyes, blur_of, blur_of_face, blurred, missing_blur
from faceswap.swap.compositing.shared_skin import shared_skin
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.masks.visibility import Visibility
from faceswap.swap.openings.outlines import openings_of
from faceswap.swap.options import SwapOptions


@dataclass(frozen=True)
class AppearanceTuning:
    """Constants of the appearance on a video; not measured."""

    measure_every: float = 0.1
    """Seconds after which the appearance is measured anew."""
    new_light: float = 0.02
    """Change (of 1) in the mean colour of the middle of a face for which that is done at once."""
    sharpening_seconds: float = 0.4
    """Seconds over which the sharpening is smoothed: teeth that show count as detail."""


TUNING = AppearanceTuning()


@dataclass(frozen=True)
class Appearance:
    """What makes a generated face match the target's colours and focus.

    Attributes:
        time: of the frame in which it was measured, seconds.
        middle: (3,) mean colour of the middle of its crop, 0..1.
        transfer: of the colours; None: they stay.
        unsharp: amount of unsharp masking that the generated face needs there.
        blur: standard deviation, px of the crop.
    """

    time: float
    middle: NDArray[np.float64]
    transfer: Transfer | None
    unsharp: float
    blur: float


def measure_appearance(
    face: GeneratedFace,
    image: NDArray[np.uint8],
    visible: Visibility | None,
    options: SwapOptions,
    crispness: Crispness,
    before: Appearance | None = None,
    time: float = 0.0,
) -> Appearance:
    """What a generated face needs to match its target; on a video measured ten times a second, and when light changes.

    Args:
        face: with what the network saw and generated.
        image: (H, W, 3) uint8 RGB, the frame, in which the target's face is still to be seen.
        visible: where the target's face is not covered; None: everywhere.
        options: ``colour``, ``colour_strength``, ``colour_memory``, ``sharpen`` and ``match_blur`` count here.
        crispness: that the network's pictures shall have in the target's light, too: a shift of brightness alone would
            make the same features twice as crisp on darker skin.
        before: of an earlier frame, with whose colours the new ones are mixed; None: a single picture, or the first.
        time: of the frame in seconds.
    """
    crop, picture, target = face.crop, face.picture, face.target
    size = len(picture)
    middle = target[size // 4 : -(size // 4), size // 4 : -(size // 4)].mean(axis=(0, 1)) / 255
    age = time - before.time if before else -1.0
    lasting = options.colour_memory > 0
    recent = 0 <= age < TUNING.measure_every
    if before and lasting and recent and np.abs(middle - before.middle).max() < TUNING.new_light:
        return before
    transfer = None
    if options.colour_strength:
        # fitted before sharpening: the spread that sharpening adds would be taken away again
        transfer = fit_transfer(picture, target, shared_skin(face, visible), options.colour)
    if transfer and before and age > 0 and options.colour_memory > 0:
        transfer = transfer.mixed(before.transfer, weight_of_new(age, options.colour_memory))
    appearance = Appearance(time, middle, transfer, 0.0, 0.0)
    if options.sharpen:
        unsharp = _unsharp(face, appearance, options, crispness)
        if before and age > 0:
            share = weight_of_new(age, TUNING.sharpening_seconds)
            unsharp = before.unsharp + share * (unsharp - before.unsharp)
        appearance = replace(appearance, unsharp=unsharp)
    if options.match_blur:
        # with fine detail it will be as crisp as photos
        crisp = (
            options.model_copy(update={"sharpen": 1.0}) if face.fine_detail and options.detail else options
        )
        shown = apply_appearance(face, appearance, crisp)
        own = blur_of(shown, around_eyes(crop.landmarks_in_crop, size, crop.geometry.unit))
        blur = missing_blur(own, blur_of_face(image, face.target_landmarks), scale_of(crop.matrix))
        appearance = replace(appearance, blur=blur)
    return appearance


def _unsharp(
    face: GeneratedFace, appearance: Appearance, options: SwapOptions, crispness: Crispness
) -> float:
    """The amount that makes a picture as crisp as it shall be, given an appearance that has no amount yet."""
    if not crispness.detail:
        return crispness.unsharp
    plain = options.model_copy(update={"sharpen": 1.0})
    return unsharp_for(
        lambda amount: apply_appearance(face, replace(appearance, unsharp=amount), plain), crispness.detail
    )


def apply_appearance(
    face: GeneratedFace,
    appearance: Appearance,
    options: SwapOptions,
    detailed: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """(S, S, 3) float32 RGB, 0..1: a generated picture sharpened, with the target's colours and blur.

    ``options.sharpen`` times what the appearance asks for is applied; see :func:`measure_appearance`.

    Args:
        face, appearance, options: as measured.
        detailed: (S, S) float32, 0..1: where it gets the fine detail of photos and needs no sharpening.
    """
    result = sharpen(face.picture, options.sharpen * appearance.unsharp)
    if detailed is not None:
        result = result + detailed[..., None] * (face.picture - result)
    if appearance.transfer is not None:
        result = apply_transfer(result, appearance.transfer, openings_of(face), options.colour_strength)
    return blurred(result, appearance.blur)
