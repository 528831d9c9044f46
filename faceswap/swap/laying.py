"""One swapped crop laid into the frame: outline, occlusion, mask, colour, detail, blending, in this order."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import apply
from faceswap.swap.blending import blend, uncrop
from faceswap.swap.detail import add_grain
from faceswap.swap.fitting import Fitting
from faceswap.swap.fringe import drawn_face, without_hair
from faceswap.swap.light import Light, in_light, light_of
from faceswap.swap.masks import Region, face_height, face_mask, feature_mask, region_of
from faceswap.swap.occlusion import Visible, visible_face
from faceswap.swap.options import SwapOptions
from faceswap.swap.placed import Placed
from faceswap.swap.reshaping import Reshaping, share_at
from faceswap.swap.sharpening import AS_ASKED, Crispness

_FRINGE_EVERY, _FRINGE_MEMORY = 0.3, 0.4
"""Seconds of video after which the drawn face's border is looked for again, and over which it is smoothed: it moves
with the head, and so hardly in the crop."""
_OCCLUSION_MEMORY = 0.12
"""Seconds over which the outline of an occluder is smoothed: hands are quick."""


@dataclass(frozen=True)
class Fringe:
    """Where a drawing was face, on a video: (S, S, 3), see :func:`drawn_face`."""

    time: float
    face: NDArray[np.float32]

    def fits(self, drawn: NDArray[np.float32]) -> bool:
        """Whether it is of a drawing as large as this one."""
        return self.face.shape[:2] == drawn.shape[:2]


@dataclass
class Memory:
    """What is remembered of one face from frame to frame, so that its colours and its mask do not flicker."""

    time: float = -math.inf
    """Seconds, of the frame before."""
    light: Light | None = None
    visible: Visible | None = None
    fringe: Fringe | None = None
    fitting: Fitting = field(default_factory=Fitting)
    """Of the stage before, which may run in a thread of its own."""
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def share(self, time: float, memory: float) -> float:
        """How much of a new frame counts, for a first-order filter that forgets within ``memory`` seconds."""
        step = time - self.time
        return 1.0 if memory <= 0 or step <= 0 else 1 - math.exp(-step / memory)


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
        face: where it goes.
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
    face = _reshaped(image, face, region, options)
    fringe = _fringe(face, output, memory, time)
    if fringe is not None and options.hairline:
        output = without_hair(output, fringe, face.geometry, options.hairline)
    mask = face_mask(region, face.landmarks, face.geometry, face.matrix, options, face.drawn)
    if fringe is not None:
        mask *= Visible(fringe[..., 2], face.matrix).in_region(region)
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


def _reshaped(image: NDArray[np.uint8], face: Placed, region: Region, options: SwapOptions) -> Placed:
    """Give the target the outline of the drawn face, in place; the face as it then lies in the image."""
    if face.drawn is None or not options.reshape:
        return face
    strength = options.reshape * share_at(face.landmarks)
    reshaping = Reshaping(face.landmarks, face.drawn, face.matrix, strength, face.others)
    before = image[region.slices].copy() if options.protect else image
    reshaping.apply(image)
    for feature in options.protect:
        kept = feature_mask(feature, region, face.landmarks, face_height(face.geometry, face.matrix))
        blend(image, before, kept, region)
    landmarks = reshaping.moved(face.landmarks)
    return replace(face, landmarks=landmarks, crop=face.geometry.crop(image, face.matrix))


def _fringe(
    face: Placed, drawn: NDArray[np.float32], memory: Memory | None, time: float
) -> NDArray[np.float32] | None:
    """(S, S, 3) as :func:`drawn_face` gives it, smoothed on a video; None where no drawn face was read."""
    if face.drawn is None:
        return None
    before = memory.fringe if memory and memory.fringe and memory.fringe.fits(drawn) else None
    age = time - before.time if before else -1.0
    if before is None or not 0 <= age < _FRINGE_EVERY:
        found = drawn_face(drawn, apply(face.matrix, face.drawn), face.geometry)
        if before is not None and age > 0:
            share = np.float32(1 - math.exp(-age / _FRINGE_MEMORY))
            found = share * found + (1 - share) * before.face
        before = Fringe(time, found)
        if memory is not None:
            memory.fringe = before
    return before.face


def _visible(image: NDArray[np.uint8], face: Placed, memory: Memory | None, time: float) -> Visible:
    """Where the face is not covered, smoothed over time where there is a memory."""
    visible = visible_face(image, face.landmarks)
    if memory is not None:
        visible = visible.mixed(memory.visible, memory.share(time, _OCCLUSION_MEMORY))
        memory.visible = visible
    return visible
