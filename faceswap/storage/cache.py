"""Local copies of what lies in S3: known by its content, used by many processes, kept within a size."""

import fcntl
import logging
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO

from faceswap.errors import StorageError, UnfinishedSet
from faceswap.files.atomic import part_of
from faceswap.files.disk import is_full, write_error
from faceswap.output.progress import Report
from faceswap.settings import settings
from faceswap.storage.s3 import Stored, explained, objects
from faceswap.storage.transfers import download, in_parallel, place_below
from faceswap.storage.uris import as_folder, is_s3, name_of, split

logger = logging.getLogger(__name__)
_held: dict[Path, IO[str]] = {}
"""Copies that this process uses, until it ends or lets go of them; nobody removes them before."""


def fetch_folder(uri: str, cache: Path, marker: str = "", progress: Report | None = None) -> Path:
    """A local folder with the files of a folder, a prefix or a single object.

    A local folder is returned as it is. From S3 all objects are downloaded once; the copy appears when it is
    whole, and belongs to this very content: once an object is changed, added or removed, a new copy is made. Copies
    that no process uses make room, the longest unused first, when all are larger than the setting ``cache_gb``.

    Args:
        uri: local folder or s3:// URI.
        cache: where downloads are kept.
        marker: a file that has to be there; without it nothing is downloaded.
        progress: told after each file.

    Raises:
        StorageError: there is nothing in S3, it can't be read or is damaged, or the disk is full.
        UnfinishedSet: there is no marker.
    """
    if not is_s3(uri):
        return Path(uri)
    with explained(uri):
        bucket, prefix, found = _listed(uri)
        if marker and prefix + marker not in {one.key for one in found}:
            raise UnfinishedSet(f"{uri} has no {marker}: it is not, or not yet, whole", "look again later")
        key = repr((settings().s3_endpoint_url, bucket, [(one.key, one.size, one.etag) for one in found]))
        target = cache / sha256(key.encode()).hexdigest()[:16]
        _hold(target)
        if target.is_dir():
            os.utime(target)
            return target
        part = part_of(target)
        try:
            in_parallel(
                lambda one: download(bucket, one, place_below(part, bucket, one, prefix)),
                found,
                progress,
                f"files from {uri}",
            )
            with suppress(OSError):  # another process was faster
                part.rename(target)
        except OSError as error:
            if is_full(error):
                raise write_error(cache, error) from error
            raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    limit = settings().cache_gb * 1e9
    if limit:
        make_room(cache, limit)
    return target


def fetch_file(uri: str, cache: Path) -> Path:
    """A local copy of one file; a local path is returned as it is.

    Raises:
        StorageError: as :func:`fetch_folder`.
    """
    return fetch_folder(uri, cache) / name_of(uri) if is_s3(uri) else Path(uri)


def release(file: Path) -> None:
    """Let go of the copy from S3 that a file of :func:`fetch_file` is: it may make room from now on.

    For processes that live long and use many, one after the other.
    """
    held = _held.pop(file.parent, None)
    if held is not None:
        held.close()


def _listed(uri: str) -> tuple[str, str, list[Stored]]:
    """Bucket, prefix and objects of a prefix or of a single object."""
    bucket, key = split(uri)
    prefix = as_folder(uri)[1]
    found = sorted(objects(bucket, prefix))
    if not found:
        prefix = key.removesuffix(PurePosixPath(key).name)
        found = [one for one in objects(bucket, key) if one.key == key]
    if not found:
        raise StorageError(f"There is nothing under {uri}", "check bucket and prefix")
    return bucket, prefix, found


def _lock_of(copy: Path) -> Path:
    return copy.with_name(f"{copy.name}.lock")


def _hold(copy: Path) -> None:
    """Nobody removes a copy while this process lives."""
    if copy in _held:
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    file = _lock_of(copy).open("w")
    fcntl.flock(file, fcntl.LOCK_SH)
    _held[copy] = file


@dataclass(frozen=True)
class Copy:
    """A local copy: its folder, bytes, and when it was used last (s since 1970)."""

    path: Path
    size: int
    used: float


def copies(cache: Path) -> list[Copy]:
    """All copies of a cache, the longest unused first."""
    found = []
    for path in cache.glob("[0-9a-f]" * 16) if cache.is_dir() else ():
        with suppress(OSError):  # another process removes it
            size = sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
            found.append(Copy(path, size, path.stat().st_mtime))
    return sorted(found, key=lambda one: one.used)


def make_room(cache: Path, limit: float) -> int:
    """Remove copies that no process uses, the longest unused first, until the rest fits; returns the bytes removed.

    Args:
        cache: folder of copies.
        limit: bytes that may stay.
    """
    known = copies(cache)
    size, removed = sum(one.size for one in known), 0
    for one in known:
        if size - removed <= limit:
            break
        if remove_unused(one.path):
            removed += one.size
    if removed:
        logger.info("%.1f MB of local copies in %s have made room", removed / 1e6, cache)
    return removed


def remove_unused(copy: Path) -> bool:
    """Remove a copy, unless a process uses it; whether it is gone."""
    with _lock_of(copy).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        gone = part_of(copy)
        with suppress(FileNotFoundError):
            copy.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
    return True
