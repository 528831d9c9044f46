"""A segment of an extraction on a worker of a Dask cluster; what comes back is what this machine would have made.

The worker looks for faces in a folder of its own and returns that folder as bytes, so that the face set is the same to
the last bit.
"""

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from faceswap.faces.extraction.segments import Segment, work_on
from faceswap.faces.finding.finder import Finder
from faceswap.faces.geometry import Geometry
from faceswap.fan_out import at_hand, fan_out, nobody_waits
from faceswap.files.atomic import extract, part_of


@dataclass(frozen=True)
class _Work:
    """What is the same for all segments."""

    finder: Finder
    geometry: Geometry

    def __call__(self, piece: "_Piece") -> bytes:
        """Do a segment on a worker; returns its folder as a tar file."""
        segment = piece.segment
        with ExitStack() as stack:
            files = tuple(
                (str(stack.enter_context(at_hand(path, origin, size))), name)
                for (path, name), origin, size in zip(segment.files, piece.origins, piece.sizes, strict=True)
            )
            scratch = stack.enter_context(tempfile.TemporaryDirectory())
            own = replace(segment, folder=str(Path(scratch, "segment")), files=files)
            work_on(own, self.finder, self.geometry, nobody_waits())
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as archive:
                archive.add(own.folder, ".")
            return packed.getvalue()


@dataclass(frozen=True)
class _Piece:
    """A segment, with the s3:// URIs (or nothing) and the bytes of its files."""

    segment: Segment
    origins: tuple[str, ...]
    sizes: tuple[int, ...]


def run_on_cluster(
    address: str,
    segments: Sequence[Segment],
    finder: Finder,
    geometry: Geometry,
    origins: Mapping[str, str],
    finished: Callable[[], None],
) -> None:
    """Do segments on a cluster; each one's folder appears here whole.

    Args:
        address: of the scheduler.
        segments: what is to be done.
        finder, geometry: as for :func:`faceswap.faces.extraction.segments.work_on`.
        origins: path -> s3:// URI of the files that workers can fetch; others they have to find under the same path.
        finished: called after each.

    Raises:
        SettingsError, ClusterError: as :func:`faceswap.fan_out.fan_out`.
    """
    pieces = (
        _Piece(
            segment,
            tuple(origins.get(path, "") for path, _ in segment.files),
            tuple(Path(path).stat().st_size for path, _ in segment.files),
        )
        for segment in segments
    )
    with closing(fan_out(address, _Work(finder, geometry), pieces)) as results:
        for piece, content in results:
            _unpack(content, Path(piece.segment.folder))
            finished()


def _unpack(content: bytes, folder: Path) -> None:
    part = part_of(folder)
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            extract(archive, part)
        part.rename(folder)
    except OSError:
        if not (folder / "rows.json").exists():  # else another process was faster
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
