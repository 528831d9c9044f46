"""What lies over a face stays in front of it: hands, glasses, hair, objects keep the target's pixels."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Matrix, Points, compose, invert
from faceswap.swap.masks.shapes import Region

if TYPE_CHECKING:
    from faceswap.model.networks.occlusion_network import OcclusionNetwork

Floats = NDArray[np.float32]

_SEEN, _HIDDEN = 0.25, 0.75
"""As little and as much doubt, and a pixel is seen or hidden; softly in between."""
_SMALLEST = 0.004
"""Occluders cover at least this share of the crop; less is a nostril, a tooth, a shine."""


def visible_face(image: NDArray[np.uint8], landmarks: Points) -> "Visible":
    """Where a face is seen and not something in front of it.

    Args:
        image: (H, W, 3) uint8 RGB.
        landmarks: (68, 2) of the face in it.

    Raises:
        TrainingError: the network's weights can't be read.
    """
    network = _network()
    matrix = network.geometry.matrix(landmarks)
    hidden = network(network.geometry.crop(image, matrix)[None])[0]
    hidden = hidden * _large(hidden > (_SEEN + _HIDDEN) / 2)
    return Visible(np.clip((_HIDDEN - hidden) / (_HIDDEN - _SEEN), 0, 1).astype(np.float32), matrix)


class Visible:
    """How much of the face is seen: ``share`` (s, s) float32 in 0..1, in the crop of ``matrix`` (2, 3)."""

    def __init__(self, share: Floats, matrix: Matrix) -> None:
        self.share, self.matrix = share, matrix

    def mixed(self, before: "Visible | None", share: float) -> "Visible":
        """This and that of the frame before, which lies alike on the face: ``share`` (0..1) of this one."""
        if before is None:
            return self
        w = np.float32(share)
        return Visible(w * self.share + (1 - w) * before.share, self.matrix)

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


def _network() -> "OcclusionNetwork":
    # TensorFlow takes seconds to import: only who wants occlusion waits for it
    from faceswap.model.networks.occlusion_network import occlusion_network

    return occlusion_network()


def _large(hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where what is hidden is not just a speck, and a pixel around that."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(hidden.astype(np.uint8))
    least = _SMALLEST * hidden.size
    large = np.isin(labels, [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least])
    return np.asarray(cv2.dilate(large.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
