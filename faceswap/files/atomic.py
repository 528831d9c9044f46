"""Local files that appear whole or not at all."""

import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faceswap.errors import StorageError


def part_of(path: Path) -> Path:
    """A name for an unfinished file beside ``path``: hidden, of the same suffix, never the same twice."""
    return path.with_name(f".{secrets.token_hex(8)}{path.suffix}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file atomically: yields a path beside it, which takes its place if the block ends well.

    On an exception ``path`` is as before. Errors of the system stay as they are: the caller knows the words.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replacing_for_user(path: Path, what: str, then: str) -> Iterator[Path]:
    """As :func:`replacing`, for a file that a user hears of.

    Args:
        path: of the file.
        what: it is, as in "The weights".
        then: what to do once there is room, as in "resume".

    Raises:
        StorageError: it can't be written.
    """
    try:
        with replacing(path) as part:
            yield part
    except OSError as error:
        raise StorageError(
            f"{what} {path} can't be written: {error.strerror or error}",
            f"make room there, or correct its permissions, then {then}",
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text: all of it or nothing, on the disk when this returns, whenever the process is killed."""
    with replacing(path) as part, part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Files and folders of an archive into a folder and nowhere else.

    ``extractall(filter="data")`` is not in Python 3.11.2, which is Debian's.

    Raises:
        tarfile.TarError: it holds a link or a device, or a name that leads out of the folder.
    """
    for member in archive:
        target = folder / member.name
        if not (member.isreg() or member.isdir()) or not target.resolve().is_relative_to(folder.resolve()):
            raise tarfile.TarError(f"{member.name!r} is no file that belongs there")
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        content = archive.extractfile(member)
        if content is None:
            raise tarfile.TarError(f"{member.name!r} can't be read")
        with content, target.open("wb") as out:
            shutil.copyfileobj(content, out)
