"""A finder that knows where the faces are, and networks whose answer is known."""

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import Crispness
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import TEMPLATE, Geometry, Points
from faceswap.swap.expression.generated_landmarks import DETECTION_SIDE


def face_points(x: float, y: float, height: float, roll: float = 0.0) -> Points:
    """(68, 2) landmarks of the mean face: centre of the crop at x, y, in pixels; roll in radians."""
    jaw_angle = np.linspace(np.pi, 0, 17)
    jaw = np.stack([0.55 * np.cos(jaw_angle), -0.15 + 0.75 * np.sin(jaw_angle)], 1)
    points = np.concatenate([jaw, TEMPLATE]) * height
    c, s = np.cos(roll), np.sin(roll)
    return points @ np.array([[c, s], [-s, c]]) + (x, y)


def face_at(x: float, y: float, height: float, roll: float = 0.0) -> Face:
    points = face_points(x, y, height, roll)
    return Face(box=(*points.min(0), *points.max(0)), landmarks=points, score=1.0)


def generated_face_points() -> Points:
    """(68, 2) landmarks of the mean face in a generated picture, as large as it is when landmarks are detected."""
    middle = (DETECTION_SIDE - 1) / 2
    return face_points(middle, middle, DETECTION_SIDE / 1.5)


class KnownFaces:
    """Finds the faces it was given; its embedding tells the face's place: (x, 0, 0, …)."""

    def __init__(self, *faces: Face) -> None:
        self.faces = list(faces)
        self.embedded = 0
        self.hints: list[Box | None] = []

    def find(
        self, frame: NDArray[np.uint8], hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        self.hints.append(hint)
        return list(self.faces)

    def landmarks(self, frame: NDArray[np.uint8], box: Box) -> Points:
        """Of the face whose box this is; in a generated picture those of the mean face, where crops have it."""
        if frame.shape[:2] == (DETECTION_SIDE, DETECTION_SIDE):
            return generated_face_points()
        return min(
            self.faces, key=lambda face: abs(face.box[0] - box[0]) + abs(face.box[1] - box[1])
        ).landmarks

    def embed(self, frame: NDArray[np.uint8], landmarks: Points) -> NDArray[np.float64]:
        self.embedded += 1
        embedding = np.zeros(128)
        embedding[0] = landmarks.mean(0)[0] / 100
        return embedding


class Echo:
    """Returns its input, and remembers it."""

    crispness = Crispness(1.0)
    fine_detail: FineDetail | None = None

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.calls: list[NDArray[np.uint8]] = []

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls.append(crops)
        return crops.astype(np.float32) / 255


class Paint:
    """Returns one colour."""

    crispness = Crispness(1.0)
    fine_detail: FineDetail | None = None

    def __init__(self, geometry: Geometry, colour: tuple[int, int, int]) -> None:
        self.geometry, self.colour = geometry, np.array(colour, np.float32) / 255

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.broadcast_to(self.colour, crops.shape).astype(np.float32)


def smooth_noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture with structure at scales of 8 px and more."""
    import cv2

    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (height // 8 + 2, width // 8 + 2, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255).astype(
        np.uint8
    )
