"""A long video in parts, so that a cancelled or killed swap goes on where it stopped.

The parts lie in a hidden folder beside the result, with a state file that is replaced after each part; a kill loses
what was done since the last one. Only the very same swap (key) goes on with them. Where a part or the state is damaged,
the swap goes on after the last part before it, or with the state before.
"""

import hashlib
import logging
import math
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from faceswap.errors import FaceswapError
from faceswap.files.atomic import replacing
from faceswap.files.disk import write_error
from faceswap.media.video.joining import Part
from faceswap.media.video.writing import VideoWriter

logger = logging.getLogger(__name__)
SECONDS = 10.0
"""Length of a part, seconds of video: what a kill costs at most; not measured."""
_STATE, _STATE_BEFORE = "state.json", "state.before.json"


class Tally(BaseModel):
    """Counts up to a moment."""

    model_config = ConfigDict(frozen=True)

    frames: int = 0
    swapped: int = 0
    without_face: int = 0
    bridged: int = 0
    skipped: dict[str, int] = {}

    def plus(self, other: "Tally") -> "Tally":
        """The counts of both."""
        return Tally(
            frames=self.frames + other.frames,
            swapped=self.swapped + other.swapped,
            without_face=self.without_face + other.without_face,
            bridged=self.bridged + other.bridged,
            skipped=dict(Counter(self.skipped) + Counter(other.skipped)),
        )

    def minus(self, before: "Tally") -> "Tally":
        """The counts since an earlier moment."""
        return Tally(
            frames=self.frames - before.frames,
            swapped=self.swapped - before.swapped,
            without_face=self.without_face - before.without_face,
            bridged=self.bridged - before.bridged,
            skipped=dict(Counter(self.skipped) - Counter(before.skipped)),
        )


class FinishedChunk(BaseModel):
    """A finished part: its file, its first and last frame's times in seconds, when the last is over, the counts.

    Those of earlier versions of this software have no digest (SHA-256).
    """

    file: str
    first: float
    last: float
    until: float | None = None
    tally: Tally
    digest: str = ""
    next: float | None = Field(
        None, description="seconds before which no frame is missing, where it is known"
    )


class _State(BaseModel):
    key: str
    parts: list[FinishedChunk] = []


class Chunks:
    """The parts of one video; use it as a context manager, which finishes the current part whatever happens.

    Args:
        out: the video that they become.
        key: of the swap; parts of another one are removed.
        writer: opens a writer without sound at a path.
        resume: go on with the parts that are there.
    """

    def __init__(
        self, out: Path, key: str, writer: Callable[[Path], VideoWriter], *, resume: bool = True
    ) -> None:
        self.folder = out.with_name(f".{out.name}.parts")
        self.partial = out.with_name(f"{out.stem}.partial{out.suffix}")
        self._open_writer = writer
        self._state = self._known(key) if resume else None
        if self._state is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._state = _State(key=key)
        self._stack = ExitStack()
        self._writer: VideoWriter | None = None
        self._file = ""
        self._first = self._last = self._until = 0.0
        self._tally = self.tally

    @property
    def last(self) -> float | None:
        """Time of the last finished frame in seconds of the source, None where there is none."""
        return self._parts[-1].last if self._parts else None

    @property
    def until(self) -> float | None:
        """When the last finished frame is over, in seconds of the source."""
        return (self._parts[-1].until or self._parts[-1].last) if self._parts else None

    @property
    def tally(self) -> Tally:
        """Counts up to the end of the finished parts."""
        return self._parts[-1].tally if self._parts else Tally()

    def write(
        self, image: NDArray[np.uint8], time: float, tally: Tally, duration: float | None = None
    ) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB.
            time: in seconds of the source, growing.
            tally: counts with this frame.
            duration: seconds for which it is shown; None: one frame.

        Raises:
            StorageError: a part can't be written; those before it stay.
        """
        if self._writer is not None and time - self._first >= SECONDS:
            self._finish()
        if self._writer is None:
            self._file, self._first = f"{len(self._parts):05d}.mp4", time
            self._writer = self._stack.enter_context(self._open_writer(self.folder / self._file))
        self._writer.write(image, time - self._first, duration)
        self._last, self._until, self._tally = time, time + (duration or 0.0), tally

    def joinable(self, start: float) -> list[Part]:
        """The finished parts, with their times in a video that begins at ``start`` seconds of the source."""
        return [Part(self.folder / part.file, part.first - start) for part in self._parts]

    def remove(self) -> None:
        """Remove all parts and the unfinished video that was made of them."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.partial.unlink(missing_ok=True)

    def finish(self) -> None:
        """Finish the current part."""
        if self._writer is not None:
            self._finish()

    @property
    def finished(self) -> list[FinishedChunk]:
        """The finished parts; their files lie in the folder."""
        return list(self._parts)

    @property
    def next(self) -> float:
        """Seconds from which on frames are missing, as far as is known; where there are finished ones."""
        last = self._parts[-1]
        return math.nextafter(last.last, math.inf) if last.next is None else last.next

    def adopt(self, part: FinishedChunk, until: float | None) -> None:
        """Append a part that was made elsewhere.

        Args:
            part: its file lies in the folder, the counts are its own.
            until: seconds before which no frame is missing then, where it is known.

        Raises:
            StorageError: the state can't be written.
        """
        self._append(part.model_copy(update={"tally": self.tally.plus(part.tally), "next": until}))

    def begin(self) -> None:
        """Say whose the folder is before there is a part, so that the same swap finds what lies in it.

        Raises:
            StorageError: it can't be written.
        """
        if not (self.folder / _STATE).exists():
            self._save()

    @property
    def _parts(self) -> list[FinishedChunk]:
        assert self._state is not None
        return self._state.parts

    def _finish(self) -> None:
        stack, self._stack, self._writer = self._stack, ExitStack(), None
        stack.close()
        done = FinishedChunk(
            file=self._file,
            first=self._first,
            last=self._last,
            until=self._until,
            tally=self._tally,
            digest=digest_of(self.folder / self._file),
        )
        self._append(done)

    def _append(self, part: FinishedChunk) -> None:
        self._parts.append(part)
        try:
            self._save()
        except FaceswapError:
            self._parts.pop()
            raise

    def _save(self) -> None:
        assert self._state is not None
        state = self.folder / _STATE
        try:
            if state.exists():
                state.replace(self.folder / _STATE_BEFORE)
            with replacing(state) as path:
                path.write_text(self._state.model_dump_json())
        except OSError as error:
            raise write_error(state, error) from error

    def _known(self, key: str) -> _State | None:
        """The state up to the first part that is not whole; None where it is of another swap or there is none."""
        for name in (_STATE, _STATE_BEFORE):
            try:
                state = _State.model_validate_json((self.folder / name).read_bytes())
            except FileNotFoundError:
                continue  # none yet, or a kill came between the two
            except (OSError, ValidationError) as error:
                logger.warning("%s is damaged and is passed over: %s", self.folder / name, error)
                continue
            return _State(key=key, parts=self._whole(state.parts)) if state.key == key else None
        return None

    def _whole(self, parts: list[FinishedChunk]) -> list[FinishedChunk]:
        for number, part in enumerate(parts):
            file = self.folder / part.file
            try:
                damaged = part.digest not in {"", digest_of(file)}
            except OSError:
                damaged = True
            if damaged:
                logger.warning("%s is damaged: the swap goes on from %.1f s", file, part.first)
                return parts[:number]
        return parts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
            return
        # the error that is on its way says more than one of closing
        with suppress(FaceswapError, OSError):
            self.finish()
        if not self._parts:
            shutil.rmtree(self.folder, ignore_errors=True)


def digest_of(path: Path) -> str:
    """SHA-256 of a part."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
