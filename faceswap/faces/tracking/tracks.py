"""Faces linked from frame to frame, so that a video is embedded by track, not by frame.

An embedding takes over 100 ms, ten times as long as finding the face. Within a shot a face can't become someone
else's: one that overlaps the box of the frame before and whose landmarks hardly moved is the same person's. So a
track is embedded at its start, about once a second, and at its end; a cut, a jump or a gap starts a new track. Where
two successive embeddings of a track disagree all the same (a cut between two similar pictures, two faces that
cross), :func:`settle` looks for the frame at which the person changes. Every face then has the identity of the
nearest embedded face of its own track.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.detection import Box, Face, Looks, overlap
from faceswap.faces.geometry import Points
from faceswap.faces.identity import SAME_PERSON
from faceswap.media.video.reading import Frame

Embedding = NDArray[np.float64]
EMBED_SECONDS = 1.0
_LOOK_SECONDS = 0.4
"""A frame is searched as a whole at least so often; in between only where the one face was."""
_SAME_BOX = 0.5
_MOVED = 0.2
"""Mean path of the landmarks in face heights: up to 0.07 from frame to frame in talking heads."""
_CUT = 20.0
"""Mean grey difference of two successive frames: up to 12 in talking heads, 38 and more between shots."""
_SMALL = (32, 32)


class Finder(Protocol):
    """What finds and embeds faces: :class:`faceswap.faces.detection.FaceFinder`."""

    def find(self, frame: NDArray[np.uint8], hint: Box | None = None, looks: Looks = "enough") -> list[Face]:
        """Faces of a frame, the largest first."""

    def embed(self, frame: NDArray[np.uint8], landmarks: Points) -> Embedding:
        """(128,) embedding of a face."""


@dataclass(frozen=True)
class Sighting:
    """A face in a frame, the number of its track, and its embedding where one was due."""

    face: Face
    track: int
    embedding: Embedding | None


@dataclass(frozen=True)
class _Known:
    track: int
    face: Face
    embedded: float


class Tracker:
    """Looks at the frames of one video, or at unrelated pictures, in order.

    Args:
        finder: of faces.
        video: whether successive frames belong together.
    """

    def __init__(self, finder: Finder, video: bool) -> None:
        self.finder, self.video = finder, video
        self._known: list[_Known] = []
        self._tracks = 0
        self._searched = -np.inf
        self._before: NDArray[np.int16] | None = None

    def see(self, frame: Frame) -> list[Sighting]:
        """The faces of the next frame, the largest first."""
        if not self.video or self._is_cut(frame.image):
            self._known, self._searched = [], -np.inf
        sightings, known = [], []
        for face in self._find(frame):
            old = self._linked(face)
            track, embedded = (old.track, old.embedded) if old else (self._tracks, -np.inf)
            self._tracks += old is None
            embedding = None
            if frame.time - embedded >= EMBED_SECONDS:
                embedding, embedded = self.finder.embed(frame.image, face.landmarks), frame.time
            known.append(_Known(track, face, embedded))
            sightings.append(Sighting(face, track, embedding))
        self._known = known
        return sightings

    def _find(self, frame: Frame) -> list[Face]:
        due = frame.time - self._searched >= _LOOK_SECONDS
        if not due and not self._known:
            return self.finder.find(frame.image, looks="first")
        if not due and len(self._known) == 1:
            return self.finder.find(frame.image, self._known[0].face.box)
        self._searched = frame.time
        return self.finder.find(frame.image)

    def _is_cut(self, image: NDArray[np.uint8]) -> bool:
        small = cv2.cvtColor(cv2.resize(image, _SMALL, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        now, before = small.astype(np.int16), self._before
        self._before = now
        return before is None or float(np.abs(now - before).mean()) > _CUT

    def _linked(self, face: Face) -> _Known | None:
        """The face of the frame before that this one continues; each is continued once."""
        height = max(float(np.ptp(face.landmarks[:, 1])), 1.0)
        paths = [
            float(np.linalg.norm(old.face.landmarks - face.landmarks, axis=1).mean()) / height
            for old in self._known
        ]
        fits = [
            (path, index)
            for index, (path, old) in enumerate(zip(paths, self._known, strict=True))
            if path <= _MOVED and overlap(face.box, old.face.box) > _SAME_BOX
        ]
        return self._known.pop(min(fits)[1]) if fits else None


def settle(
    times: Sequence[float],
    embeddings: Sequence[Embedding | None],
    embed: Callable[[int], Embedding],
    threshold: float = SAME_PERSON,
) -> dict[int, Embedding]:
    """Embeddings that one track lacks: that of its end, and those around each change of person.

    Args:
        times: (n,) seconds of the track's faces, ascending.
        embeddings: (n,) of the faces that have one; the first has.
        embed: makes the embedding of the face at an index.
        threshold: distance from which on two embeddings are those of two people.

    Returns:
        index → embedding. Between a face before a change and the one behind it no other lies, so that the nearest
        embedded face is of the right person; found by halving, log2(n) embeddings for each change.
    """
    known = {index: found for index, found in enumerate(embeddings) if found is not None}
    new: dict[int, Embedding] = {}
    last = len(times) - 1
    if last not in known and times[last] - times[max(known)] > EMBED_SECONDS / 4:
        new[last] = known[last] = embed(last)
    for first, second in pairwise(sorted(known)):
        before, after = known[first], known[second]
        if np.linalg.norm(before - after) <= threshold:
            continue
        low, high = first, second
        while high - low > 1:
            middle = (low + high) // 2
            new[middle] = found = embed(middle)
            if np.linalg.norm(found - before) <= np.linalg.norm(found - after):
                low = middle
            else:
                high = middle
    return new
