"""One video, frame by frame in constant memory, with its sound; what is done survives a cancel and a kill."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from faceswap.errors import ConsentError, MediaError, StorageError
from faceswap.media.video.joining import Joined, join_videos
from faceswap.media.video.reading import VideoInfo, VideoReader, VideoWriter
from faceswap.provenance import content_credentials
from faceswap.provenance.metadata import Provenance
from faceswap.swap.fingerprint import swap_key
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.chunks import Chunks
from faceswap.swap.video.threads import Behind, ahead
from faceswap.swap.video.video_swapper import VideoSwapper

Progress = Callable[[int, int | None, str], None]
"""Called with what is done, the total where it is known, and what is being worked on."""

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
    changes: list[str] = Field(
        [], description="what was left out or written otherwise than it was, in sentences"
    )
    seconds: float = Field(0.0, description="wall time")
    resumed: int = Field(0, description="frames taken over from an interrupted run")
    cancelled: bool = False

    @property
    def remarks(self) -> list[str]:
        """What people should know of the result, in sentences."""
        return [*([self.damage] if self.damage else []), *self.changes]

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
    """Swap the faces of a video. Size, frame times, sound tracks, subtitles, chapters and tags are kept.

    Frames are decoded, their faces found, generated, given the expression, reshaped and composited, and frames
    encoded in seven threads, in constant memory. Every ten seconds of video are finished as a part; where the work ends
    early, the same call goes on after the last frame that was encoded, and a video of what is done lies beside ``out``
    as NAME.partial.SUFFIX.

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
        StorageError: the result can't be written; the finished parts are kept, and the same call goes on with them.
    """
    if out.exists() and out.resolve() == source.resolve():
        raise MediaError(f"{out} is the target itself", "choose another name for the result")
    if metadata is not None:
        content_credentials.check()  # hours before it would fail
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
                orientation=info.orientation,
                metadata=None,  # a part on its way; the whole says it
            )

        parts = Chunks(out, swap_key(source, swapper, metadata, start, end), writer, resume=resume)
        video = VideoSwapper(swapper, parts.tally)

        def join(path: Path, until: float | None) -> Joined:
            return join_videos(
                parts.joinable(start or 0.0),
                path,
                audio_from=source,
                audio_start=start or 0.0,
                end=None if until is None else until - (start or 0.0),
                fps=info.fps,
                orientation=info.orientation,
                metadata=metadata,
                target=source,
            )

        def report(path: Path | None, partial: Path | None, joined: Joined) -> VideoReport:
            return VideoReport(
                source=source,
                out=path,
                partial=partial,
                **video.tally.model_dump(),
                damage="; ".join(filter(None, (reader.damage, joined.damage))) or None,
                changes=[*reader.converted, *joined.left_out],
                seconds=time.perf_counter() - began,
                resumed=before,
                cancelled=path is None,
            )

        def keep() -> tuple[Path | None, Joined]:
            if not parts.tally.swapped:
                return None, Joined()
            return parts.partial, join(parts.partial, parts.until)

        before = video.tally.frames
        try:
            _swap_frames(reader, parts, video, (start, end), progress, cancelled)
        except _Cancelled:
            return report(None, *keep())
        except ConsentError:  # what was made of a person who has withdrawn does not stay either
            parts.remove()
            raise
        except Exception:
            raise
        except BaseException:  # Ctrl-C, or the signal by which Prefect cancels
            with suppress(StorageError):  # the parts are there
                keep()
            raise
        if not video.tally.swapped:
            parts.remove()
            video.require_a_swap(source)
        joined = join(out, end)
        parts.remove()
        return report(out, None, joined)


def _swap_frames(
    reader: VideoReader,
    parts: Chunks,
    video: VideoSwapper,
    span: tuple[float | None, float | None],
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """All frames that are not yet in the parts; those just before them are only followed, for the filters."""
    start, end = span
    total = _expected(reader.info, start, end)
    tell = _Teller(progress, reader.path.name, total, video.tally.frames)
    done = parts.last
    first = start if done is None else max(start or 0.0, done - _WARM_UP)
    with ExitStack() as stack:
        stack.enter_context(parts)
        write = stack.enter_context(Behind(parts.write))
        frames = stack.enter_context(closing(ahead(reader.frames(start=first, end=end))))
        tracked = stack.enter_context(closing(ahead(video.find(frames))))
        generated = stack.enter_context(closing(ahead(video.generate(tracked))))
        expressive = stack.enter_context(closing(ahead(video.transfer_expression(generated))))
        reshaped = stack.enter_context(closing(ahead(video.reshape(expressive))))
        for one, image, faces in reshaped:
            new = done is None or one.frame.time > done
            finished = video.composite(one, image, faces, count=new)
            if not new:
                continue
            shown = one.frame.duration if end is None else min(one.frame.duration, end - one.frame.time)
            write(finished, one.frame.time, video.tally, shown)
            tell(video.tally.frames)
            if cancelled is not None and cancelled():
                raise _Cancelled


class _Teller:
    """Tells the progress with the frames per second."""

    def __init__(self, progress: Progress | None, name: str, total: int | None, before: int) -> None:
        self.progress, self.name, self.total, self.before = progress, name, total, before
        self.began = time.perf_counter()

    def __call__(self, done: int) -> None:
        if self.progress is None:
            return
        rate = (done - self.before) / max(1e-9, time.perf_counter() - self.began)
        self.progress(done, self.total, f"{rate:.1f} frames/s, {self.name}")


def _expected(info: VideoInfo, start: float | None, end: float | None) -> int | None:
    if not info.frames or not info.duration:
        return info.frames
    share = (min(end if end is not None else info.duration, info.duration) - (start or 0.0)) / info.duration
    return max(1, round(info.frames * min(1.0, max(0.0, share))))
