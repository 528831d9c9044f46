"""What the network drew within the mask and is no face: skin takes the place of hair, the target that of all else.

A mask's upper part is a guess, no landmark tells where a forehead ends. Where the reference's hair reaches lower than
that, a dark line of it would stand on the target's temple. It is told by its colours, which are not the skin's. Its
lower part follows landmarks, which err at the jaw of a turned head: there a sliver of the reference's background would
stand on the target's cheek. It is told by the network that sees what hides a face.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points
from faceswap.swap.masks.occlusion_mask import visible_face
from faceswap.swap.masks.shapes import convex, depth_in, skin_in_crop
from faceswap.swap.masks.skin import strangeness

Floats = NDArray[np.float32]

_LOOK_EVERY, _MEMORY = 0.3, 0.4
"""Seconds of video after which the drawn face's border is looked for again, and over which it is smoothed: it moves
with the head, and so hardly in the crop."""
_SKIN, _HAIR = 2.5, 4.0
"""Standard deviations of the face's skin: below is skin, above is not."""
_MARGIN, _SOFT = 0.05, 0.05
"""Brows are no hair, nor is what lies below: so much around the inner landmarks stays, in face heights, and softly."""
_BLUR = 0.02
"""Deviation of the blur of the border, face heights."""
_REACHES = (0.05, 0.15)
"""Deviations of the blurs that carry the skin on, face heights."""
_CARRIED_AT = 48
"""Side in px at which that is done: what is carried is smooth."""
_NO_FACE = 0.1
"""A drawing whose middle is hidden by more than this share is not like a face, and its border can't be told."""
_EYES, _NOSE = (36, 45), 30
"""Landmarks: all of it counts above the eyes, nothing below the nose's tip, where a beard may be."""


@dataclass(frozen=True)
class Fringe:
    """Where a drawing was face, on a video: (S, S, 3), see :func:`drawn_face`; seldom looked for, and smoothed."""

    time: float
    face: Floats

    @classmethod
    def after(
        cls, before: "Fringe | None", drawn: Floats, landmarks: Points, geometry: Geometry, time: float
    ) -> "Fringe":
        """Of a drawing at ``time`` (seconds), after that of an earlier frame; arguments as :func:`drawn_face`."""
        age = time - before.time if before and before.face.shape == drawn.shape else -1.0
        if before and 0 <= age < _LOOK_EVERY:
            return before
        found = drawn_face(drawn, landmarks, geometry)
        if before and age > 0:
            share = np.float32(1 - math.exp(-age / _MEMORY))
            found = share * found + (1 - share) * before.face
        return cls(time, found)


def without_hair(drawn: Floats, face: Floats, geometry: Geometry, strength: float = 1.0) -> Floats:
    """A drawing whose hair, where it reaches into the face, is painted over with the skin beside it.

    Args:
        drawn: (S, S, 3) float32 RGB, 0..1.
        face: (S, S, 3) as :func:`drawn_face` gives it.
        geometry: of the drawing.
        strength: 0 paints nothing, 1 wholly.

    Returns:
        (S, S, 3) float32 RGB, 0..1; where there is no hair, the same values.
    """
    size, side = geometry.size, min(geometry.size, _CARRIED_AT)
    weight = np.maximum(face[..., 1:2], 1e-4) ** 4  # what is half hair must not spread
    weighted = np.concatenate([drawn * weight, weight], axis=-1)
    coarse = cv2.resize(weighted, (side, side), interpolation=cv2.INTER_AREA)
    blurred = sum(cv2.GaussianBlur(coarse, (0, 0), reach * side / geometry.coverage) for reach in _REACHES)
    near = cv2.resize(blurred, (size, size), interpolation=cv2.INTER_LINEAR)
    share = np.float32(strength) * (1 - face[..., :1])
    return np.asarray((1 - share) * drawn + share * near[..., :3] / near[..., 3:], np.float32)


def drawn_face(drawn: Floats, landmarks: Points, geometry: Geometry) -> Floats:
    """Where a drawing is the face and not the hair around it, and where it is skin.

    Args:
        drawn: (S, S, 3) float32 RGB, 0..1, as the network gave it, an upright face.
        landmarks: (68, 2) of the drawn face in px.
        geometry: of the drawing.

    Returns:
        (S, S, 3) float32, softly from 0 to 1. First 0 where hair is to go: neither at brows, eyes, nose and mouth nor
        below the nose, where it may be a beard. Then 1 where the colours are the skin's. Last 0 where the head's
        border was passed below the eyes.
    """
    size, unit = geometry.size, geometry.size / geometry.coverage
    skin = skin_in_crop(landmarks, geometry, np.eye(2, 3))
    if int(skin.sum()) < 64:
        return np.ones((size, size, 3), np.float32)
    strange = strangeness(cv2.cvtColor(np.ascontiguousarray(drawn), cv2.COLOR_RGB2LAB), skin)
    grid = np.arange(size, dtype=np.float64)
    away = -depth_in(convex(landmarks[17:]), grid, grid) / unit
    eyes, nose = float(landmarks[list(_EYES), 1].mean()), float(landmarks[_NOSE, 1])
    high = np.clip((nose - grid) / max(nose - eyes, 1.0), 0, 1).astype(np.float32)[:, None]
    dark = np.clip((strange - _SKIN) / (_HAIR - _SKIN), 0, 1)
    outer = np.clip((away - _MARGIN) / _SOFT, 0, 1)
    seen = visible_face(np.rint(np.clip(drawn, 0, 1) * 255).astype(np.uint8), landmarks)
    beyond = 1 - seen.in_crop(np.eye(2, 3), size)
    if float(beyond[away < 0].mean()) > _NO_FACE:
        beyond[:] = 0
    parts = np.dstack([dark * outer * high, dark, beyond * outer * (1 - high)]).astype(np.float32)
    grown = cv2.dilate(parts, np.ones((3, 3), np.uint8))
    return np.asarray(1 - cv2.GaussianBlur(grown, (0, 0), max(_BLUR * unit, 0.5)), np.float32)
