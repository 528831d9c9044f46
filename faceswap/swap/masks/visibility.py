"""Where a face itself is seen: neither hair, glasses, hands or things over it, nor collar or background beside it.

One class for both pictures of a swap. What lies over the target's face keeps the target's pixels; what the network
generated besides the reference's face never reaches the target.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Matrix, Points, apply, compose, invert
from faceswap.faces.landmarks import INNER, LEFT_BROW, LEFT_EYE, RIGHT_BROW, RIGHT_EYE
from faceswap.faces.regions import Region, convex
from faceswap.faces.smoothing import rise
from faceswap.inference.segmentation import segmentation_network
from faceswap.model.segmentation_view import SEGMENTS, VIEW

Floats = NDArray[np.float32]
_SKIN, _GLASSES = SEGMENTS.index("skin"), SEGMENTS.index("glasses")


@dataclass(frozen=True)
class VisibilityTuning:
    """Constants of the mask; chosen by eye on real people (docs/measurements/masks.md)."""

    hidden: float = 0.3
    """Probability of skin up to which a pixel shows something else."""
    visible: float = 0.7
    """Probability from which on it shows the face; softly in between."""
    recognised: tuple[float, float] = (0.15, 0.35)
    """Share of the middle of a face that is seen: below the first the network did not recognise a face (a painting,
    night) and nothing counts as hidden; from the second on all does that it takes for it."""
    glasses_gain: float = 2.5
    """How much surer the network is taken to be of each pixel of glasses where there are any, since rims are thinner
    than its pixels. Where there are none, such pixels are creases around the eyes."""
    sure_glasses: float = 0.35
    """Probability above which a pixel says that there are any, but on brows and eyes and between them: there lie the
    creases and the shade of a frown; and"""
    glasses_worn: tuple[float, float] = (0.002, 0.0037)
    """the share of such pixels in the network's view at which that begins to count and wholly counts. Measured on every
    seventh frame of a to g: with thin rims (a) from 0.0043 on, with dark ones (d) from 0.011, of who wears none at most
    0.0015 (e with knitted brows in dim light, 0.019 of whose whole view passes for glasses)."""
    beside: float = 0.58
    """Distance from the middle of the eyes, over that of their outer corners, from which on a pixel is beside them."""
    rim: tuple[float, float] = (0.8, 0.95)
    """Probability up to which a pixel of thin glasses on a brow or an eye is taken for the brow's own edge or the lid's
    deep shade, and from which on it is a rim."""
    surest: float = 0.005
    """Share of the network's view whose mean probability of glasses"""
    dark: tuple[float, float] = (0.79, 0.83)
    """tells thin ones (up to the first) from dark ones (from the second on), which cover brows: a's lie at 0.65 to
    0.82, d's at 0.80 to 0.87."""
    surely_thin: tuple[float, float] = (0.75, 0.79)
    """The same where dark ones must not be taken for thin."""
    brow: float = 0.18
    """Width of a brow, over the distance of the eyes' outer corners, below rims that are surely thin: such upper rims
    lie along a brow's lower edge, of which bits stayed beside the generated one with 0.08 (a);"""
    lids: float = 0.08
    """that of lids, and of brows below other rims."""
    smallest: float = 0.002
    """Share of the network's view that what hides a face covers at least; less is a nostril, a tooth, a highlight."""


TUNING = VisibilityTuning()


@dataclass(frozen=True, eq=False)
class Segments:
    """What the segmentation network sees around a face: ``shares`` (s, s, 4) float32, in the crop of ``matrix``."""

    shares: Floats
    matrix: Matrix
    landmarks: Points

    @classmethod
    def of(cls, image: NDArray[np.uint8], landmarks: Points) -> "Segments":
        """Those of a face (68, 2) in an image (H, W, 3) uint8 RGB.

        Raises:
            TrainingError: the network's weights can't be read.
        """
        matrix = VIEW.matrix(landmarks)
        return cls(segmentation_network()(VIEW.crop(image, matrix)[None])[0], matrix, landmarks)

    def visible(self, with_glasses: bool = False, worn: float | None = None) -> "Visibility":
        """Where the face is seen.

        Args:
            with_glasses: they count as a part of it.
            worn: how surely there are any, 0..1; None: as this picture tells.
        """
        skin, glasses = self.shares[..., _SKIN], self.shares[..., _GLASSES]
        hidden = 1 - skin - glasses
        gain = TUNING.glasses_gain * (self.glasses_worn if worn is None else worn)
        if gain and not with_glasses:
            narrow, wide = (self._eyes_and_brows(width) for width in (TUNING.lids, TUNING.brow))
            features = np.maximum(narrow * np.float32(self._thin(TUNING.dark)), wide * np.float32(self.thin))
            rims = glasses * (1 - features * (1 - rise(glasses, TUNING.rim).astype(np.float32)))
            hidden = np.minimum(hidden + gain * rims, 1)
        hidden = hidden * _large(hidden > 1 - (TUNING.visible + TUNING.hidden) / 2)
        share = np.clip((1 - TUNING.hidden - hidden) / (TUNING.visible - TUNING.hidden), 0, 1)
        share = 1 - self._recognised(share) * (1 - share)
        return Visibility(share.astype(np.float32), self.matrix)

    @property
    def thin(self) -> float:
        """How surely the rims of glasses are thin, 0..1."""
        return self._thin(TUNING.surely_thin)

    def _thin(self, dark: tuple[float, float]) -> float:
        """How thin the rims of glasses are, 0..1: the surest pixels show dark ones more surely than thin ones."""
        glasses = self.shares[..., _GLASSES].reshape(-1)
        count = max(1, round(TUNING.surest * glasses.size))
        surest = float(np.partition(glasses, -count)[-count:].mean())
        return 1 - float(rise(surest, dark))

    def _eyes_and_brows(self, brow: float = TUNING.brow) -> Floats:
        """(s, s) where eyes with their lids and brows of that width are, 0 or 1."""
        found = np.zeros(self.shares.shape[:2], np.float32)
        points = apply(self.matrix, self.landmarks)
        unit = float(np.linalg.norm(points[RIGHT_EYE][0] - points[LEFT_EYE][3]))
        for parts, width, closed in (
            ((RIGHT_BROW, LEFT_BROW), brow, False),
            ((RIGHT_EYE, LEFT_EYE), TUNING.lids, True),
        ):
            for part in parts:
                line = np.rint(points[part] * 16).astype(np.int32)
                cv2.polylines(found, [line], closed, 1.0, max(1, round(width * unit)), shift=4)
                if closed:
                    cv2.fillConvexPoly(found, line, 1.0, shift=4)
        return found

    def _creased(self) -> NDArray[np.bool_]:
        """(s, s) where creases and shade may pass for glasses: brows and eyes, and what lies between them above the
        eyes' line. Not so glasses that are pushed up to the forehead."""
        points = apply(self.matrix, self.landmarks)
        middle = (points[RIGHT_EYE].mean(axis=0) + points[LEFT_EYE].mean(axis=0)) / 2
        across = points[LEFT_EYE][3] - points[RIGHT_EYE][0]
        rows, columns = self.shares.shape[:2]
        right, down = np.arange(columns) - middle[0], np.arange(rows)[:, None] - middle[1]
        above = down * across[0] - right * across[1] <= 0
        between = np.abs(right * across[0] + down * across[1]) <= TUNING.beside * float(across @ across)
        features = self._eyes_and_brows()
        hull = features.copy()
        inner = np.concatenate([points[RIGHT_BROW], points[LEFT_BROW], points[RIGHT_EYE], points[LEFT_EYE]])
        cv2.fillConvexPoly(hull, np.rint(convex(inner) * 16).astype(np.int32), 1.0, shift=4)
        return np.asarray(((hull > 0) & above & between) | (features > 0))

    def _recognised(self, share: Floats) -> float:
        """How surely this is a face at all, 0..1, by the share of its middle that is seen."""
        middle = np.zeros(share.shape, np.uint8)
        inner = convex(apply(self.matrix, self.landmarks[INNER]))
        cv2.fillConvexPoly(middle, np.rint(inner).astype(np.int32), 1)
        least, enough = TUNING.recognised
        seen = float(share[middle > 0].mean()) if middle.any() else 0.0
        return float(np.clip((seen - least) / (enough - least), 0, 1))

    @property
    def glasses_worn(self) -> float:
        """How surely there are glasses on a face, 0..1."""
        none, worn = TUNING.glasses_worn
        sure = (self.shares[..., _GLASSES] > TUNING.sure_glasses) & ~self._creased()
        share = float(sure.mean() - none) / (worn - none)
        return float(np.clip(share, 0, 1)) * self._recognised(self.shares[..., _SKIN])

    @property
    def glasses(self) -> "Visibility":
        """Where glasses are; nowhere where it is not sure that there are any."""
        rims = np.minimum(self.glasses_worn * TUNING.glasses_gain * self.shares[..., _GLASSES], 1)
        return Visibility(rims.astype(np.float32), self.matrix)


def visible_face(image: NDArray[np.uint8], landmarks: Points, with_glasses: bool = False) -> "Visibility":
    """Where a face is seen and not something else.

    Args:
        image: (H, W, 3) uint8 RGB.
        landmarks: (68, 2) of the face in it.
        with_glasses: they count as a part of the face.

    Raises:
        TrainingError: the network's weights can't be read.
    """
    return Segments.of(image, landmarks).visible(with_glasses)


def seen_in_crops(crops: NDArray[np.uint8], landmarks: Points) -> Floats:
    """Where the faces of a face set are seen, for what is learnt of them; glasses count as a part of the face.

    Args:
        crops: (n, S, S, 3) uint8 RGB.
        landmarks: (n, 68, 2) in them.

    Returns:
        (n, S, S) float32 in 0..1.
    """
    size, here = crops.shape[1], np.eye(2, 3)
    return np.stack([one.visible(True).in_crop(here, size) for one in segments_of(crops, landmarks)])


def segments_of(crops: NDArray[np.uint8], landmarks: Points) -> list[Segments]:
    """What the segmentation network sees in crops (n, S, S, 3) uint8 RGB with landmarks (n, 68, 2)."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # ONNX Runtime and OpenCV give Python's lock away
        return list(pool.map(Segments.of, crops, landmarks))


class Visibility:
    """How much of a face is visible: ``share`` (s, s) float32 in 0..1, in the crop of ``matrix`` (2, 3)."""

    def __init__(self, share: Floats, matrix: Matrix) -> None:
        self.share, self.matrix = share, matrix

    def mixed(self, before: "Visibility | None", share: float) -> "Visibility":
        """This one and that of the frame before, relative to the face: ``share`` (0..1) of this one."""
        if before is None:
            return self
        w = np.float32(share)
        return Visibility(w * self.share + (1 - w) * before.share, self.matrix)

    def in_region(self, region: Region) -> Floats:
        """(region.height, region.width): in a part of the frame."""
        matrix = invert(self.matrix)
        matrix[:, 2] -= (region.left, region.top)
        return self._warped(matrix, (region.width, region.height))

    def in_crop(self, matrix: Matrix, size: int) -> Floats:
        """(size, size): in another crop of the frame."""
        return self._warped(compose(matrix, invert(self.matrix)), (size, size))

    def _warped(self, matrix: Matrix, size: tuple[int, int]) -> Floats:
        border = cv2.BORDER_REPLICATE
        return cv2.warpAffine(self.share, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)


def _large(hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where what is hidden is more than a speck, grown by a pixel."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(hidden.astype(np.uint8))
    least = TUNING.smallest * hidden.size
    large = np.isin(labels, [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least])
    return np.asarray(cv2.dilate(large.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
