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

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Face, overlap
from faceswap.faces.finding.finder import Finder
from faceswap.faces.finding.turn import Turn
from faceswap.faces.finding.turning import Upright
from faceswap.faces.identity import SAME_PERSON
from faceswap.faces.tracking.search import FaceSearch
from faceswap.media.video.reading import Frame

Embedding = NDArray[np.float64]


@dataclass(frozen=True)
class TrackTuning:
    """Constants of tracks; measured on footage of talking heads where said, else not measured."""

    embed_every: float = 1.0
    """Seconds of a track after which it is embedded again."""
    same_box: float = 0.5
    """Overlap from which on two boxes may be of the same face."""
    moved: float = 0.2
    """Mean path of the landmarks in face heights up to which they are of the same face; measured: up to 0.07 from frame
    to frame."""
    cut: float = 20.0
    """Mean grey difference of two successive frames from which on there is a cut; measured: up to 12 within a shot, 38
    and more between shots."""
    small: tuple[int, int] = (32, 32)
    """Size, px, at which frames are compared for that."""


TUNING = TrackTuning()


@dataclass(frozen=True)
class TrackedFace:
    """A face in a frame as it was turned, the number of its track, its embedding where one was due, and the turn."""

    face: Face
    track: int
    embedding: Embedding | None
    turn: int = 0
    """Degrees clockwise."""


@dataclass(frozen=True)
class _Known:
    track: int
    face: Face
    embedded: float


class Tracker:
    """Finds and links the faces in the frames of one video, or in unrelated pictures, in order.

    Args:
        finder: of faces.
        video: whether successive frames belong together.
        turn: how frames may be turned.
    """

    def __init__(self, finder: Finder, video: bool, turn: Turn = "auto") -> None:
        self.finder, self.video, self.turn = finder, video, turn
        self._upright = Upright(finder, turn)
        self._known: list[_Known] = []
        self._tracks = 0
        self._search = FaceSearch(finder)
        self._before: NDArray[np.int16] | None = None

    def track(self, frame: Frame) -> list[TrackedFace]:
        """The faces of the next frame, the largest first."""
        if not self.video:
            self._upright = Upright(self.finder, self.turn)
        if self.video and self._is_cut(frame.image):
            self._begin()
        shown = self._upright.frame(frame)
        faces = self._find(shown)
        if self._upright.changes(frame, faces):
            self._begin()
            shown = self._upright.frame(frame)
            faces = self._find(shown)
        return self._link(shown, faces)

    def _begin(self) -> None:
        """Forget all faces."""
        self._known, self._search = [], FaceSearch(self.finder)

    def _link(self, frame: Frame, faces: list[Face]) -> list[TrackedFace]:
        tracked, known = [], []
        for face in faces:
            old = self._linked(face)
            track, embedded = (old.track, old.embedded) if old else (self._tracks, -np.inf)
            self._tracks += old is None
            embedding = None
            if frame.time - embedded >= TUNING.embed_every:
                embedding, embedded = self.finder.embed(frame.image, face.landmarks), frame.time
            known.append(_Known(track, face, embedded))
            tracked.append(TrackedFace(face, track, embedding, self._upright.degrees))
        self._known = known
        return tracked

    def _find(self, frame: Frame) -> list[Face]:
        if self.video:
            return self._search.faces(frame)
        self._known = []
        return self.finder.find(frame.image)

    def _is_cut(self, image: NDArray[np.uint8]) -> bool:
        small = cv2.cvtColor(
            cv2.resize(image, TUNING.small, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
        )
        now, before = small.astype(np.int16), self._before
        self._before = now
        return before is None or float(np.abs(now - before).mean()) > TUNING.cut

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
            if path <= TUNING.moved and overlap(face.box, old.face.box) > TUNING.same_box
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
    if last not in known and times[last] - times[max(known)] > TUNING.embed_every / 4:
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
