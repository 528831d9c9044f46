"""What a batch swap gives to other machines: some pictures, or a span of a video; and what they do with it.

Nothing is signed there: the one who gave it signs, so that one machine alone needs the key.
"""

import logging
import tempfile
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from faceswap.errors import (
    ClusterError,
    ConsentError,
    CredentialsError,
    DiskFull,
    FaceError,
    FaceswapError,
    MediaError,
)
from faceswap.fan_out import at_hand
from faceswap.files.names import printable
from faceswap.provenance.metadata import Provenance
from faceswap.swap.batch.picture_swap import SwappedPicture, swap_picture
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.spans import Span, SwappedSpan, swap_span

logger = logging.getLogger(__name__)
STOPS_ALL = (DiskFull, ConsentError, CredentialsError, ClusterError)
"""Errors for which the other files would fail as well."""
PICTURES = 4
"""Of one piece: what the loss of a worker costs at most; not measured."""


@dataclass(frozen=True)
class Target:
    """A file to edit: its number among all, its path here, its s3:// URI (or nothing), its bytes, its result's name."""

    number: int
    path: str
    origin: str
    size: int
    result: str

    def at_hand(self) -> AbstractContextManager[Path]:
        """The file on the machine that this is called on."""
        return at_hand(self.path, self.origin, self.size)


@dataclass(frozen=True)
class Pictures:
    """Some pictures."""

    targets: tuple[Target, ...]


@dataclass(frozen=True)
class VideoSpan:
    """A span of a video."""

    target: Target
    span: Span


Piece = Pictures | VideoSpan


@dataclass(frozen=True)
class Failed:
    """Why a file was not swapped, and whether it may work another time."""

    reason: str
    may_pass: bool

    @classmethod
    def of(cls, source: str | Path, error: Exception) -> "Failed":
        """What nobody foresaw goes to the log with its traceback."""
        may_pass = not isinstance(error, MediaError | FaceError)
        if isinstance(error, FaceswapError | OSError):
            return cls(printable(str(error)), may_pass)
        logger.error("%s could not be swapped", source, exc_info=error)
        return cls(printable(f"unexpected {type(error).__name__}: {error} (the log says where)"), may_pass)


@dataclass(frozen=True)
class EncodedPicture:
    """A swapped picture; ``content`` is its file, not yet signed, empty where nothing was swapped."""

    picture: SwappedPicture
    content: bytes


Result = list[EncodedPicture | Failed] | SwappedSpan | Failed
"""Of a piece: of each of its pictures, or of its span."""


def work_on(
    piece: Piece, swapper: Swapper, metadata: Provenance | None, stopped: Callable[[], bool]
) -> Result:
    """Swap a piece.

    Args:
        piece: what is to be done.
        swapper, metadata: as for :func:`faceswap.swap.batch.media_swap.swap_media`.
        stopped: asked after each frame and picture; True ends the work.

    Raises:
        CancelledError: it was stopped.
        DiskFull, ConsentError, CredentialsError, ClusterError: the other pieces would fail as well.
    """
    if isinstance(piece, VideoSpan):
        try:
            with piece.target.at_hand() as source:
                return swap_span(source, piece.span, swapper, stopped)
        except (*STOPS_ALL, CancelledError):
            raise
        except Exception as error:
            return Failed.of(piece.target.path, error)
    return [_picture(target, swapper, metadata, stopped) for target in piece.targets]


def _picture(
    target: Target, swapper: Swapper, metadata: Provenance | None, stopped: Callable[[], bool]
) -> EncodedPicture | Failed:
    if stopped():
        raise CancelledError
    try:
        with target.at_hand() as source, tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch, target.result)
            swapped = swap_picture(source, place, swapper, metadata, sign=False)
            return EncodedPicture(swapped, place.read_bytes() if swapped.out else b"")
    except STOPS_ALL:
        raise
    except Exception as error:  # one picture must not take the others with it
        return Failed.of(target.path, error)
