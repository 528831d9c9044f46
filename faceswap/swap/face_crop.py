"""A face of a frame and its crop."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Matrix, Points, apply, invert
from faceswap.faces.pose import frontality
from faceswap.faces.regions import Region, crop_corners, face_height, region_of


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """Where a face lies in a frame, and where in its network's crop; what follows from that is computed once.

    Attributes:
        landmarks: (68, 2) in the frame.
        geometry: of the network's crop.
        matrix: (2, 3) from frame to crop.
        frame_size: width and height of the frame, px.
    """

    landmarks: Points
    geometry: Geometry
    matrix: Matrix
    frame_size: tuple[int, int]

    @classmethod
    def of(cls, landmarks: Points, geometry: Geometry, frame: NDArray[Any]) -> "FaceCrop":
        """The crop of a face in a frame (H, W, 3).

        Raises:
            FaceError: the landmarks collapse into one point or are not finite.
        """
        return cls(landmarks, geometry, geometry.matrix(landmarks), (frame.shape[1], frame.shape[0]))

    @cached_property
    def to_frame(self) -> Matrix:
        """(2, 3) from crop to frame."""
        return invert(self.matrix)

    @cached_property
    def region(self) -> Region:
        """The part of the frame that the crop covers; it may be empty."""
        return region_of(self.geometry, self.matrix, *self.frame_size)

    @cached_property
    def height(self) -> float:
        """Height of the face from the brows to the lower lip, px of the frame."""
        return face_height(self.geometry, self.matrix)

    @cached_property
    def frontality(self) -> float:
        """How far the face is seen from the front, 0..1: see :func:`faceswap.faces.pose.frontality`."""
        return frontality(self.landmarks)

    @cached_property
    def corners(self) -> Points:
        """(4, 2) outer corners of the crop, in the frame."""
        return crop_corners(self.geometry, self.matrix)

    @cached_property
    def landmarks_in_crop(self) -> Points:
        """(68, 2) the face's landmarks in px of the crop."""
        return apply(self.matrix, self.landmarks)

    def cut(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(S, S, 3) uint8 RGB: the crop of the frame."""
        return self.geometry.crop(frame, self.matrix)
