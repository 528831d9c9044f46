"""One video, frame by frame in constant memory, with its sound; what is done survives a cancel and a kill."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from faceswap.errors import MediaError
from faceswap.media.video.joining import join_videos
from faceswap.media.video.reading import VideoInfo, VideoReader, VideoWriter
from faceswap.provenance.metadata import Provenance
from faceswap.swap.batch.journal import swap_key
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.chunks import Parts
from faceswap.swap.video.threads import Behind, ahead
from faceswap.swap.video.video_swapper import Work

Progress = Callable[[int, int | None, str], None]
"""Called with what is done, the total where it is known, and what is being worked on."""

_HDR = "{} is HDR, written as BT.709: lights brighter than white paper are white; where that shows, convert it first"
_WARM_UP = 0.6
"""Seconds before the first new frame that are swapped once more when a video goes on: the filters settle."""


class VideoReport(BaseModel):
    """What became of a video."""

    model_config = ConfigDict(frozen=True)

    source: Path
    out: Path | None = Field(description="the written file; None where the work was cancelled")
    partial: Path | None = Field(None, description="what was done before the work was cancelled, as a video")
    frames: int = Field(0, description="frames read and written")
    swapped: int = Field(0, description="frames with at least one swapped face")
    without_face: int = Field(0, description="frames without a face; they pass through unchanged")
    bridged: int = Field(0, description="frames in which a face that was lost for a moment was followed")
    skipped: dict[str, int] = Field({}, description="faces that were left alone, by reason")
    damage: str | None = Field(
        None, description="what was wrong with the source or could not be kept; the rest was swapped"
    )
    converted: str | None = Field(None, description="what was written otherwise than it was, and that shows")
    seconds: float = Field(0.0, description="wall time")
    resumed: int = Field(0, description="frames taken over from an interrupted run")
    cancelled: bool = False

    @property
    def remarks(self) -> list[str]:
        """What people should know of the result, in sentences."""
        return [text for text in (self.damage, self.converted) if text]

    @property
    def fps(self) -> float:
        """Frames per second of wall time."""
        return (self.frames - self.resumed) / self.seconds if self.seconds > 0 else 0.0


class _Cancelled(Exception):
    """Leaves the loop; what is done is kept."""


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
    resume: bool = True,
) -> VideoReport:
    """Swap the faces of a video. Sound, size, frame rate and frame times are kept; memory does not grow.

    Frames are decoded, searched for faces, drawn by the network, fitted, reshaped, blended and encoded in seven
    threads. Every ten seconds of video are finished as a part; where the work ends early, the same call goes on after
    the last frame that was encoded, and a video of what is done lies beside ``out`` as NAME.partial.SUFFIX.

    Args:
        source: the target video.
        out: the video to write; it appears when it is whole.
        swapper: with its options and, where one person is chosen, ``match``.
        metadata: what is written into the file about its origin.
        start, end: in seconds of the source; None: all of it.
        progress: told after each frame.
        cancelled: asked after each frame; True stops.
        resume: go on with what an interrupted call with the same arguments left; else begin anew.

    Raises:
        UnreadableMedia: no frame can be decoded.
        MediaError: ``out`` is the source.
        NoFaceFound: no face was swapped in any frame; nothing is written, since nothing was generated.
    """
    if out.exists() and out.resolve() == source.resolve():
        raise MediaError(f"{out} is the target itself", "choose another name for the result")
    began = time.perf_counter()
    with VideoReader(source) as reader:
        info = reader.info

        def writer(path: Path) -> VideoWriter:
            return VideoWriter(
                path,
                width=info.width,
                height=info.height,
                fps=info.fps,
                full_range=info.full_range,
                rotation=info.rotation,
            )

        parts = Parts(out, swap_key(source, swapper, metadata, start, end), writer, resume=resume)
        work = Work(swapper, parts.tally)

        def join(path: Path) -> str | None:
            return join_videos(
                parts.joinable(start or 0.0),
                path,
                audio_from=source,
                audio_start=start or 0.0,
                rotation=info.rotation,
                metadata=metadata,
            )

        def report(path: Path | None, partial: Path | None, unheard: str | None) -> VideoReport:
            return VideoReport(
                source=source,
                out=path,
                partial=partial,
                **work.tally.model_dump(),
                damage="; ".join(filter(None, (reader.damage, unheard))) or None,
                converted=_HDR.format(source) if info.hdr else None,
                seconds=time.perf_counter() - began,
                resumed=before,
                cancelled=path is None,
            )

        def keep() -> tuple[Path | None, str | None]:
            if not parts.tally.swapped:
                return None, None
            return parts.partial, join(parts.partial)

        before = work.tally.frames
        try:
            _swap_frames(reader, parts, work, (start, end), progress, cancelled)
        except _Cancelled:
            return report(None, *keep())
        except Exception:
            raise
        except BaseException:  # Ctrl-C, or the signal by which Prefect cancels
            keep()
            raise
        if not work.tally.swapped:
            parts.remove()
            work.require_a_swap(source)
        unheard = join(out)
        parts.remove()
        return report(out, None, unheard)


def _swap_frames(
    reader: VideoReader,
    parts: Parts,
    work: Work,
    span: tuple[float | None, float | None],
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """All frames that are not yet in the parts; those just before them are only followed, for the filters."""
    start, end = span
    total = _expected(reader.info, start, end)
    tell = _Teller(progress, reader.path.name, total, work.tally.frames)
    done = parts.last
    first = start if done is None else max(start or 0.0, done - _WARM_UP)
    with ExitStack() as stack:
        stack.enter_context(parts)
        write = stack.enter_context(Behind(parts.write))
        frames = stack.enter_context(closing(ahead(reader.frames(start=first, end=end))))
        found = stack.enter_context(closing(ahead(work.find(frames))))
        drawn = stack.enter_context(closing(ahead(work.draw(found))))
        fitted = stack.enter_context(closing(ahead(work.fit(drawn))))
        reshaped = stack.enter_context(closing(ahead(work.reshape(fitted))))
        for one, image, outputs in reshaped:
            new = done is None or one.frame.time > done
            finished = work.lay(one, image, outputs, count=new)
            if not new:
                continue
            write(finished, one.frame.time, work.tally)
            tell(work.tally.frames)
            if cancelled is not None and cancelled():
                raise _Cancelled


class _Teller:
    """Tells the progress with the frames per second and the time that is left."""

    def __init__(self, progress: Progress | None, name: str, total: int | None, before: int) -> None:
        self.progress, self.name, self.total, self.before = progress, name, total, before
        self.began = time.perf_counter()

    def __call__(self, done: int) -> None:
        if self.progress is None:
            return
        rate = (done - self.before) / max(1e-9, time.perf_counter() - self.began)
        message = f"{self.name}, {rate:.1f} frames/s"
        if self.total:
            left = max(0, round((self.total - done) / max(rate, 1e-9)))
            message += f", {left // 60}:{left % 60:02d} min left"
        self.progress(done, self.total, message)


def _expected(info: VideoInfo, start: float | None, end: float | None) -> int | None:
    if not info.frames or not info.duration:
        return info.frames
    share = (min(end if end is not None else info.duration, info.duration) - (start or 0.0)) / info.duration
    return max(1, round(info.frames * min(1.0, max(0.0, share))))
