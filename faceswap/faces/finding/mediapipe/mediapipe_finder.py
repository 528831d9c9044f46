"""Finding faces and their 68 landmarks with MediaPipe's models: BlazeFace, the face's mesh, the iris's network.

A face may lie in any way: the square that the mesh is looked for in turns with it, so that no picture has to be turned.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import TUNING as BOX_TUNING
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort, embedding, overlap
from faceswap.faces.finding.mediapipe.blazeface import Detection, detect
from faceswap.faces.finding.mediapipe.landmarks68 import landmarks_of
from faceswap.faces.finding.mediapipe.mesh import Mesh, find_mesh
from faceswap.faces.finding.mediapipe.models import model
from faceswap.faces.finding.square import Square
from faceswap.faces.geometry import Image, Points
from faceswap.faces.landmarks import INNER


@dataclass(frozen=True)
class MediaPipeTuning:
    """Constants of the search; measured on people a to g, shrunk and turned."""

    least: float = 0.5
    """Score of a detection from which on it counts, as MediaPipe's own."""
    certain: float = 0.8
    """Score from which on a face certainly lies as the detector says: upside down or at their side's wrong end, faces
    scored up to 0.79, the right way round from 0.8 on where they filled a quarter of what the network saw."""
    closer: float = 1.4
    """Side of the square in which a doubtful detection is looked at again, over that of its mesh's."""
    least_mesh: float = 0.5
    """Sureness of the mesh from which on there is a face: faces had 0.99 and more, upside down half of them less."""
    box_in_network: float = 12.0
    """Side, px of the network's picture, of the smallest box that the full-range detector finds (nine of ten of 12 px,
    all of 14)."""
    tile_overlap: float = 0.25
    """Part of a tile that the next one repeats."""
    box_to_face: float = 1.4
    """Side of a face's box over its height: as dlib's."""
    box_to_square: float = 1.64
    """Side of the square of a face's mesh over that of its box."""
    around_hint: float = 2.6
    """Side of the square that is searched around a face of the frame before, over that of its box."""
    same: float = 0.3
    """Mean distance of the inner landmarks, face heights, up to which two faces are one."""


TUNING = MediaPipeTuning()
_QUARTERS = tuple(math.pi / 2 * turn for turn in range(4))


def load_models() -> None:
    """Load all networks for this thread now rather than at the first face."""
    for name in (
        "face_detection_short_range",
        "face_detection_full_range_sparse",
        "face_landmark",
        "iris_landmark",
    ):
        model(name)


class MediaPipeFinder:
    """Finds faces from large to small. Picklable, safe to use from several threads.

    Args:
        min_face: side of the smallest box that is looked for, px of the frame.
    """

    def __init__(self, min_face: int = BOX_TUNING.usual_box) -> None:
        self.min_face = min_face

    @classmethod
    def down_to(cls, height: float) -> Self:
        """One that also finds faces only so high, in px from the brows to the lower lip."""
        wanted = round(BOX_TUNING.box_to_height * height)
        return cls(min(BOX_TUNING.usual_box, max(BOX_TUNING.smallest_box, wanted)))

    def find(self, frame: Image, hint: Box | None = None, effort: SearchEffort = "until_found") -> list[Face]:
        """Faces of a frame, the largest first.

        Args:
            frame: (H, W, 3) uint8 RGB.
            hint: where a face was in the frame before: then the detector searches there first, and if it finds one
                there, nowhere else.
            effort: how finely to search, see :data:`faceswap.faces.finding.dlib_finder.SearchEffort`.
        """
        if hint is not None:
            part = _square_of(hint, TUNING.around_hint)
            near = self._faces(frame, detect(frame, part, "short", TUNING.least), [])
            if any(overlap(face.box, hint) > BOX_TUNING.same for face in near):
                return near
        faces = self._faces(frame, _in_whole(frame), [])
        if effort == "fine" or (effort == "until_found" and not faces):
            for tile in self._tiles(frame):
                faces = self._faces(frame, detect(frame, tile, "full", TUNING.least), faces)
        return sorted(faces, key=lambda face: -face.size)

    def _tiles(self, frame: Image) -> Iterator[Square]:
        """Parts in which the smallest faces are large enough for the detector; none where the whole frame is one."""
        height, width = frame.shape[:2]
        side = min(
            model("face_detection_full_range_sparse").size * self.min_face / TUNING.box_in_network,
            max(height, width),
        )
        if side >= max(height, width):
            return
        for y in _centres(height, side):
            for x in _centres(width, side):
                yield Square(x, y, side)

    def _faces(self, frame: Image, found: Sequence[Detection], known: Sequence[Face]) -> list[Face]:
        """The known faces, and those of detections that are none of them."""
        faces = list(known)
        for detection in found:
            if any(_within(detection.square, face) for face in faces):
                continue
            sure = detection if detection.score >= TUNING.certain else _looked_at(frame, detection)
            face = _face_in(frame, sure.square, sure.score) if sure else None
            if face is not None and not any(_same(face, other) for other in faces):
                faces.append(face)
        return faces

    def follow(self, frame: Image, face: Face) -> Face | None:
        """A face of the frame before as it is in this one, None where it is not there any more."""
        square = face.square or _square_of(face.box, TUNING.box_to_square)
        return _face_of(frame, find_mesh(frame, square), face.score)

    def landmarks(self, frame: Image, box: Box) -> Points:
        """(68, 2) landmarks of an upright face whose box (left, top, right, bottom) is known."""
        first = find_mesh(frame, _square_of(box, TUNING.box_to_square))
        return landmarks_of(frame, find_mesh(frame, first.square))

    def embed(self, frame: Image, landmarks: Points) -> NDArray[np.float64]:
        """(128,) embedding of a face, by dlib's network; two faces closer than 0.6 are the same person."""
        return embedding(frame, landmarks)


def _in_whole(frame: Image) -> list[Detection]:
    height, width = frame.shape[:2]
    whole = Square((width - 1) / 2, (height - 1) / 2, max(height, width))
    found = [one for kind in ("short", "full") for one in detect(frame, whole, kind, TUNING.least)]
    return sorted(found, key=lambda one: -one.score)


def _looked_at(frame: Image, doubtful: Detection) -> Detection | None:
    """The same face seen larger and in four ways, as it is surest; None where none of them shows a face."""
    near = replace(doubtful.square, side=TUNING.closer * doubtful.square.side)
    found = [
        one
        for angle in _QUARTERS
        for one in detect(frame, replace(near, angle=angle), "short", TUNING.least)
        if math.hypot(one.square.x - near.x, one.square.y - near.y) < near.side / 4
    ]
    return max(found, key=lambda one: one.score, default=None)


def _face_in(frame: Image, square: Square, score: float) -> Face | None:
    first = find_mesh(frame, square)
    if first.score < TUNING.least_mesh:
        return None
    return _face_of(frame, find_mesh(frame, first.square), score)


def _face_of(frame: Image, mesh: Mesh, score: float) -> Face | None:
    if mesh.score < TUNING.least_mesh:
        return None
    landmarks = landmarks_of(frame, mesh)
    (x, y), half = landmarks[INNER].mean(0).tolist(), TUNING.box_to_face * _height(landmarks) / 2
    return Face((x - half, y - half, x + half, y + half), landmarks, score, mesh.square)


def _height(landmarks: Points) -> float:
    """From the brows to the lower lip along the face's own axis, px."""
    brows, lip = landmarks[17:27].mean(0), landmarks[57]
    return 1.07 * float(np.linalg.norm(lip - brows))


def _square_of(box: Box, margin: float) -> Square:
    return Square((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, margin * (box[3] - box[1]))


def _within(square: Square, face: Face) -> bool:
    """Whether a detection is of a face that is known: their centres are close, and they are alike in size."""
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    return math.hypot(square.x - x, square.y - y) < TUNING.same * face.size


def _same(face: Face, other: Face) -> bool:
    apart = np.linalg.norm(face.landmarks[INNER] - other.landmarks[INNER], axis=1).mean()
    return float(apart) < TUNING.same * max(face.size, other.size) / TUNING.box_to_face


def _centres(length: int, side: float) -> list[float]:
    """Of tiles along one side of the frame, evenly, with an overlap."""
    if side >= length:
        return [(length - 1) / 2]
    count = math.ceil((length - side) / (side * (1 - TUNING.tile_overlap))) + 1
    return np.linspace(side / 2 - 0.5, length - side / 2 - 0.5, count).tolist()
