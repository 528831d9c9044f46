"""A face and where its crop lies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Matrix, Points


@dataclass(frozen=True)
class Placed:
    """A face and where its crop lies.

    Attributes:
        landmarks: (68, 2) in the frame.
        geometry, matrix: the network's crop and the map from frame to crop.
        crop: (S, S, 3) uint8 RGB, the target there.
        drawn: (68, 2) landmarks in the frame of the face that the network drew; None: not read.
        others: (68, 2) landmarks each of the frame's other faces, which no reshaping may move.
    """

    landmarks: Points
    geometry: Geometry
    matrix: Matrix
    crop: NDArray[np.uint8]
    drawn: Points | None = None
    others: Sequence[Points] = ()
