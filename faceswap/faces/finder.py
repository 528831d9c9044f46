"""What the rest of the package wants of a face detector; :mod:`faceswap.faces.detection` has dlib's."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.detection import Box, Face, SearchEffort
from faceswap.faces.geometry import Points


class LandmarkDetector(Protocol):
    """What finds landmarks in a box."""

    def landmarks(self, frame: NDArray[np.uint8], box: Box) -> Points:
        """(68, 2) landmarks of the face in a box."""


class FaceSearcher(Protocol):
    """What finds faces."""

    def find(
        self, frame: NDArray[np.uint8], hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        """The faces of a frame, largest first; with a hint only those near it, where there are any."""


class Finder(FaceSearcher, LandmarkDetector, Protocol):
    """What finds, reads and recognises faces."""

    def embed(self, frame: NDArray[np.uint8], landmarks: Points) -> NDArray[np.float64]:
        """(128,) what identifies a face."""
