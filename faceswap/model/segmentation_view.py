"""What the segmentation network reads and tells apart, and how its weights are called: known without Keras."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Matrix, Points

NAME = "segmentation"
"""Of its weights."""
SEGMENTS = ("skin", "hair", "glasses", "other")
"""Its channels: skin with brows, eyes, mouth and beard; hair on the head; glasses and dark lenses; the rest."""


@dataclass(frozen=True)
class View:
    """A square around a whole head, whatever the preset of the swap: hair above the forehead to collar below the chin.

    Args:
        size: of the crop, px.
        coverage: side of the crop in face heights.
        down: where its centre lies below a crop's of :class:`Geometry`, in face heights.
    """

    size: int
    coverage: float
    down: float

    @property
    def _plain(self) -> Geometry:
        return Geometry(self.size, self.coverage)

    def matrix(self, landmarks: Points) -> Matrix:
        """(2, 3) from the frame of (68, 2) landmarks to the crop."""
        matrix = self._plain.matrix(landmarks).copy()
        matrix[1, 2] -= self.down * self.size / self.coverage
        return matrix

    def crop(self, frame: NDArray[Any], matrix: Matrix) -> NDArray[np.uint8]:
        """(size, size[, C]) of a frame, with a matrix of :meth:`matrix`."""
        return self._plain.crop(frame, matrix)


VIEW = View(112, 2.4, -0.2)
"""The crop that the network reads."""
