"""What lies over a face stays in front of it: hands, glasses, hair and objects keep the target's pixels."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Matrix, Points, compose, invert
from faceswap.faces.regions import Region
from faceswap.inference.occlusion import occlusion_network

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class OcclusionTuning:
    """Constants of the occlusion mask; not measured."""

    visible: float = 0.25
    """Probability of the network up to which a pixel counts as visible."""
    hidden: float = 0.75
    """Probability from which on it counts as hidden; softly in between."""
    smallest: float = 0.004
    """Share of the crop that an occluder covers at least; less is a nostril, a tooth, a highlight."""


TUNING = OcclusionTuning()


def visible_face(image: NDArray[np.uint8], landmarks: Points) -> "VisibilityMask":
    """Where a face is seen and not something in front of it.

    Args:
        image: (H, W, 3) uint8 RGB.
        landmarks: (68, 2) of the face in it.

    Raises:
        TrainingError: the network's weights can't be read.
    """
    network = occlusion_network()
    matrix = network.geometry.matrix(landmarks)
    hidden = network(network.geometry.crop(image, matrix)[None])[0]
    hidden = hidden * _large(hidden > (TUNING.visible + TUNING.hidden) / 2)
    visible = np.clip((TUNING.hidden - hidden) / (TUNING.hidden - TUNING.visible), 0, 1)
    return VisibilityMask(visible.astype(np.float32), matrix)


class VisibilityMask:
    """How much of a face is visible: ``share`` (s, s) float32 in 0..1, in the crop of ``matrix`` (2, 3)."""

    def __init__(self, share: Floats, matrix: Matrix) -> None:
        self.share, self.matrix = share, matrix

    def mixed(self, before: "VisibilityMask | None", share: float) -> "VisibilityMask":
        """This mask and that of the frame before, relative to the face: ``share`` (0..1) of this one."""
        if before is None:
            return self
        w = np.float32(share)
        return VisibilityMask(w * self.share + (1 - w) * before.share, self.matrix)

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
