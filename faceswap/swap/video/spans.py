"""A video in spans that are swapped apart from each other, in any order and on any machine.

A span is swapped as an interrupted swap goes on: the frames just before it are followed once more, so that the filters
settle, and what was learnt of the faces before is not known. Neither the spans nor their frames depend on how many
machines of a cluster there are.
"""

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
from pydantic import BaseModel, ConfigDict, ValidationError

from faceswap.files.atomic import replacing
from faceswap.files.disk import explained
from faceswap.media.video.reading import VideoReader
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.assembly import Assembly, part_writer
from faceswap.swap.video.chunks import SECONDS, Chunks, FinishedChunk, Tally, digest_of
from faceswap.swap.video.stream import swap_frames
from faceswap.swap.video.video_swapper import VideoSwapper


@dataclass(frozen=True)
class Span:
    """A part of a video's frames.

    Attributes:
        start: seconds; no frame before it is read.
        begin, end: seconds of the new frames, begin <= time < end; None: from the first, to the last.
    """

    start: float | None
    begin: float | None
    end: float | None

    @property
    def name(self) -> str:
        """Of its files."""
        return f"at-{round((self.begin or 0.0) * 1000):010d}"


@dataclass(frozen=True)
class SwappedSpan:
    """What became of a span: its parts, whose counts are their own, each with its file, and what the reader says."""

    parts: tuple[tuple[FinishedChunk, bytes], ...]
    damage: str | None
    changes: tuple[str, ...]


def spans_of(whole: Assembly, seconds: float | None = None) -> list[Span]:
    """The spans of a video, so many seconds long, that are not yet in its parts, in their order; None: as parts."""
    length = seconds or SECONDS
    start, end = whole.span
    with VideoReader(whole.source) as reader:
        jumps = reader.jumps
    begin = start if whole.parts.last is None else whole.parts.next
    until = min(end if end is not None else math.inf, whole.info.duration or 0.0)
    edges = [begin]
    if jumps:
        edge = start or 0.0
        while (edge := edge + length) < until:
            if edge > (begin or 0.0):
                edges.append(edge)
    # the duration in the header may be a little short
    return [Span(start, one, after) for one, after in zip(edges, [*edges[1:], end], strict=True)]


def swap_span(source: Path, span: Span, swapper: Swapper, stopped: Callable[[], bool]) -> SwappedSpan:
    """Swap the frames of a span.

    Args:
        source: the target video.
        span: of it.
        swapper: with its options.
        stopped: asked after each frame.

    Raises:
        UnreadableMedia: no frame can be decoded.
        CancelledError: it was stopped.
    """
    cv2.setNumThreads(1)  # with the encoder's one the same pixels on machines of any size
    with tempfile.TemporaryDirectory() as scratch, VideoReader(source) as reader:
        place = Path(scratch, "span.mp4")
        parts = Chunks(place, "", lambda path: part_writer(path, reader.info, threads=1), resume=False)
        video = VideoSwapper(swapper, Tally())
        swap_frames(reader, parts, video, (span.start, span.end), span.begin, cancelled=stopped)
        before, made = Tally(), []
        for part in parts.finished:
            own = part.model_copy(update={"tally": part.tally.minus(before)})
            before = part.tally
            made.append((own, (parts.folder / part.file).read_bytes()))
        return SwappedSpan(tuple(made), reader.damage, tuple(reader.converted))


class _Kept(BaseModel):
    """A swapped span that waits in the folder of parts for those before it."""

    model_config = ConfigDict(frozen=True)

    begin: float | None
    end: float | None
    parts: list[FinishedChunk]
    damage: str | None
    changes: list[str]


class SpannedVideo:
    """A video that is put together of spans, which arrive in any order.

    What has arrived stays if the work is interrupted, also where a span before it is missing.

    Args:
        whole: the video; its parts grow.
        seconds: length of a span; None: that of parts.
    """

    def __init__(self, whole: Assembly, seconds: float | None = None) -> None:
        self.whole = whole
        self._open = spans_of(whole, seconds)
        self._kept: dict[Span, _Kept] = {}
        self._damage: dict[str, None] = {}
        self._changes: dict[str, None] = {}
        for span in self._open:
            if (kept := self._known(span)) is not None:
                self._kept[span] = kept
                whole.resumed += sum(part.tally.frames for part in kept.parts)
        self.missing = [span for span in self._open if span not in self._kept]
        self._join()

    @property
    def complete(self) -> bool:
        """Whether all spans are there."""
        return not self._open

    @property
    def frames(self) -> int:
        """How many frames are there, also of spans that wait for those before them."""
        waiting = sum(part.tally.frames for kept in self._kept.values() for part in kept.parts)
        return self.whole.parts.tally.frames + waiting

    @property
    def damage(self) -> str | None:
        """What was wrong with the source, as far as it is known."""
        return "; ".join(self._damage) or None

    @property
    def changes(self) -> list[str]:
        """What is written otherwise than it was."""
        return list(self._changes)

    def take(self, span: Span, swapped: SwappedSpan) -> None:
        """Keep a span, and put all that follow one another into the parts.

        Raises:
            StorageError: it can't be written.
        """
        parts, folder = [], self.whole.parts.folder
        self.whole.parts.begin()
        with explained(folder):
            for number, (part, content) in enumerate(swapped.parts):
                file = folder / f"{span.name}-{number}.mp4"
                with replacing(file) as place:
                    place.write_bytes(content)
                parts.append(part.model_copy(update={"file": file.name}))
            kept = _Kept(
                begin=span.begin,
                end=span.end,
                parts=parts,
                damage=swapped.damage,
                changes=list(swapped.changes),
            )
            with replacing(folder / f"{span.name}.json") as place:
                place.write_text(kept.model_dump_json())
        self._kept[span] = kept
        self._join()

    def _join(self) -> None:
        while self._open and (kept := self._kept.pop(self._open[0], None)) is not None:
            for number, part in enumerate(kept.parts, 1):
                until = kept.end if number == len(kept.parts) else None
                self.whole.parts.adopt(part, until)
            (self.whole.parts.folder / f"{self._open.pop(0).name}.json").unlink(missing_ok=True)
            self._damage |= dict.fromkeys([kept.damage] if kept.damage else [])
            self._changes |= dict.fromkeys(kept.changes)

    def _known(self, span: Span) -> _Kept | None:
        """A span that an interrupted run of the same swap has left whole."""
        folder = self.whole.parts.folder
        try:
            kept = _Kept.model_validate_json((folder / f"{span.name}.json").read_bytes())
            whole = all(part.digest == digest_of(folder / part.file) for part in kept.parts)
        except (OSError, ValidationError):
            return None
        return kept if whole and (kept.begin, kept.end) == (span.begin, span.end) else None
