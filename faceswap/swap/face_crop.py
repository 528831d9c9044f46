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
        fringe: (S, S, 3) where the drawing is face, see :func:`faceswap.swap.masks.hair_mask.drawn_face`; None: not looked for.
        moved: (68, 2) the target's landmarks in the frame after it was reshaped; None: it was not.
        others: (68, 2) landmarks each of the frame's other faces, which no reshaping may move.
    """

    landmarks: Points
    geometry: Geometry
    matrix: Matrix
    crop: NDArray[np.uint8]
    drawn: Points | None = None
    fringe: NDArray[np.float32] | None = None
    moved: Points | None = None
    others: Sequence[Points] = ()

    @property
    def outlined(self) -> Points:
        """(68, 2) the target's landmarks where they lie in the frame now."""
        return self.landmarks if self.moved is None else self.moved
