"""Room on the disk: asked for before long work, and said in words where it ends."""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faceswap.errors import DiskFull, StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CAUSES = {
    errno.EACCES: ("permission is denied", "choose another folder, or allow writing there"),
    errno.EPERM: ("permission is denied", "choose another folder, or allow writing there"),
    errno.EROFS: ("the disk is read-only", "choose another folder"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
}


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it comes from, says that a disk is full."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and _number(error) in _FULL:
            return True
        if type(error).__name__ == "OperationalError" and "disk is full" in str(error):  # SQLite
            return True
        error = error.__cause__ or error.__context__
    return False


def full_disk(folder: Path) -> str:
    """One sentence of a full disk, most likely that of a folder."""
    return f"a disk is full ({_size(free(folder))} are left in {folder}): make room, then give the same command again"


def free(folder: Path) -> int:
    """Bytes that are free where a folder lies or will lie; many where nobody can tell."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return 1 << 62


def require_space(folder: Path, needed: int, what: str) -> None:
    """Check that there is room.

    Args:
        folder: where it will be written.
        needed: bytes.
        what: needs it; the message begins with it.

    Raises:
        StorageError: there is not.
    """
    left = free(folder)
    if left < needed:
        raise StorageError(
            f"{what} needs about {_size(needed)} in {folder}, {_size(left)} are left there",
            "make room on that disk, or choose another folder",
        )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of the system while ``path`` is written into a StorageError with the place, the cause and the fix."""
    try:
        yield
    except OSError as error:
        raise write_error(path, error) from error


def write_error(path: Path, error: Exception) -> StorageError:
    """Why ``path`` can't be written, in words, from an error of the system or of FFmpeg."""
    number = _number(error)
    if number in _FULL:
        folder = path if path.is_dir() else path.parent
        return DiskFull(
            f"{path} can't be written: the disk is full, {_size(free(folder))} are left in {folder}",
            "make room there, then give the same command again",
        )
    reason = getattr(error, "strerror", None) or str(error)
    cause, fix = _CAUSES.get(number, (reason, "check the folder and its permissions"))
    return StorageError(f"{path} can't be written: {cause}", fix)


def _number(error: BaseException) -> int:
    """The system's number of an error; of the many of a copied folder, that of the first."""
    if isinstance(error, shutil.Error):
        found = re.search(r"\[Errno (\d+)\]", str(error))
        return int(found[1]) if found else 0
    return getattr(error, "errno", None) or 0


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(0, count) / 1e6:.1f} MB"
