"""What a video adds to the swapper: faces that are followed, a quick search, and counts."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from faceswap.errors import NoFaceFound
from faceswap.faces.detection import Box, Face
from faceswap.faces.geometry import Image
from faceswap.media.video import Frame
from faceswap.swap.bridging import Bridge
from faceswap.swap.casting import Choice
from faceswap.swap.following import Followed, Follower
from faceswap.swap.parts import Tally
from faceswap.swap.swapper import Swapper

_IDENTIFY_EVERY = 1.0
"""Seconds after which a followed face is embedded again, where it counts who it is."""
_SEARCH_EVERY = 0.4
"""Seconds after which the whole frame is searched again: how late a second face may be noticed."""


class Work:
    """Finds and swaps the faces of consecutive frames.

    Args:
        swapper: does it.
        before: counts of the frames that are done already.
    """

    def __init__(self, swapper: Swapper, before: Tally) -> None:
        self.swapper = swapper
        self.tally = before
        self._follower = Follower(swapper.options.steady)
        self._bridge = Bridge()

    def find(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, list[Face]]]:
        """Search each frame: where one face was alone, around it; the whole frame now and then."""
        hint: Box | None = None
        searched = -math.inf
        for frame in frames:
            if frame.time - searched >= _SEARCH_EVERY:
                hint = None
            if hint is None:
                searched = frame.time
            faces = self.swapper.finder.find(frame.image, hint)
            hint = faces[0].box if len(faces) == 1 else None
            yield frame, faces

    def swap(self, frame: Frame, faces: list[Face], count: bool = True) -> Image:
        """The frame with its faces swapped; where ``count`` is off, it is not counted."""
        bridged = self._bridge.missing(frame.image, faces, frame.time)
        followed = self._follower.update([*faces, *bridged], frame.time)
        memories = [known.memory for _, known in followed]
        steady = [face for face, _ in followed]
        result = self.swapper.apply(frame.image, steady, self._choose(frame, followed), memories, frame.time)
        if count:
            skipped = Counter(self.tally.skipped)
            skipped.update(face.skipped for face in result.faces if face.skipped is not None)
            self.tally = Tally(
                frames=self.tally.frames + 1,
                swapped=self.tally.swapped + (result.swapped > 0),
                without_face=self.tally.without_face + (not followed),
                bridged=self.tally.bridged + bool(bridged),
                skipped=dict(skipped),
            )
        return result.image

    def _choose(self, frame: Frame, followed: list[tuple[Face, Followed]]) -> list[Choice] | None:
        if not self.swapper.selective:
            return None
        distances = []
        for face, known in followed:
            if known.distances is None or frame.time - known.measured >= _IDENTIFY_EVERY:
                known.distances, known.measured = self.swapper.distances(frame.image, face), frame.time
            distances.append(known.distances)
        return self.swapper.choose(distances)

    def require_a_swap(self, source: Path) -> None:
        """Raise NoFaceFound, with the reasons, where no face of the video was swapped."""
        if not self.tally.swapped:
            raise NoFaceFound(
                f"No face was swapped in {source}: {self.tally.frames} frames, "
                f"{self.tally.without_face} without a face"
                + "".join(f", {count} faces {reason}" for reason, count in self.tally.skipped.items()),
                "check that the face is visible, or lower min_face / raise match_threshold",
            )
