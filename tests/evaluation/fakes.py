"""A face set in memory, and a finder that recognises people by their colour.

In its pictures the first pixel tells the frame's number, so that the finder knows where the face is.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.faces.geometry import Geometry, Points
from tests.swap.fakes import face_points, generated_face_points, smooth_noise

FACE_SET = Geometry(256, 2.2)
COLOURS = {"ada": (220, 60, 60), "bela": (60, 60, 220)}


def embedding_of(colour: object) -> NDArray[np.float64]:
    embedding = np.zeros(128)
    embedding[:3] = np.asarray(colour, float) / 255
    return embedding


def moving_face(i: int) -> Points:
    """The mean face with an open mouth and eyes that change from frame to frame."""
    points = face_points(127.5, 127.5, 256 / 2.2, roll=0.02 * i)
    points[65:68, 1] += 3 + 2 * (i % 5)
    for eye in (36, 42):
        points[[eye + 4, eye + 5], 1] += 3 * (i % 3)
    return points


def picture(identity: str, i: int) -> NDArray[np.uint8]:
    noise = smooth_noise(256, 256, i).astype(float) - 127
    image = np.clip(np.array(COLOURS[identity]) + 0.2 * noise, 0, 255).astype(np.uint8)
    image[0, 0] = i
    return image


@dataclass
class MemoryFaces:
    identity: str
    faces: int = 12
    geometry: Geometry = FACE_SET
    digest: str = "0" * 64
    rows: pd.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        split = ["train"] * (self.faces // 2) + ["heldout"] * (self.faces - self.faces // 2)
        matrix = [np.array([1.0, 0, 0, 0, 1, 0])] * self.faces  # the frame is the crop
        self.rows = pd.DataFrame({"split": split, "frame": range(self.faces), "matrix": matrix})

    def _numbers(self, split: str | None) -> list[int]:
        chosen = self.rows if split is None else self.rows[self.rows["split"] == split]
        return chosen["frame"].tolist()

    def count(self, split: str | None = None) -> int:
        return len(self._numbers(split))

    def images(self, split: str | None = None, rows: NDArray[np.intp] | None = None) -> NDArray[np.uint8]:
        numbers = self._numbers(split)
        numbers = numbers if rows is None else [numbers[i] for i in rows]
        return (
            np.stack([picture(self.identity, i) for i in numbers])
            if numbers
            else np.empty((0, 256, 256, 3), np.uint8)
        )

    def in_frame(self, split: str | None = None) -> NDArray[np.bool_]:
        return np.ones(self.images(split).shape[:3], bool)

    def landmarks(self, split: str | None = None) -> Points:
        return np.array([moving_face(i) for i in self._numbers(split)]).reshape(-1, 68, 2)

    @property
    def mean_embedding(self) -> NDArray[np.float64]:
        return embedding_of(COLOURS[self.identity])


class ColourFinder:
    """Finds the face of the frame's number, except in the blind ones; a face's embedding is its colour."""

    def __init__(self, blind: tuple[int, ...] = (), away: float = 0.0) -> None:
        self.blind, self.away, self.embedded = blind, away, 0

    def find(
        self, frame: NDArray[np.uint8], hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        i = int(frame[0, 0, 0])
        if i in self.blind:
            return []
        points = moving_face(i) + self.away
        return [Face(box=(*points.min(0), *points.max(0)), landmarks=points, score=1.0)]

    def landmarks(self, frame: NDArray[np.uint8], box: Box) -> Points:
        """Asked for in a generated picture only."""
        return generated_face_points()

    def embed(self, frame: NDArray[np.uint8], landmarks: Points) -> NDArray[np.float64]:
        self.embedded += 1
        x, y = np.rint(landmarks[30]).astype(int)
        return embedding_of(frame[y - 9 : y + 9, x - 9 : x + 9].mean((0, 1)))
