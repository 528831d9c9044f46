"""A full disk: how it is noticed, and what is said then."""

import shutil
from pathlib import Path

from faceswap.errors import StorageError
from faceswap.files.disk import is_full


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
