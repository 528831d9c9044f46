"""The faces of consecutive frames: detection only where following them is unsure.

A detection costs five times as much as the landmarks. A face that was found a moment ago lies nearly where it was: its
box, moved as its landmarks moved, is as good a start for the next landmarks as a detected one, and calmer. Whether it
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
from faceswap.faces.detection import Box, Face, overlap
from faceswap.faces.geometry import INNER, Geometry, Image, Points, apply, fit_similarity, scale_of
from faceswap.media.video.reading import Frame
from faceswap.swap.swapper import Finder

_SEARCH_EVERY = 0.4
"""Seconds after which the whole frame is searched again: how late a second face may be noticed, or a drift ends."""
_LOOK_FINELY_EVERY = 4.0
"""Seconds after which, if there is no cut before, small faces are looked for beside large ones, too: at 1280x720 that
takes 0.1 s."""
_LOOK = Geometry(size=40, coverage=1.3)
_ALIKE = 0.9
"""Least correlation of a face's pixels with those of the frame before, at which it counts as followed."""
_FLAT = 2.0
"""Standard deviation, grey levels, below which a face shows nothing that could be compared."""
_FAR = 0.05
"""Sides of the box; after a longer move the landmarks are looked for once more from the moved box."""
_GROWTH = (0.8, 1.25)
_SAME, _TRUST = 0.7, 0.3
"""Overlap from which on a detected box is that of a followed face, and how far the followed one then gives way: dlib's
landmarks hang on the box, and one that jumped would make them jump."""
_ELSEWHERE = 0.3
"""Overlap up to which two boxes are not of the same face."""


@dataclass(frozen=True)
class _Seen:
    """A face of a frame, and what it looks like there, where that is known already."""

    face: Face
    look: NDArray[np.float64] | None = None


class Search:
    """Finds the faces of one video's frames, in order.

    Args:
        finder: detects, and finds landmarks in a box.
    """

    def __init__(self, finder: Finder) -> None:
        self.finder = finder
        self._before: Image | None = None
        self._seen: list[_Seen] = []
        self._searched = self._looked = -math.inf

    def faces(self, frame: Frame) -> list[Face]:
        """The faces of the next frame, the largest first."""
        moved = self._moved_on(frame.image)
        followed = [seen for seen in moved if seen is not None]
        faces = [seen.face for seen in followed]
        sure = bool(faces) and len(faces) == len(self._seen) and not _crowded(faces)
        due = frame.time - self._searched >= _SEARCH_EVERY or frame.time < self._searched
        if due or not sure:
            hint = self._seen[0].face.box if len(self._seen) == 1 and not due else None
            cut = bool(self._seen) and not followed
            since = frame.time - self._looked
            fine = not 0 <= since < (_SEARCH_EVERY if cut else _LOOK_FINELY_EVERY) and (cut or hint is None)
            if hint is None:
                self._searched = frame.time
                self._looked = frame.time if fine else self._looked
            found = self.finder.find(frame.image, hint, looks="all" if fine else "enough")
            smaller = [] if fine else self._smaller(frame.image, moved, found)
            followed = [_Seen(self._calmed(frame.image, face, faces)) for face in found] + smaller
        self._before, self._seen = frame.image, sorted(followed, key=lambda seen: -seen.face.size)
        return [seen.face for seen in self._seen]

    def _smaller(self, image: Image, moved: Sequence[_Seen | None], found: Sequence[Face]) -> list[_Seen]:
        """Smaller faces, of which a search that ended with ``found`` says nothing: followed, or where they were."""
        least = min((face.size for face in found), default=0.0)
        kept = []
        for before, now in zip(self._seen, moved, strict=True):
            face = (now or before).face
            if face.size >= least or any(overlap(face.box, other.box) > _ELSEWHERE for other in found):
                continue
            if now is not None:
                kept.append(now)
                continue
            near = self.finder.find(image, face.box, looks="first")
            kept += [_Seen(one) for one in near if overlap(one.box, face.box) > _ELSEWHERE][:1]
        return kept

    def _moved_on(self, image: Image) -> list[_Seen | None]:
        """The faces of the frame before as they are in this one; None where that is not sure."""
        if self._before is None or self._before.shape != image.shape:
            return [None] * len(self._seen)
        return [self._moved(self._before, image, seen) for seen in self._seen]

    def _moved(self, before: Image, image: Image, seen: _Seen) -> _Seen | None:
        face, box = seen.face, seen.face.box
        landmarks = self.finder.landmarks(image, box)
        try:
            moved = _carried(box, face.landmarks, landmarks)
            if moved is not None and _path(box, moved) > _FAR:
                landmarks = self.finder.landmarks(image, moved)
                moved = _carried(box, face.landmarks, landmarks)
            if moved is None:
                return None
            looked = seen.look if seen.look is not None else _look(before, face.landmarks)
            look = _look(image, landmarks)
        except FaceError:
            return None
        return _Seen(replace(face, box=moved, landmarks=landmarks), look) if _alike(looked, look) else None

    def _calmed(self, image: Image, face: Face, followed: Sequence[Face]) -> Face:
        """A detected face; where it was followed until now, from a box that does not jump."""
        same = max(followed, key=lambda other: overlap(face.box, other.box), default=None)
        if same is None or overlap(face.box, same.box) < _SAME:
            return face
        box = (1 - _TRUST) * np.array(same.box) + _TRUST * np.array(face.box)
        left, top, right, bottom = box.tolist()
        return replace(
            face,
            box=(left, top, right, bottom),
            landmarks=self.finder.landmarks(image, (left, top, right, bottom)),
        )


def _crowded(faces: Sequence[Face]) -> bool:
    """Whether two faces lie so close together that one may be taken for the other."""
    return any(overlap(a.box, b.box) > 0 for a, b in combinations(faces, 2))


def _carried(box: Box, before: Points, after: Points) -> Box | None:
    """A box moved and scaled as a face's inner landmarks were; None where no face changes like that."""
    motion = fit_similarity(before[INNER], after[INNER])
    growth = scale_of(motion)
    if not _GROWTH[0] < growth < _GROWTH[1]:
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
    return spread > _FLAT**2 and float(((a - a.mean()) * (b - b.mean())).mean()) > _ALIKE * spread


def _look(image: Image, landmarks: Points) -> NDArray[np.float64]:
    """(40, 40) brightness of a face."""
    crop = _LOOK.crop(image, _LOOK.matrix(landmarks))
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
