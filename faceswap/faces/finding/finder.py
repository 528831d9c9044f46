"""What the rest of the package wants of a face detector, and the one that a name stands for.

:mod:`faceswap.faces.finding.dlib_finder` has dlib's, :mod:`faceswap.faces.finding.mediapipe` MediaPipe's.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Box, Face, FaceFinder, SearchEffort
from faceswap.faces.finding.dlib_finder import load_models as load_dlib
from faceswap.faces.finding.finder_names import Detector
from faceswap.faces.finding.mediapipe.mediapipe_finder import MediaPipeFinder
from faceswap.faces.finding.mediapipe.mediapipe_finder import load_models as load_mediapipe
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


@runtime_checkable
class MeshFinder(Finder, Protocol):
    """A finder that follows a face by itself, and whose landmarks hardly depend on the box that they start from."""

    def follow(self, frame: NDArray[np.uint8], face: Face) -> Face | None:
        """A face of the frame before as it is in this one, None where it is not there any more."""


def finder_named(detector: Detector, height: float | None = None) -> FaceFinder | MediaPipeFinder:
    """The finder that a setting names.

    Args:
        detector: its name.
        height: of the smallest faces to find, px from the brows to the lower lip; None: the usual.
    """
    if detector == "mediapipe":
        return MediaPipeFinder() if height is None else MediaPipeFinder.down_to(height)
    return FaceFinder(detector) if height is None else FaceFinder.down_to(height, detector)


def measuring_finder(detector: Detector) -> FaceFinder:
    """What evaluations read landmarks with: dlib's, whichever finder swaps, so that figures stay comparable."""
    return FaceFinder("cnn" if detector == "cnn" else "hog", careful=True)


def load_models(detector: Detector) -> None:
    """Load what a finder needs, with the embedding, now rather than at the first face."""
    load_dlib()
    if detector == "mediapipe":
        load_mediapipe()
