"""A video on its way: the parts that are done, what they become, and what is said of them."""

import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from faceswap.errors import MediaError
from faceswap.media.video.joining import Joined, join_videos
from faceswap.media.video.reading import VideoInfo, VideoWriter
from faceswap.provenance import content_credentials
from faceswap.provenance.metadata import Provenance
from faceswap.swap.fingerprint import swap_key
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.chunks import Chunks
from faceswap.swap.video.video_swapper import VideoSwapper


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


class Assembly:
    """The parts of one video and what becomes of them.

    Args:
        source, out, swapper, metadata, start, end, resume: as for :func:`faceswap.swap.video.stream.swap_video`.
        info: what the source is.

    Attributes:
        parts: that are finished; those of an interrupted run with the same arguments are there from the beginning.
        resumed: frames of these.
        span: start and end.

    Raises:
        MediaError: ``out`` is the source.
        CredentialsError: nothing can be signed; hours before it would fail.
    """

    def __init__(
        self,
        source: Path,
        out: Path,
        info: VideoInfo,
        swapper: Swapper,
        metadata: Provenance | None,
        *,
        start: float | None = None,
        end: float | None = None,
        resume: bool = True,
    ) -> None:
        check(source, out, metadata)
        self.source, self.out, self.info, self.span = source, out, info, (start, end)
        self._swapper, self._metadata, self._began = swapper, metadata, time.perf_counter()
        key = swap_key(source, swapper, metadata, start, end)
        self.parts = Chunks(out, key, lambda path: part_writer(path, info), resume=resume)
        self.resumed = self.parts.tally.frames

    @property
    def expected(self) -> int | None:
        """About how many frames there are between start and end; None where nobody knows."""
        info, (start, end) = self.info, self.span
        if not info.frames or not info.duration:
            return info.frames
        until = min(end if end is not None else info.duration, info.duration)
        return max(1, round(info.frames * min(1.0, max(0.0, (until - (start or 0.0)) / info.duration))))

    def finish(self, damage: str | None, changes: list[str]) -> VideoReport:
        """Join all parts to the result, with sound and all else of the source, and sign it; the parts go.

        Args:
            damage: what was wrong with the source.
            changes: what is written otherwise than it was.

        Raises:
            NoFaceFound: no face was swapped in any frame.
            StorageError: the result can't be written; the parts stay.
        """
        if not self.parts.tally.swapped:
            self.parts.remove()
            VideoSwapper(self._swapper, self.parts.tally).require_a_swap(self.source)
        joined = self._join(self.out, self.span[1])
        self.parts.remove()
        return self._report(self.out, None, joined, damage, changes)

    def cancel(self, damage: str | None, changes: list[str]) -> VideoReport:
        """What is said where the work ends early; arguments as for :meth:`finish`."""
        return self._report(None, *self.keep(), damage, changes)

    def keep(self) -> tuple[Path | None, Joined]:
        """Make a video of what is done, to look at; None where no face was swapped yet."""
        if not self.parts.tally.swapped:
            return None, Joined()
        return self.parts.partial, self._join(self.parts.partial, self.parts.until)

    def _join(self, path: Path, until: float | None) -> Joined:
        start = self.span[0] or 0.0
        return join_videos(
            self.parts.joinable(start),
            path,
            audio_from=self.source,
            audio_start=start,
            end=None if until is None else until - start,
            fps=self.info.fps,
            orientation=self.info.orientation,
            metadata=self._metadata,
            target=self.source,
        )

    def _report(
        self, path: Path | None, partial: Path | None, joined: Joined, damage: str | None, changes: list[str]
    ) -> VideoReport:
        return VideoReport(
            source=self.source,
            out=path,
            partial=partial,
            **self.parts.tally.model_dump(),
            damage="; ".join(filter(None, (damage, joined.damage))) or None,
            changes=[*changes, *joined.left_out],
            seconds=time.perf_counter() - self._began,
            resumed=self.resumed,
            cancelled=path is None,
        )


def check(source: Path, out: Path, metadata: Provenance | None) -> None:
    """What can be refused before anything is read.

    Raises:
        MediaError, CredentialsError: as :class:`Assembly`.
    """
    if out.exists() and out.resolve() == source.resolve():
        raise MediaError(f"{out} is the target itself", "choose another name for the result")
    if metadata is not None:
        content_credentials.check()


def part_writer(path: Path, info: VideoInfo, threads: int = 0) -> VideoWriter:
    """A writer of one part of a video, without sound and without a word of its origin: the whole says it.

    Args:
        path: of the part.
        info: of the video.
        threads: of the encoder; 0: as many as it likes.
    """
    return VideoWriter(
        path,
        width=info.width,
        height=info.height,
        fps=info.fps,
        full_range=info.full_range,
        orientation=info.orientation,
        metadata=None,
        threads=threads,
    )
