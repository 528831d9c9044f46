"""The part of a frame in which a face is replaced: the swap, and the target below it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Matrix, Points, apply
from faceswap.faces.regions import Region


@dataclass(frozen=True, eq=False)
class SwapPart:
    """Both pictures of a part of a frame.

    Attributes:
        over: (h, w, 3) uint8 RGB, the swap; what is laid in changes it.
        under: (h, w, 3) uint8 RGB, the target.
        region: where the part lies in the frame.
        to_frame: (2, 3) from the network's crop to the frame.
    """

    over: NDArray[np.uint8]
    under: NDArray[np.uint8]
    region: Region
    to_frame: Matrix

    def of_frame(self, points: Points) -> Points:
        """Points (n, 2) of the frame in px of the part."""
        return points - (self.region.left, self.region.top)

    def of_crop(self, points: Points) -> Points:
        """Points (n, 2) of the crop in px of the part."""
        return self.of_frame(apply(self.to_frame, points))
