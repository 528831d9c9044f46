"""A full disk: how it is noticed, and what is said then."""

import errno
import shutil
from pathlib import Path

from faceswap.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, says that the disk (or the user's share of it) is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def full_disk() -> StorageError:
    """What to say to a user of the app when nothing can be written."""
    return StorageError(
        "The disk of the app's machine is full, so nothing can be written",
        "try again later, or tell whoever runs the app to free space or to set FACESWAP_CACHE to a larger disk",
    )


def free_space(folder: Path) -> int:
    """Bytes that this user may still write to the disk of a folder, which is made where there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(folder).free
    except OSError as error:
        if is_full(error):
            return 0
        raise
