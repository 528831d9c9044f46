"""Where results lie until they are downloaded, and when they go."""

import shutil
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from faceswap.errors import StorageError


class Outbox:
    """A folder with a folder for each result, deleted some time after it was made.

    Args:
        folder: made if it does not exist.
        keep: seconds for which a result is kept.
    """

    def __init__(self, folder: Path, keep: float) -> None:
        self.folder, self.keep = folder, keep
        self._pruning = threading.Lock()
        self._pruned = 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, name: str) -> Path:
        """A path for a new file of this name; nobody else has it.

        Raises:
            StorageError: its folder can't be made.
        """
        self.prune()
        place = self.folder / uuid.uuid4().hex
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise StorageError(
                f"{place} can't be made: {error}", "check the space on the disk, or set FACESWAP_CACHE"
            ) from error
        return place / name

    def prune(self) -> None:
        """Delete what is older than ``keep``; looks at most once in a tenth of that time."""
        now = time.time()
        with self._pruning:
            if now - self._pruned < self.keep / 10:
                return
            self._pruned = now
        for entry in self.folder.iterdir():
            with suppress(OSError):  # somebody else may just have deleted it
                if now - entry.stat().st_mtime > self.keep:
                    shutil.rmtree(entry, ignore_errors=True)
