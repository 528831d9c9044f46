"""The faces of consecutive frames: detection only where following them is unsure.

A detection costs five times as much as the landmarks. A face that was found a moment ago lies nearly where it was: its
box, moved as its landmarks moved, is as good a start for the next landmarks as a detected one, and steadier. Whether it
worked shows in the pixels: brought to the same place by the two sets of landmarks, a face looks alike in two
successive frames; a hand before it, a cut or a drift does not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort, overlap
from faceswap.faces.finding.finder import Finder, MeshFinder
from faceswap.faces.geometry import Geometry, Image, Points, apply, fit_similarity, scale_of
from faceswap.faces.landmarks import INNER
from faceswap.media.video.reading import Frame


@dataclass(frozen=True)
class SearchTuning:
    """Constants of the search on a video; not measured unless said. Overlaps are as :func:`overlap` gives them."""

    every: float = 0.4
    """Seconds after which the whole frame is searched again: how late a second face may be noticed, or a drift ends."""
    finely_every: float = 4.0
    """Seconds after which, if there is no cut before, small faces are looked for beside large ones, too: at
    1280x720 that was measured to take 0.1 s."""
    alike: float = 0.9
    """Least correlation of a face's pixels with those of the frame before, at which it counts as followed."""
    flat: float = 2.0
    """Standard deviation, grey levels, below which a face shows nothing that could be compared."""
    far: float = 0.05
    """Sides of the box; after a longer move the landmarks are detected once more from the moved box."""
    growth: tuple[float, float] = (0.8, 1.25)
    """Factors between which a face may change its size from frame to frame."""
    same: float = 0.7
    """Overlap from which on a detected box is that of a followed face."""
    trust: float = 0.3
    """How far the followed box then moves to the detected one: dlib's landmarks depend on the box, and one that jumped
    would make them jump."""
    elsewhere: float = 0.3
    """Overlap up to which two boxes are not of the same face."""


TUNING = SearchTuning()
_VIEW = Geometry(size=40, coverage=1.3)
"""The crop in which a face is compared with itself in the frame before."""


@dataclass(frozen=True)
class _FollowedFace:
    """A face of a frame, and its pixels in :data:`_VIEW`, where these were cut already."""

    face: Face
    view: NDArray[np.float64] | None = None


class FaceSearch:
    """Finds the faces of one video's frames, in order.

    Args:
        finder: detects, and finds landmarks in a box.
    """

    def __init__(self, finder: Finder) -> None:
        self.finder = finder
        self._before: Image | None = None
        self._faces: list[_FollowedFace] = []
        self._searched = self._searched_finely = -math.inf

    def faces(self, frame: Frame) -> list[Face]:
        """The faces of the next frame, the largest first."""
        moved = self._moved_on(frame.image)
        followed = [seen for seen in moved if seen is not None]
        faces = [seen.face for seen in followed]
        sure = bool(faces) and len(faces) == len(self._faces) and not _crowded(faces)
        due = frame.time - self._searched >= TUNING.every or frame.time < self._searched
        if due or not sure:
            hint = self._faces[0].face.box if len(self._faces) == 1 and not due else None
            cut = bool(self._faces) and not followed
            since = frame.time - self._searched_finely
            fine = not 0 <= since < (TUNING.every if cut else TUNING.finely_every) and (cut or hint is None)
            idle = not due and not fine and not self._faces
            if hint is None and not idle:
                self._searched = frame.time
                self._searched_finely = frame.time if fine else self._searched_finely
            effort: SearchEffort = "fine" if fine else "coarse" if idle else "until_found"
            found = self.finder.find(frame.image, hint, effort)
            smaller = [] if fine else self._smaller(frame.image, moved, found)
            followed = [_FollowedFace(self._steadied(frame.image, face, faces)) for face in found] + smaller
        self._before, self._faces = frame.image, sorted(followed, key=lambda seen: -seen.face.size)
        return [seen.face for seen in self._faces]

    def _smaller(
        self, image: Image, moved: Sequence[_FollowedFace | None], found: Sequence[Face]
    ) -> list[_FollowedFace]:
        """Smaller faces, of which a search that ended with ``found`` says nothing: followed, or where they were."""
        least = min((face.size for face in found), default=0.0)
        kept = []
        for before, now in zip(self._faces, moved, strict=True):
            face = (now or before).face
            if face.size >= least or any(overlap(face.box, other.box) > TUNING.elsewhere for other in found):
                continue
            if now is not None:
                kept.append(now)
                continue
            near = self.finder.find(image, face.box, effort="coarse")
            kept += [_FollowedFace(one) for one in near if overlap(one.box, face.box) > TUNING.elsewhere][:1]
        return kept

    def _moved_on(self, image: Image) -> list[_FollowedFace | None]:
        """The faces of the frame before as they are in this one; None where that is not sure."""
        if self._before is None or self._before.shape != image.shape:
            return [None] * len(self._faces)
        return [self._moved(self._before, image, seen) for seen in self._faces]

    def _moved(self, before: Image, image: Image, seen: _FollowedFace) -> _FollowedFace | None:
        try:
            moved = self._followed(image, seen.face)
            if moved is None:
                return None
            before_view = seen.view if seen.view is not None else _view_of(before, seen.face.landmarks)
            view = _view_of(image, moved.landmarks)
        except FaceError:
            return None
        return _FollowedFace(moved, view) if _alike(before_view, view) else None

    def _followed(self, image: Image, face: Face) -> Face | None:
        """By the finder itself, or by landmarks from the box where the face was; None where no face moves like that."""
        if isinstance(self.finder, MeshFinder):
            moved = self.finder.follow(image, face)
            return (
                None
                if moved is None or _moved_box(face.box, face.landmarks, moved.landmarks) is None
                else moved
            )
        landmarks = self.finder.landmarks(image, face.box)
        box = _moved_box(face.box, face.landmarks, landmarks)
        if box is not None and _path(face.box, box) > TUNING.far:
            landmarks = self.finder.landmarks(image, box)
            box = _moved_box(face.box, face.landmarks, landmarks)
        return None if box is None else replace(face, box=box, landmarks=landmarks)

    def _steadied(self, image: Image, face: Face, followed: Sequence[Face]) -> Face:
        """A detected face; where it was followed until now, from a box that does not jump."""
        same = max(followed, key=lambda other: overlap(face.box, other.box), default=None)
        if same is None or overlap(face.box, same.box) < TUNING.same:
            return face
        if isinstance(self.finder, MeshFinder):  # its mesh was nearer where it was followed
            return replace(same, score=face.score)
        box = (1 - TUNING.trust) * np.array(same.box) + TUNING.trust * np.array(face.box)
        left, top, right, bottom = box.tolist()
        return replace(
            face,
            box=(left, top, right, bottom),
            landmarks=self.finder.landmarks(image, (left, top, right, bottom)),
        )


def _crowded(faces: Sequence[Face]) -> bool:
    """Whether two faces lie so close together that one may be taken for the other."""
    return any(overlap(a.box, b.box) > 0 for a, b in combinations(faces, 2))


def _moved_box(box: Box, before: Points, after: Points) -> Box | None:
    """A box moved and scaled as a face's inner landmarks were; None where no face changes like that."""
    motion = fit_similarity(before[INNER], after[INNER])
    growth = scale_of(motion)
    if not TUNING.growth[0] < growth < TUNING.growth[1]:
        return None
    (x, y), half = apply(motion, _centre(box)[None])[0], growth * (box[2] - box[0]) / 2
    tall = growth * (box[3] - box[1]) / 2
    return (x - half, y - tall, x + half, y + tall)


def _centre(box: Box) -> Points:
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])


def _path(box: Box, other: Box) -> float:
    """How far two boxes' centres lie apart, in sides."""
    return float(np.linalg.norm(_centre(box) - _centre(other))) / max(box[3] - box[1], 1e-6)


def _alike(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether a face looks the same in two frames, in each brought to the same place."""
    spread = float(a.std() * b.std())
    return spread > TUNING.flat**2 and float(((a - a.mean()) * (b - b.mean())).mean()) > TUNING.alike * spread


def _view_of(image: Image, landmarks: Points) -> NDArray[np.float64]:
    """(40, 40) brightness of a face."""
    crop = _VIEW.crop(image, _VIEW.matrix(landmarks))
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
