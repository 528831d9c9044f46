"""One swapped crop laid into the frame: outline, then occlusion, mask, colour, detail and blending, in this order."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import AS_ASKED, Crispness
from faceswap.swap.compositing.appearance import Light, in_light, light_of
from faceswap.swap.compositing.blending import blend, uncrop
from faceswap.swap.compositing.detail import add_grain
from faceswap.swap.compositing.reshaping import Reshaping, share_at
from faceswap.swap.expression.transfer import Fitting
from faceswap.swap.face_crop import Placed
from faceswap.swap.masks.occlusion_mask import Visible, visible_face
from faceswap.swap.masks.shapes import face_height, face_mask, feature_mask, region_of
from faceswap.swap.options import SwapOptions

_OCCLUSION_MEMORY = 0.12
"""Seconds over which the outline of an occluder is smoothed: hands are quick."""


@dataclass
class Memory:
    """What is remembered of one face from frame to frame, so that its colours and its mask do not flicker."""

    time: float = -math.inf
    """Seconds, of the frame before."""
    light: Light | None = None
    visible: Visible | None = None
    fitting: Fitting = field(default_factory=Fitting)
    """Of the stage before, which may run in a thread of its own."""
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def share(self, time: float, memory: float) -> float:
        """How much of a new frame counts, for a first-order filter that forgets within ``memory`` seconds."""
        step = time - self.time
        return 1.0 if memory <= 0 or step <= 0 else 1 - math.exp(-step / memory)


def reshaped(image: NDArray[np.uint8], face: Placed, options: SwapOptions) -> Placed:
    """Give the target the outline of the drawn face, in place, before anything is laid on it.

    Args:
        image: (H, W, 3) uint8 RGB, changed.
        face: where the drawing goes.
        options: ``reshape`` and ``protect`` count here.

    Returns:
        the face as it then lies in the image.
    """
    region = region_of(face.geometry, face.matrix, image.shape[1], image.shape[0])
    if face.drawn is None or not options.reshape or region.empty:
        return face
    strength = options.reshape * share_at(face.landmarks)
    reshaping = Reshaping(face.landmarks, face.drawn, face.matrix, strength, face.others)
    before = image[region.slices].copy() if options.protect else image
    reshaping.apply(image)
    for feature in options.protect:
        kept = feature_mask(feature, region, face.landmarks, face_height(face.geometry, face.matrix))
        blend(image, before, kept, region)
    return replace(face, moved=reshaping.moved(face.landmarks))


def lay(
    image: NDArray[np.uint8],
    face: Placed,
    output: NDArray[np.float32],
    options: SwapOptions,
    memory: Memory | None = None,
    time: float = 0.0,
    crispness: Crispness = AS_ASKED,
) -> float:
    """Blend one swapped crop into an image, in place.

    Args:
        image: (H, W, 3) uint8 RGB, changed.
        face: where it goes, as :func:`reshaped` gives it.
        output: (S, S, 3) float32 RGB, 0..1, of the network.
        options: all but the choice of faces and the label count.
        memory: of this face; changed. None: a single picture.
        time: of the frame in seconds.
        crispness: of the network's pictures; ``options.sharpen`` times what it asks for is applied.

    Returns:
        the area that was replaced, in pixels, partly replaced ones by their share.
    """
    region = region_of(face.geometry, face.matrix, image.shape[1], image.shape[0])
    if region.empty:
        return 0.0
    mask = face_mask(region, face.outlined, face.geometry, face.matrix, options, face.drawn)
    if face.fringe is not None:
        mask *= Visible(face.fringe[..., 2], face.matrix).in_region(region)
    visible = None
    if options.occlusion != "none":
        visible = _visible(image, face, memory, time)
        mask *= visible.in_region(region)
    light = light_of(face, output, visible, options, crispness, memory.light if memory else None, time)
    drawn = in_light(output, light, options)
    over = uncrop(drawn, face.matrix, region)
    if options.grain:
        rng = memory.rng if memory else np.random.default_rng(0)
        over = add_grain(over, image[region.slices], mask > 0.5, options.grain, rng)
    blend(image, over, mask, region)
    if memory is not None:
        memory.time, memory.light = time, light
    return float(mask.sum())


def _visible(image: NDArray[np.uint8], face: Placed, memory: Memory | None, time: float) -> Visible:
    """Where the face is not covered, smoothed over time where there is a memory."""
    visible = visible_face(image, face.outlined)
    if memory is not None:
        visible = visible.mixed(memory.visible, memory.share(time, _OCCLUSION_MEMORY))
        memory.visible = visible
    return visible
