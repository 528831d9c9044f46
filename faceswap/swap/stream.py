"""One video, frame by frame in constant memory, with its sound."""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from faceswap.errors import MediaError, NoFaceFound
from faceswap.faces.detection import Box, Face
from faceswap.faces.geometry import Image
from faceswap.media.video import Frame, VideoReader, VideoWriter
from faceswap.provenance.metadata import Provenance
from faceswap.swap.casting import Choice
from faceswap.swap.following import Followed, Follower
from faceswap.swap.swapper import Swapper

Progress = Callable[[int, int | None, str], None]
"""Called with what is done, the total where it is known, and what is being worked on."""

_IDENTIFY_EVERY = 1.0
"""Seconds after which a followed face is embedded again, where one person was chosen."""
_SEARCH_EVERY = 0.4
"""Seconds after which the whole frame is searched again: how late a second face may be noticed."""
_AHEAD = 4

T = TypeVar("T")


class VideoReport(BaseModel):
    """What became of a video."""

    model_config = ConfigDict(frozen=True)

    source: Path
    out: Path | None = Field(description="the written file; None where the work was cancelled")
    frames: int = Field(0, description="frames read and written")
    swapped: int = Field(0, description="frames with at least one swapped face")
    without_face: int = Field(0, description="frames without a face; they pass through unchanged")
    skipped: dict[str, int] = Field({}, description="faces that were left alone, by reason")
    damage: str | None = Field(None, description="what was wrong with the source; the rest was swapped")
    seconds: float = Field(0.0, description="wall time")
    cancelled: bool = False

    @property
    def fps(self) -> float:
        """Frames per second of wall time."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


class _Cancelled(Exception):
    """Leaves the writer, so that it removes its unfinished file."""


def swap_video(
    source: Path,
    out: Path,
    swapper: Swapper,
    metadata: Provenance | None,
    *,
    start: float | None = None,
    end: float | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> VideoReport:
    """Swap the faces of a video. Sound, size, frame rate and frame times are kept; memory does not grow.

    Frames are decoded, searched for faces, and swapped and encoded in three threads.

    Args:
        source: the target video.
        out: the video to write; it appears when it is whole.
        swapper: with its options and, where one person is chosen, ``match``.
        metadata: what is written into the file about its origin.
        start, end: in seconds of the source; None: all of it.
        progress: told after each frame.
        cancelled: asked after each frame; True stops, and nothing is written.

    Raises:
        UnreadableMedia: no frame can be decoded.
        MediaError: ``out`` is the source.
        NoFaceFound: no face was swapped in any frame; nothing is written, since nothing was generated.
    """
    if out.exists() and out.resolve() == source.resolve():
        raise MediaError(f"{out} is the target itself", "choose another name for the result")
    began = time.perf_counter()
    work = _Work(swapper)
    report_to = progress or (lambda *_: None)
    try:
        with ExitStack() as stack:
            reader = stack.enter_context(VideoReader(source))
            info = reader.info
            total = _expected(info.frames, info.duration, start, end)
            writer = stack.enter_context(
                VideoWriter(
                    out,
                    width=info.width,
                    height=info.height,
                    fps=info.fps,
                    audio_from=source if info.has_audio else None,
                    metadata=metadata,
                    audio_start=start or 0.0,
                )
            )
            frames = stack.enter_context(closing(ahead(reader.frames(start=start, end=end))))
            found = stack.enter_context(closing(ahead(work.find(frames))))
            for frame, faces in found:
                writer.write(work.swap(frame, faces), frame.time - (start or 0.0))
                report_to(work.frames, total, source.name)
                if cancelled is not None and cancelled():
                    raise _Cancelled
            work.require_a_swap(source)
    except _Cancelled:
        return work.report(source, None, began, reader.damage, cancelled=True)
    return work.report(source, out, began, reader.damage)


def ahead(items: Iterable[T], depth: int = _AHEAD) -> Generator[T, None, None]:
    """Yield the items in their order while a thread prepares the next ``depth`` ones; its errors arrive here."""
    end = object()
    iterator = iter(items)
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        pending: deque[Future[T | object]] = deque(pool.submit(next, iterator, end) for _ in range(depth))
        while (item := pending.popleft().result()) is not end:
            pending.append(pool.submit(next, iterator, end))
            yield item  # type: ignore[misc]  # everything but the end is a T
    finally:
        pool.shutdown(cancel_futures=True)


def _expected(
    frames: int | None, duration: float | None, start: float | None, end: float | None
) -> int | None:
    if not frames or not duration:
        return frames
    share = (min(end if end is not None else duration, duration) - (start or 0.0)) / duration
    return max(1, round(frames * min(1.0, max(0.0, share))))


class _Work:
    """The swapper with what a video adds: faces that are followed, and counts."""

    def __init__(self, swapper: Swapper) -> None:
        self.swapper = swapper
        self.follower = Follower(swapper.options.steady)
        self.frames = self.swapped = self.without_face = 0
        self.skipped: Counter[str] = Counter()

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

    def swap(self, frame: Frame, faces: list[Face]) -> Image:
        followed = self.follower.update(faces, frame.time)
        steady = [face for face, _ in followed]
        memories = [known.memory for _, known in followed]
        result = self.swapper.apply(frame.image, steady, self._choose(frame, followed), memories, frame.time)
        self.frames += 1
        self.swapped += result.swapped > 0
        self.without_face += not faces
        self.skipped.update(face.skipped for face in result.faces if face.skipped is not None)
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
        if not self.swapped:
            raise NoFaceFound(
                f"No face was swapped in {source}: {self.frames} frames, {self.without_face} without a face"
                + "".join(f", {count} faces {reason}" for reason, count in self.skipped.items()),
                "check that the face is visible, or lower min_face / raise match_threshold",
            )

    def report(
        self, source: Path, out: Path | None, began: float, damage: str | None, cancelled: bool = False
    ) -> VideoReport:
        return VideoReport(
            source=source,
            out=out,
            frames=self.frames,
            swapped=self.swapped,
            without_face=self.without_face,
            skipped=dict(self.skipped),
            damage=damage,
            seconds=time.perf_counter() - began,
            cancelled=cancelled,
        )
