"""One video, frame by frame in constant memory, with its sound; what is done survives a cancel and a kill."""

import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from faceswap.errors import ConsentError, StorageError
from faceswap.media.video.reading import VideoReader
from faceswap.process.opencv_threads import shared_by
from faceswap.provenance.metadata import Provenance
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.assembly import Assembly, VideoReport, check
from faceswap.swap.video.chunks import Chunks
from faceswap.swap.video.threads import Behind, ahead
from faceswap.swap.video.video_swapper import VideoSwapper

__all__ = ["Progress", "VideoReport", "swap_frames", "swap_video"]

Progress = Callable[[int, int | None, str], None]
"""Called with what is done, the total where it is known, and what is being worked on."""

_STAGES = 7
"""Threads that work at the same time, each with a stage."""
_WARM_UP = 0.6
"""Seconds before the first new frame that are swapped once more when a video goes on: the filters settle."""


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
    check(source, out, metadata)
    with VideoReader(source) as reader:
        whole = Assembly(source, out, reader.info, swapper, metadata, start=start, end=end, resume=resume)
        parts = whole.parts
        begin = start if parts.last is None else parts.next
        video = VideoSwapper(swapper, parts.tally)
        tell = _Teller(progress, reader.path.name, whole.expected, video.tally.frames)
        try:
            swap_frames(reader, parts, video, (start, end), begin, tell, cancelled)
        except CancelledError:
            return whole.cancel(reader.damage, reader.converted)
        except ConsentError:  # what was made of a person who has withdrawn does not stay either
            parts.remove()
            raise
        except Exception:
            raise
        except BaseException:  # Ctrl-C, or the signal by which Prefect cancels
            with suppress(StorageError):  # the parts are there
                whole.keep()
            raise
        return whole.finish(reader.damage, reader.converted)


def swap_frames(
    reader: VideoReader,
    parts: Chunks,
    video: VideoSwapper,
    span: tuple[float | None, float | None],
    begin: float | None = None,
    tell: Callable[[int], object] = lambda _: None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Swap the frames of a span and write them into parts.

    Args:
        reader: of the source.
        parts: take the frames.
        video: swaps.
        span: seconds; no frame of another time is read.
        begin: seconds from which on frames are new; those just before are only followed, for the filters.
        tell: told the number of finished frames.
        cancelled: asked after each new frame.

    Raises:
        CancelledError: it said yes; what is done is in the parts.
    """
    start, end = span
    first = start if begin is None else max(start or 0.0, begin - _WARM_UP)
    with ExitStack() as stack:
        stack.enter_context(shared_by(_STAGES))
        stack.enter_context(parts)
        write = stack.enter_context(Behind(parts.write))
        frames = stack.enter_context(closing(ahead(reader.frames(start=first, end=end))))
        tracked = stack.enter_context(closing(ahead(video.find(frames))))
        generated = stack.enter_context(closing(ahead(video.generate(tracked))))
        expressive = stack.enter_context(closing(ahead(video.transfer_expression(generated))))
        reshaped = stack.enter_context(closing(ahead(video.reshape(expressive))))
        for one, image, faces in reshaped:
            new = begin is None or one.frame.time >= begin
            finished = video.composite(one, image, faces, count=new)
            if not new:
                continue
            shown = one.frame.duration if end is None else min(one.frame.duration, end - one.frame.time)
            write(finished, one.frame.time, video.tally, shown)
            tell(video.tally.frames)
            if cancelled is not None and cancelled():
                raise CancelledError


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
