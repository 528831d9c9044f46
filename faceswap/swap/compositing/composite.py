"""One generated face composited into the frame: mask, occlusion, colours, detail and blending, in this order."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import AS_ASKED, Crispness
from faceswap.faces.geometry import Points, compose, scale_of
from faceswap.faces.regions import Region
from faceswap.swap.compositing.appearance import Appearance, apply_appearance, measure_appearance
from faceswap.swap.compositing.blending import blend, brightened, uncrop
from faceswap.swap.compositing.fine_detail_transfer import ShownDetail, find_detail, placed_detail
from faceswap.swap.compositing.reshaping import Reshaping
from faceswap.swap.compositing.texture import texture_of
from faceswap.swap.compositing.toning import Toning, toning_of, without_colour
from faceswap.swap.expression.transfer import ExpressionMemory
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.masks.face_mask import face_mask, feature_mask
from faceswap.swap.masks.seen_face import SeenFace
from faceswap.swap.masks.visibility import Visibility, visible_face
from faceswap.swap.openings.eyeballs import EyeMemory, lay_eyeballs
from faceswap.swap.openings.swap_part import SwapPart
from faceswap.swap.openings.teeth import lay_teeth
from faceswap.swap.options import SwapOptions

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CompositeTuning:
    """Constants of compositing; not measured."""

    worn: float = 0.5
    """How sure it has to be, 0..1, that the reference wears glasses."""


TUNING = CompositeTuning()


@dataclass
class FaceMemory:
    """What is remembered of one face from frame to frame, so that colours, mask, detail and eyes do not flicker."""

    appearance: Appearance | None = None
    toning: Toning | None = None
    seen: SeenFace | None = None
    detail: ShownDetail | None = None
    eyes: EyeMemory | None = None
    expression: ExpressionMemory = field(default_factory=ExpressionMemory)
    """Of the stage before, which may run in a thread of its own."""


def reshape_target(
    image: NDArray[np.uint8], face: GeneratedFace, options: SwapOptions, others: tuple[Points, ...] = ()
) -> GeneratedFace:
    """Give the target the outline of the generated face, in place, before anything is composited.

    Args:
        image: (H, W, 3) uint8 RGB, changed.
        face: with its landmarks, without which nothing moves.
        options: ``reshape`` and ``protect`` count here.
        others: (68, 2) landmarks each of the frame's other faces, which must not move.

    Returns:
        the face with the target's landmarks as they then lie in the image.
    """
    crop = face.crop
    if face.landmarks is None or not options.reshape or crop.region.empty:
        return face
    strength = options.reshape * crop.frontality
    reshaping = Reshaping(crop.landmarks, face.landmarks, crop.matrix, strength, others)
    before = image[crop.region.slices].copy() if options.protect else image
    reshaping.apply(image)
    for feature in options.protect:
        kept = feature_mask(feature, crop.region, crop.landmarks, crop.height)
        blend(image, before, kept, crop.region)
    return replace(face, reshaped_target=reshaping.moved(crop.landmarks))


def composite(
    image: NDArray[np.uint8],
    face: GeneratedFace,
    options: SwapOptions,
    memory: FaceMemory | None = None,
    time: float = 0.0,
    crispness: Crispness = AS_ASKED,
    covered: NDArray[np.float32] | None = None,
) -> float:
    """Blend one generated face into an image, in place.

    Args:
        image: (H, W, 3) uint8 RGB, changed.
        face: as :func:`reshape_target` gives it.
        options: all but the choice of faces and the label count.
        memory: of this face; changed. None: a single picture.
        time: of the frame in seconds.
        crispness: of the network's pictures; ``options.sharpen`` times what it asks for is applied.
        covered: (H, W) float32, changed: where it is not None, the mask is written there.

    Returns:
        the area that was replaced, in pixels, partly replaced ones by their share.
    """
    crop = face.crop
    if crop.region.empty:
        return 0.0
    visible = _visible(image, face, memory, time) if options.occlusion != "none" else None
    region, mask = _mask(face, visible, options)
    if region.empty:
        return 0.0
    toning = toning_of(face.target, memory.toning if memory else None)
    if toning is not None:
        face = replace(face, picture=without_colour(face.picture))
    before = memory.appearance if memory else None
    appearance = measure_appearance(face, image, visible, options, crispness, before, time)
    detail = _detail(face, options, memory, time)
    looks = apply_appearance(face, appearance, options, None if detail is None else detail.share)
    over = uncrop(looks, crop.matrix, region)
    under, placed = image[region.slices], None
    if detail is not None:
        to_region = compose(np.array([[1.0, 0, -region.left], [0, 1.0, -region.top]]), crop.to_frame)
        size = (region.width, region.height)
        placed = placed_detail(detail, looks, crop.geometry, to_region, size, appearance.blur)
    over = brightened(over, placed, texture_of(under, options.texture, 1 / scale_of(crop.matrix)))
    part = SwapPart(over, under, region, crop.to_frame)
    lay_teeth(part, face, options.teeth)
    eyes = lay_eyeballs(part, face, options.eyes, memory.eyes if memory else None, time)
    blend(image, over, mask, region)
    if toning is not None:
        np.copyto(image[region.slices], toning.toned(image[region.slices]), where=mask[..., None] > 0)
    if covered is not None:
        covered[region.slices] = mask
    if memory is not None:
        memory.appearance, memory.toning = appearance, toning
        memory.detail, memory.eyes = detail, eyes
    return float(mask.sum())


def _detail(
    face: GeneratedFace, options: SwapOptions, memory: FaceMemory | None, time: float
) -> ShownDetail | None:
    """The fine detail that a face gets, where it was generated and not painted over; None: none."""
    if face.fine_detail is None or not options.detail:
        return None
    where = None
    if face.mask is not None and options.hairline:
        where = face.mask.unpainted(options.hairline)
    before = memory.detail if memory else None
    bare = where is not None and options.glasses == "remove"
    geometry = face.crop.geometry
    return find_detail(face.fine_detail, face.picture, geometry, options.detail, where, bare, before, time)


def _mask(face: GeneratedFace, visible: Visibility | None, options: SwapOptions) -> tuple[Region, Floats]:
    """The part of the frame in which anything is replaced, and (region.height, region.width) how far, 0..1."""
    crop, region = face.crop, face.crop.region
    mask = face_mask(region, crop, options, face.target_landmarks, face.landmarks)
    share = None if visible is None else visible.in_crop(crop.matrix, crop.geometry.size)
    glasses = None
    if face.mask is not None and options.hairline:
        hairline = np.float32(options.hairline)
        shown = face.mask.shown(face.target_landmarks, crop.matrix, crop.geometry)
        kept = 1 - hairline * (1 - shown)
        if face.mask.worn:  # the arms of its glasses reach beyond the face
            glasses = hairline * face.mask.glasses * (1 if share is None else share)
        share = kept if share is None else kept * share
    if glasses is None:
        region, mask = _where_any(region, mask)
    if share is not None and not region.empty:
        mask = mask * Visibility(share, crop.matrix).in_region(region)
    if glasses is not None:
        arms = Visibility(glasses, crop.matrix).in_region(region)
        for feature in options.protect:
            arms *= 1 - feature_mask(feature, region, face.target_landmarks, crop.height)
        np.maximum(mask, arms, out=mask)
    return region, mask


def _where_any(region: Region, mask: Floats) -> tuple[Region, Floats]:
    """The least part of a region that holds all of a mask; an empty one where there is none."""
    left, top, width, height = cv2.boundingRect((mask > 0).view(np.uint8))
    part = Region(region.left + left, region.top + top, region.left + left + width, region.top + top + height)
    return part, mask[top : top + height, left : left + width]


def _visible(
    image: NDArray[np.uint8], face: GeneratedFace, memory: FaceMemory | None, time: float
) -> Visibility:
    """Where the face is not covered, smoothed over time where there is a memory."""
    # the reference's glasses take the place of the target's
    glasses = face.mask is not None and face.mask.worn > TUNING.worn
    if memory is None:
        return visible_face(image, face.target_landmarks, with_glasses=glasses)
    memory.seen = SeenFace.after(
        memory.seen, image, face.target_landmarks, face.target, with_glasses=glasses, time=time
    )
    return memory.seen.visible
