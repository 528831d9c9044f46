"""The mesh of a face and its eyes: 468 points of the face, 71 around each eye, 5 of each iris.

Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs" (2019); Ablavatski et al.,
"Real-time Pupil Tracking from Monocular Video for Digital Puppetry" (2020). What the networks see is as in MediaPipe
(``face_landmark_landmarks_to_roi``, ``iris_landmark_landmarks_to_roi``), but that boxes are taken along the face's own
axes, so that a tilted head is seen as an upright one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.mediapipe.models import model
from faceswap.faces.finding.square import Square, around, direction
from faceswap.faces.geometry import Image, Points, apply, invert

_MESH_MARGIN = 1.5
"""Side of the square that the mesh's network sees over that of the face."""
_EYE_MARGIN = 2.3
"""Side of the square that the iris's network sees over the distance of the eye's corners."""
_RIGHT_OUTER, _LEFT_OUTER = 33, 263
"""Outer corners of the eyes in the mesh."""


@dataclass(frozen=True)
class Mesh:
    """A face.

    Attributes:
        points: (468, 2) px of the frame.
        score: how sure it is that there is a face, 0 to 1.
    """

    points: Points
    score: float

    @property
    def square(self) -> Square:
        """Where the same face is looked for again, now or in the next frame."""
        return around(
            self.points, direction(self.points[_RIGHT_OUTER], self.points[_LEFT_OUTER]), _MESH_MARGIN
        )


@dataclass(frozen=True)
class Eye:
    """An eye, px of the frame.

    Attributes:
        contour: (71, 2): the first nine along the lower lid from the outer corner to the inner one, seven along the
            upper lid between them, and lines around.
        iris: (5, 2): its centre, and four points of its edge.
    """

    contour: Points
    iris: Points


def find_mesh(image: Image, part: Square) -> Mesh:
    """The mesh of the face in a part of a frame (H, W, 3) uint8 RGB."""
    network = model("face_landmark")
    points, logit = network(_unit(part.cut(image, network.size)))
    placed = apply(invert(part.matrix(network.size)), points.reshape(468, 3)[:, :2].astype(np.float64) - 0.5)
    return Mesh(placed, 1 / (1 + float(np.exp(-float(logit.reshape(-1)[-1])))))


def find_eye(image: Image, outer: NDArray[np.float64], inner: NDArray[np.float64], left: bool) -> Eye:
    """An eye by its corners (2,), the person's right or left one: the network knows right ones, others are mirrored."""
    network = model("iris_landmark")
    angle = direction(inner, outer) if left else direction(outer, inner)
    x, y = ((outer + inner) / 2).tolist()
    part = Square(x, y, _EYE_MARGIN * float(np.linalg.norm(outer - inner)), angle)
    contour, iris = network(_unit(part.cut(image, network.size, mirrored=left)))
    back = invert(part.matrix(network.size, mirrored=left))
    return Eye(*(apply(back, one.reshape(-1, 3)[:, :2].astype(np.float64) - 0.5) for one in (contour, iris)))


def _unit(picture: Image) -> NDArray[np.float32]:
    return picture.astype(np.float32) / np.float32(255)
