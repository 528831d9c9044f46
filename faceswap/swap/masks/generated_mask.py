"""What the network generated within the mask and is not the reference's face: hair, collar, background.

None of it reaches the target. It is painted over with the skin beside it, so that no soft edge shows its colours, and
where the target's brows do not lie below it, the mask ends there and the target's own pixels stay. Glasses count as a
part of the reference's face, since half painted over they look worse than whole, but are painted out where asked for.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Matrix, Points, apply
from faceswap.faces.landmarks import BROWS, EYES, LEFT_BROW, NOSE, OUTER_LIPS, RIGHT_BROW
from faceswap.faces.regions import convex, depth_in, fill_outline
from faceswap.faces.smoothing import weight_of_new
from faceswap.swap.masks.visibility import Segments
from faceswap.swap.options import Glasses

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class GeneratedMaskTuning:
    """Constants of the mask; chosen by eye on real people (docs/measurements/masks.md)."""

    detect_every: float = 0.3
    """Seconds of video after which the mask is made anew: hair moves with the head, and so hardly in the crop."""
    time_constant: float = 0.4
    """Seconds over which the mask is smoothed on a video."""
    feature_margin: float = 0.02
    """Width around eyes, nose and mouth, in face heights, that always belongs to the face."""
    feature_edge: float = 0.04
    """Width of the soft edge beyond that margin, in face heights."""
    brow_margin: float = 0.09
    """Width around the target's brows, in face heights, where painted skin is shown and not the target's brows."""
    blur: float = 0.02
    """Standard deviation of the blur of the mask's border, in face heights."""
    grown: float = 0.02
    """By how much what is no face is grown, in face heights: its edge is half hair."""
    skin_reaches: tuple[float, float] = (0.05, 0.15)
    """Standard deviations, in face heights, of the two blurs that spread the skin over what is beside it."""
    skin_side: int = 64
    """Side in px at which that is done: what is spread is smooth."""
    rim: float = 0.45
    """Probability from which on a pixel belongs to rims that are painted out."""
    brow_height: float = 0.12
    """Of a brow above its landmarks, in face heights."""
    rim_grown: float = 0.02
    """By how much they are grown, in face heights: their soft edges."""
    rim_edge: float = 0.012
    """Standard deviation of the blur of their border, in face heights."""
    rim_reach: float = 0.02
    """Standard deviation, in face heights, of the narrower of two blurs that fill them from around."""


TUNING = GeneratedMaskTuning()
_PART = 0.3


@dataclass(frozen=True, eq=False)
class GeneratedMask:
    """Where a generated picture shows the reference's face.

    Attributes:
        face: (S, S) float32, softly from 0 (hair, collar, background) to 1.
        glasses: (S, S) float32, softly from 0 to 1 on the reference's glasses: their arms reach beyond the face.
        worn: how surely there are any, 0..1.
        removed: (S, S) float32, softly from 0 to 1 where rims are painted out; None: nowhere.
    """

    face: Floats
    glasses: Floats
    worn: float = 0.0
    removed: Floats | None = None

    @classmethod
    def of(
        cls, picture: Floats, landmarks: Points, geometry: Geometry, glasses: Glasses = "keep"
    ) -> "GeneratedMask":
        """The mask of a generated picture.

        Args:
            picture: (S, S, 3) float32 RGB, 0..1.
            landmarks: (68, 2) of the face in px of the picture.
            geometry: of the picture.
            glasses: whether they are painted out.
        """
        unit = geometry.unit
        seen = Segments.of(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8), landmarks)
        shown, rims = (one.in_crop(np.eye(2, 3), geometry.size) for one in (seen.visible(True), seen.glasses))
        hidden = 1 - shown
        reach = 2 * round(TUNING.grown * unit) + 1
        hidden = cv2.dilate(hidden, np.ones((reach, reach), np.uint8))
        hidden = cv2.GaussianBlur(hidden, (0, 0), max(TUNING.blur * unit, 0.5))
        grid = np.arange(geometry.size, dtype=np.float64)
        inside = np.full(hidden.shape, -np.inf, np.float32)
        for part in (*EYES, NOSE, OUTER_LIPS):
            np.maximum(inside, depth_in(convex(landmarks[part]), grid, grid), out=inside)
        beyond = (-inside / unit - TUNING.feature_margin) / TUNING.feature_edge
        face = np.asarray(1 - hidden * np.clip(beyond, 0, 1), np.float32)
        worn = seen.glasses_worn
        if glasses == "remove" and worn:
            return cls(face, np.zeros_like(rims), 0.0, _rims_beside(rims, landmarks, unit))
        return cls(face, rims, worn)

    def mixed(self, before: "GeneratedMask", share: float) -> "GeneratedMask":
        """This mask and an earlier one: ``share`` (0..1) of this one."""
        new = np.float32(share)
        return GeneratedMask(
            new * self.face + (1 - new) * before.face,
            new * self.glasses + (1 - new) * before.glasses,
            share * self.worn + (1 - share) * before.worn,
            _mixed(self.removed, before.removed, new),
        )

    def shown(self, target: Points, matrix: Matrix, geometry: Geometry) -> Floats:
        """(S, S) float32, 0..1: which part of the painted picture the swap shows.

        Args:
            target: (68, 2) landmarks of the target's face in the frame.
            matrix: (2, 3) from the frame to the crop.
            geometry: of the crop.
        """
        unit = geometry.unit
        points = apply(matrix, target)[BROWS]
        grid = np.arange(geometry.size, dtype=np.float64)
        half, reach = len(points) // 2, TUNING.brow_margin * unit
        top, bottom = points[:, 1].min() - reach, points[:, 1].max() + reach
        rows = slice(*np.clip((math.floor(top), math.ceil(bottom) + 1), 0, geometry.size).tolist())
        shown = self.face.copy()
        for side in (points[:half], points[half:]):
            depth = depth_in(convex(side), grid, grid[rows])
            np.maximum(shown[rows], np.clip(2 + 2 * depth / np.float32(reach), 0, 1), out=shown[rows])
        return shown

    def unpainted(self, strength: float) -> Floats:
        """(S, S) float32, 0..1: where :meth:`painted` leaves the picture as it was generated."""
        kept = 1 - np.float32(strength) * (1 - self.face) * (1 - self.glasses)
        return kept if self.removed is None else kept * (1 - np.float32(strength) * self.removed)

    def painted(self, picture: Floats, geometry: Geometry, strength: float = 1.0) -> Floats:
        """A generated picture with the skin beside it in place of what is no face.

        Args:
            picture: (S, S, 3) float32 RGB, 0..1.
            geometry: of the picture.
            strength: 0 paints nothing, 1 wholly.

        Returns:
            (S, S, 3) float32 RGB, 0..1; where the face is seen, the same values.
        """
        size, side = geometry.size, min(geometry.size, TUNING.skin_side)
        weight = np.maximum(self.face[..., None], 1e-4) ** 4  # what is half hair must not spread
        weighted = np.concatenate([picture * weight, weight], axis=-1)
        coarse = cv2.resize(weighted, (side, side), interpolation=cv2.INTER_AREA)
        spread = sum(
            cv2.GaussianBlur(coarse, (0, 0), reach * side / geometry.coverage)
            for reach in TUNING.skin_reaches
        )
        skin = cv2.resize(spread, (size, size), interpolation=cv2.INTER_LINEAR)
        share = np.float32(strength) * ((1 - self.face) * (1 - self.glasses))[..., None]
        result = np.asarray((1 - share) * picture + share * skin[..., :3] / skin[..., 3:], np.float32)
        return (
            result
            if self.removed is None
            else _filled(result, np.float32(strength) * self.removed, TUNING.rim_reach * geometry.unit)
        )


def _rims_beside(glasses: Floats, landmarks: Points, unit: float) -> Floats:
    """(S, S) float32, 0..1: rims as far as they lie neither on eyes and lids nor on brows, with their edges."""
    rims = (glasses > TUNING.rim).astype(np.uint8)
    reach = 2 * round(TUNING.rim_grown * unit) + 1
    rims = cv2.dilate(rims, np.ones((reach, reach), np.uint8))
    around = np.zeros_like(rims)
    for eye, brow in zip(EYES, (RIGHT_BROW, LEFT_BROW), strict=True):
        above = landmarks[brow] - (0, TUNING.brow_height * unit)
        fill_outline(around, np.concatenate([landmarks[eye], landmarks[brow], above]), 1)
    rims *= 1 - cv2.dilate(around, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(rims.astype(np.float32), (0, 0), max(TUNING.rim_edge * unit, 0.5))


def _filled(picture: Floats, share: Floats, sigma: float) -> Floats:
    """A picture (S, S, 3), 0..1, in which a part (S, S), 0..1, is filled with what is around it.

    Normalised convolution: Knutsson & Westin, "Normalized and differential convolution" (1993).
    """
    weight = np.where(share > _PART, np.float32(1e-4), np.float32(1))[..., None]
    weighted = np.concatenate([picture * weight, weight], axis=-1)
    spread = sum(cv2.GaussianBlur(weighted, (0, 0), times * sigma) for times in (1, 2))
    return np.asarray(picture + share[..., None] * (spread[..., :3] / spread[..., 3:] - picture), np.float32)


def _mixed(now: Floats | None, before: Floats | None, new: np.float32) -> Floats | None:
    """Two parts, of which ``None`` is none."""
    if now is None or before is None:
        one, share = (before, 1 - new) if now is None else (now, new)
        return None if one is None else share * one
    return new * now + (1 - new) * before


@dataclass(frozen=True)
class SmoothedGeneratedMask:
    """The mask of a face on a video: made a few times a second, and smoothed."""

    time: float
    """Of the frame for which it was made, seconds."""
    mask: GeneratedMask

    @classmethod
    def after(
        cls,
        before: "SmoothedGeneratedMask | None",
        picture: Floats,
        landmarks: Points,
        geometry: Geometry,
        time: float,
        glasses: Glasses = "keep",
    ) -> "SmoothedGeneratedMask":
        """The mask at ``time`` (seconds), given that of an earlier frame; other arguments as GeneratedMask.of."""
        age = time - before.time if before and before.mask.face.shape == picture.shape[:2] else -1.0
        if before and 0 <= age < TUNING.detect_every:
            return before
        found = GeneratedMask.of(picture, landmarks, geometry, glasses)
        if before and age > 0:
            found = found.mixed(before.mask, weight_of_new(age, TUNING.time_constant))
        return cls(time, found)
