"""What the network generated within the mask and is no face: skin is painted over hair, background stays the target's.

The upper part of a mask is a guess, since no landmark tells where a forehead ends. Where the reference's hair reaches
lower than that, a dark line of it would stand on the target's temple; its colours, which are not the skin's, tell it.
The lower part follows the jaw's landmarks, which are less exact on a turned head: there a sliver of the reference's
background would stand on the target's cheek; the occlusion network tells it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points
from faceswap.faces.landmarks import INNER, LEFT_EYE_CORNER, NOSE_TIP, RIGHT_EYE_CORNER
from faceswap.faces.regions import convex, depth_in, skin_in_crop
from faceswap.faces.smoothing import weight_of_new
from faceswap.swap.masks.occlusion_mask import visible_face
from faceswap.swap.masks.skin_colours import distance_from_skin

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class HairTuning:
    """Constants of the hair mask. None of them is the result of a recorded measurement."""

    detect_every: float = 0.3
    """Seconds of video after which the mask is made anew: hair moves with the head, and so hardly in the crop."""
    time_constant: float = 0.4
    """Seconds over which the mask is smoothed on a video."""
    skin: float = 2.5
    """Distance from the face's skin, in its standard deviations, up to which a colour is skin."""
    hair: float = 4.0
    """The same distance from which on it is none."""
    feature_margin: float = 0.05
    """Width around the inner landmarks, in face heights, that is never taken for hair: brows are none."""
    feature_edge: float = 0.05
    """Width of the soft edge beyond that margin, in face heights."""
    blur: float = 0.02
    """Standard deviation of the blur of the mask's border, in face heights."""
    skin_reaches: tuple[float, float] = (0.05, 0.15)
    """Standard deviations, in face heights, of the two blurs that spread the skin over the hair beside it."""
    skin_side: int = 48
    """Side in px at which that is done: what is spread is smooth."""
    hidden_middle: float = 0.1
    """Share of the middle of a face that may be hidden; a picture with more is not like a face, and has no border."""


TUNING = HairTuning()


@dataclass(frozen=True, eq=False)
class HairMask:
    """What the pixels of a generated picture show: three times (S, S) float32, softly from 0 to 1.

    Attributes:
        no_hair: 0 where hair is to be painted over: neither at brows, eyes, nose and mouth nor below the nose, where
            it may be a beard.
        skin: 1 where the colours are the skin's.
        head: 0 below the eyes where the head ends and the background begins.
    """

    no_hair: Floats
    skin: Floats
    head: Floats

    def mixed(self, before: "HairMask", share: float) -> "HairMask":
        """This mask and an earlier one: ``share`` (0..1) of this one."""
        new = np.float32(share)
        pairs = ((self.no_hair, before.no_hair), (self.skin, before.skin), (self.head, before.head))
        return HairMask(*(new * now + (1 - new) * then for now, then in pairs))


@dataclass(frozen=True)
class SmoothedHairMask:
    """The hair mask of a face on a video: made a few times a second, and smoothed."""

    time: float
    """Of the frame for which it was made, seconds."""
    mask: HairMask

    @classmethod
    def after(
        cls,
        before: "SmoothedHairMask | None",
        picture: Floats,
        landmarks: Points,
        geometry: Geometry,
        time: float,
    ) -> "SmoothedHairMask":
        """The mask at ``time`` (seconds), given that of an earlier frame; other arguments as :func:`find_hair`."""
        age = time - before.time if before and before.mask.skin.shape == picture.shape[:2] else -1.0
        if before and 0 <= age < TUNING.detect_every:
            return before
        found = find_hair(picture, landmarks, geometry)
        if before and age > 0:
            found = found.mixed(before.mask, weight_of_new(age, TUNING.time_constant))
        return cls(time, found)


def without_hair(picture: Floats, mask: HairMask, geometry: Geometry, strength: float = 1.0) -> Floats:
    """A generated picture whose hair, where it reaches into the face, is painted over with the skin beside it.

    Args:
        picture: (S, S, 3) float32 RGB, 0..1.
        mask: of the picture, see :func:`find_hair`.
        geometry: of the picture.
        strength: 0 paints nothing, 1 wholly.

    Returns:
        (S, S, 3) float32 RGB, 0..1; where there is no hair, the same values.
    """
    size, side = geometry.size, min(geometry.size, TUNING.skin_side)
    weight = np.maximum(mask.skin[..., None], 1e-4) ** 4  # what is half hair must not spread
    weighted = np.concatenate([picture * weight, weight], axis=-1)
    coarse = cv2.resize(weighted, (side, side), interpolation=cv2.INTER_AREA)
    spread = sum(
        cv2.GaussianBlur(coarse, (0, 0), reach * side / geometry.coverage) for reach in TUNING.skin_reaches
    )
    skin = cv2.resize(spread, (size, size), interpolation=cv2.INTER_LINEAR)
    share = np.float32(strength) * (1 - mask.no_hair[..., None])
    return np.asarray((1 - share) * picture + share * skin[..., :3] / skin[..., 3:], np.float32)


def find_hair(picture: Floats, landmarks: Points, geometry: Geometry) -> HairMask:
    """Where a generated picture shows the face and not the hair around it, and where it shows skin.

    Args:
        picture: (S, S, 3) float32 RGB, 0..1, an upright face.
        landmarks: (68, 2) of that face in px of the picture.
        geometry: of the picture.

    Returns:
        the mask; all 1 where too little skin is seen to know its colours.
    """
    size, unit = geometry.size, geometry.unit
    skin = skin_in_crop(landmarks, geometry, np.eye(2, 3))
    if int(skin.sum()) < 64:
        return HairMask(*np.ones((3, size, size), np.float32))
    distance = distance_from_skin(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2LAB), skin)
    grid = np.arange(size, dtype=np.float64)
    outside = -depth_in(convex(landmarks[INNER]), grid, grid) / unit
    # hair counts wholly above the eyes, and not below the nose's tip, where a beard may be
    eyes = float(landmarks[[RIGHT_EYE_CORNER, LEFT_EYE_CORNER], 1].mean())
    nose = float(landmarks[NOSE_TIP, 1])
    high = np.clip((nose - grid) / max(nose - eyes, 1.0), 0, 1).astype(np.float32)[:, None]
    no_skin = np.clip((distance - TUNING.skin) / (TUNING.hair - TUNING.skin), 0, 1)
    outer = np.clip((outside - TUNING.feature_margin) / TUNING.feature_edge, 0, 1)
    visible = visible_face(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8), landmarks)
    background = 1 - visible.in_crop(np.eye(2, 3), size)
    if float(background[outside < 0].mean()) > TUNING.hidden_middle:
        background[:] = 0
    parts = np.dstack([no_skin * outer * high, no_skin, background * outer * (1 - high)]).astype(np.float32)
    grown = cv2.dilate(parts, np.ones((3, 3), np.uint8))
    soft = np.asarray(1 - cv2.GaussianBlur(grown, (0, 0), max(TUNING.blur * unit, 0.5)), np.float32)
    return HairMask(*(np.ascontiguousarray(soft[..., i]) for i in range(3)))
