"""What a video adds to the swapper: faces that are tracked, and counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceswap.errors import NoFaceFound
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.finding.turning import Upright
from faceswap.faces.geometry import Image
from faceswap.faces.tracking.follower import Follower, Track
from faceswap.faces.tracking.optical_flow import OpticalFlowTracker
from faceswap.faces.tracking.search import FaceSearch
from faceswap.media.video.reading import Frame, probe
from faceswap.swap.assignment import Assignment, Skipped
from faceswap.swap.compositing.composite import FaceMemory
from faceswap.swap.swapper import FrameFace, Swapper
from faceswap.swap.video.chunks import Tally

_IDENTIFY_EVERY = 1.0
"""Seconds after which a tracked face is embedded again, where it counts who it is; not measured."""
_LIMITS: dict[Skipped, tuple[str, str]] = {
    "too small": ("--min-face", "min_face"),
    "too turned": ("--max-yaw", "max_yaw"),
    "uncertain": ("--min-score", "min_score"),
    "another person": ("--threshold", "match_threshold"),
}
"""Why a face is left alone: the command's option that decides it, and its field."""


@dataclass(frozen=True)
class TrackedFrame:
    """A frame with what is known of its faces, before they are swapped.

    Attributes:
        frame: the target's, turned so that heads stand upright.
        faces: with smoothed landmarks.
        assignments: the reference of each, or why it is left alone; None: all get the first one.
        memories: of each.
        bridged: whether one of them was missed by the detector and followed by optical flow.
        turn: degrees by which the frame was turned clockwise.
    """

    frame: Frame
    faces: list[Face]
    assignments: list[Assignment] | None
    memories: list[FaceMemory]
    bridged: bool
    turn: int = 0


class VideoSwapper:
    """Finds and swaps the faces of consecutive frames, in five stages that may run in threads of their own.

    Args:
        swapper: does it.
        before: counts of the frames that are done already.
    """

    def __init__(self, swapper: Swapper, before: Tally) -> None:
        self.swapper = swapper
        self.tally = before
        self._begin()

    def _begin(self) -> None:
        """Forget all faces."""
        self._follower = Follower(FaceMemory, self.swapper.options.steady)
        self._flow = OpticalFlowTracker()

    def find(self, frames: Iterable[Frame]) -> Iterator[TrackedFrame]:
        """First stage: where the faces are and who they are."""
        search, upright = (
            FaceSearch(self.swapper.finder),
            Upright(self.swapper.finder, self.swapper.options.turn),
        )
        for frame in frames:
            shown = upright.frame(frame)
            faces = search.faces(shown)
            if upright.changes(frame, faces):
                self._begin()
                search, shown = FaceSearch(self.swapper.finder), upright.frame(frame)
                faces = search.faces(shown)
            yield self.track(shown, faces, upright.degrees)

    def track(self, frame: Frame, faces: list[Face], turn: int = 0) -> TrackedFrame:
        """Link the faces found in the next frame, which is turned, to those before it."""
        bridged = self._flow.missing(frame.image, faces, frame.time)
        known = self._follower.update([*faces, *bridged], frame.time)
        return TrackedFrame(
            frame,
            [face for face, _ in known],
            self._choose(frame, known),
            [track.memory for _, track in known],
            bool(bridged),
            turn,
        )

    def generate(self, tracked: Iterable[TrackedFrame]) -> Iterator[tuple[TrackedFrame, list[FrameFace]]]:
        """Second stage: the networks."""
        for one in tracked:
            yield one, self.swapper.generate(one.frame.image, one.faces, one.assignments)

    def transfer_expression(
        self, generated: Iterable[tuple[TrackedFrame, list[FrameFace]]]
    ) -> Iterator[tuple[TrackedFrame, list[FrameFace]]]:
        """Third stage: landmarks, lips, lids and irises of the generated faces."""
        for one, faces in generated:
            yield one, self.swapper.transfer_expression(faces, one.memories, one.frame.time)

    def reshape(
        self, expressive: Iterable[tuple[TrackedFrame, list[FrameFace]]]
    ) -> Iterator[tuple[TrackedFrame, Image, list[FrameFace]]]:
        """Fourth stage: new frames, in which the targets have the outlines of the generated faces."""
        for one, faces in expressive:
            yield one, *self.swapper.reshape(one.frame.image, faces)

    def composite(
        self, tracked: TrackedFrame, image: Image, faces: Sequence[FrameFace], count: bool = True
    ) -> Image:
        """Last stage: the frame, which is changed, with its faces swapped; not counted where ``count`` is off."""
        result = self.swapper.composite(image, faces, tracked.memories, tracked.frame.time, tracked.turn)
        if count:
            skipped = Counter(self.tally.skipped)
            skipped.update(face.skipped for face in result.faces if face.skipped is not None)
            self.tally = Tally(
                frames=self.tally.frames + 1,
                swapped=self.tally.swapped + (result.swapped > 0),
                without_face=self.tally.without_face + (not tracked.faces),
                bridged=self.tally.bridged + tracked.bridged,
                skipped=dict(skipped),
            )
        return self.swapper.marked(result)

    def _choose(self, frame: Frame, known: list[tuple[Face, Track[FaceMemory]]]) -> list[Assignment] | None:
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
