"""Finished folders and files go to their place: whole, or not at all."""

import errno
import shutil
from pathlib import Path

from faceswap.errors import StorageError
from faceswap.files.atomic import part_of
from faceswap.output.progress import Report
from faceswap.storage.places import create, list_files
from faceswap.storage.s3 import explained
from faceswap.storage.transfers import in_parallel, upload
from faceswap.storage.uris import as_folder, is_s3, join, split


def publish_folder(local: Path, uri: str, last: str, progress: Report | None = None) -> None:
    """Move a finished local folder to its place. A set that is there already, with its marker, is left as it is.

    Args:
        local: the folder; gone afterwards.
        uri: local path or s3:// prefix.
        last: the marker, one of its files; in S3 it is written last, and only where there is none, so that who sees
            it sees all, of one writer's.
        progress: told after each file that was sent to S3.

    Raises:
        StorageError: the marker is missing, or the place can't be written; ``local`` is kept then.
    """
    if not (local / last).is_file():
        raise StorageError(f"{local} has no {last}: it is not finished", "write it before publishing")
    with explained(uri):
        if is_s3(uri):
            _send(local, uri, last, progress)
        else:
            _move(local, Path(uri), last)
    shutil.rmtree(local, ignore_errors=True)


def _send(local: Path, uri: str, last: str, progress: Report | None) -> None:
    there = set(list_files(uri))
    if last in there:
        return
    bucket, prefix = as_folder(uri)
    names = [name for name in list_files(str(local)) if name != last]
    in_parallel(lambda name: upload(local / name, bucket, prefix + name), names, progress, f"files to {uri}")
    create(join(uri, last), (local / last).read_bytes())


def publish_file(local: Path, uri: str) -> str:
    """Send a file to an s3:// URI; returns the URI. The local file stays.

    Raises:
        StorageError: it can't be written there.
    """
    with explained(uri):
        upload(local, *split(uri))
    return uri


def publish_files(local: Path, names: list[str], uri: str, progress: Report | None = None) -> list[str]:
    """Send files of a folder to an s3:// prefix, each under its name; returns their URIs.

    Raises:
        StorageError: they can't be written there.
    """
    with explained(uri):
        bucket, prefix = as_folder(uri)
        in_parallel(
            lambda name: upload(local / name, bucket, prefix + name), names, progress, f"files to {uri}"
        )
    return [join(uri, name) for name in names]


def _move(local: Path, target: Path, last: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        local.rename(target)
    except OSError as error:
        if (target / last).exists():  # another process was faster
            return
        if error.errno != errno.EXDEV:
            raise
        part = part_of(target)  # another disk: copy, then rename
        try:
            shutil.copytree(local, part)
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
