"""What a video adds to the swapper: faces that are followed, and counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceswap.errors import NoFaceFound
from faceswap.faces.detection import Face
from faceswap.faces.geometry import Image
from faceswap.faces.tracking.follower import Follower, Track
from faceswap.faces.tracking.optical_flow import Bridge
from faceswap.faces.tracking.search import Search
from faceswap.media.video.reading import Frame, probe
from faceswap.swap.assignment import Choice, Skipped
from faceswap.swap.compositing.composite import Memory
from faceswap.swap.swapper import Drawn, Swapper
from faceswap.swap.video.chunks import Tally

_IDENTIFY_EVERY = 1.0
"""Seconds after which a followed face is embedded again, where it counts who it is."""
_LIMITS: dict[Skipped, tuple[str, str]] = {
    "too small": ("--min-face", "min_face"),
    "too turned": ("--max-yaw", "max_yaw"),
    "uncertain": ("--min-score", "min_score"),
    "another person": ("--threshold", "match_threshold"),
}
"""Why a face is left alone: the command's option that decides it, and its field."""


@dataclass(frozen=True)
class Followed:
    """A frame with what is known of its faces, before they are swapped.

    Attributes:
        frame: the target's.
        faces: with calm landmarks.
        choices: the role of each, or why it is left alone; None: all have the first role.
        memories: of each.
        bridged: whether one of them was lost by the detector and carried on.
    """

    frame: Frame
    faces: list[Face]
    choices: list[Choice] | None
    memories: list[Memory]
    bridged: bool


class Work:
    """Finds and swaps the faces of consecutive frames, in five stages that may run in threads of their own.

    Args:
        swapper: does it.
        before: counts of the frames that are done already.
    """

    def __init__(self, swapper: Swapper, before: Tally) -> None:
        self.swapper = swapper
        self.tally = before
        self._follower = Follower(swapper.options.steady)
        self._bridge = Bridge()

    def find(self, frames: Iterable[Frame]) -> Iterator[Followed]:
        """First stage: where the faces are and who they are."""
        search = Search(self.swapper.finder)
        for frame in frames:
            yield self.follow(frame, search.faces(frame))

    def follow(self, frame: Frame, faces: list[Face]) -> Followed:
        """Link the faces found in the next frame to those before it."""
        bridged = self._bridge.missing(frame.image, faces, frame.time)
        known = self._follower.update([*faces, *bridged], frame.time)
        return Followed(
            frame,
            [face for face, _ in known],
            self._choose(frame, known),
            [track.memory for _, track in known],
            bool(bridged),
        )

    def draw(self, found: Iterable[Followed]) -> Iterator[tuple[Followed, list[Drawn]]]:
        """Second stage: the networks."""
        for one in found:
            yield one, self.swapper.draw(one.frame.image, one.faces, one.choices)

    def fit(self, drawn: Iterable[tuple[Followed, list[Drawn]]]) -> Iterator[tuple[Followed, list[Drawn]]]:
        """Third stage: the drawn faces' landmarks, lips and lids."""
        for one, faces in drawn:
            yield one, self.swapper.fit(faces, one.memories, one.frame.time)

    def reshape(
        self, fitted: Iterable[tuple[Followed, list[Drawn]]]
    ) -> Iterator[tuple[Followed, Image, list[Drawn]]]:
        """Fourth stage: new frames, in which the targets have the outlines of what was drawn."""
        for one, faces in fitted:
            yield one, *self.swapper.reshape(one.frame.image, faces)

    def lay(self, found: Followed, image: Image, drawn: Sequence[Drawn], count: bool = True) -> Image:
        """Last stage: the frame, which is changed, with its faces swapped; not counted where ``count`` is off."""
        result = self.swapper.lay(image, drawn, found.memories, found.frame.time)
        if count:
            skipped = Counter(self.tally.skipped)
            skipped.update(face.skipped for face in result.faces if face.skipped is not None)
            self.tally = Tally(
                frames=self.tally.frames + 1,
                swapped=self.tally.swapped + (result.swapped > 0),
                without_face=self.tally.without_face + (not found.faces),
                bridged=self.tally.bridged + found.bridged,
                skipped=dict(skipped),
            )
        return result.image

    def _choose(self, frame: Frame, known: list[tuple[Face, Track]]) -> list[Choice] | None:
        if not self.swapper.selective:
            return None
        distances = []
        for face, track in known:
            if track.distances is None or frame.time - track.measured >= _IDENTIFY_EVERY:
                track.distances, track.measured = self.swapper.distances(frame.image, face), frame.time
            distances.append(track.distances)
        return self.swapper.choose(distances)

    def require_a_swap(self, source: Path) -> None:
        """Raise NoFaceFound, with the reasons, where no face of the video was swapped."""
        if self.tally.swapped:
            return
        if not self.tally.frames:
            seconds = probe(source).duration
            raise NoFaceFound(
                f"No frame of {source} lies between the start and the end that were given"
                + (f": it is {seconds:.1f} s long" if seconds else ""),
                "choose a start within the video, and an end after it",
            )
        raise NoFaceFound(
            f"No face was swapped in {source}: {self.tally.frames} frames, "
            f"{self.tally.without_face} without a face"
            + "".join(f", {count} faces {reason}" for reason, count in self.tally.skipped.items()),
            self._advice(),
        )

    def _advice(self) -> str:
        """What may help: the app has none of the command's limits, so the video comes first."""
        limits = [
            f"{option} ({getattr(self.swapper.options, field):g})"
            for reason, (option, field) in _LIMITS.items()
            if self.tally.skipped.get(reason)
        ]
        advice = "use a video that shows the face large, uncovered and from the front"
        return advice + (f", or change the command's {' and '.join(limits)}" if limits else "")
