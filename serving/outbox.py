"""Where results lie until they are downloaded, and when they go."""

import logging
import shutil
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from faceswap.errors import StorageError

logger = logging.getLogger(__name__)
_AT_LEAST_EVERY = 600.0
"""Seconds between two looks for what is too old, or less."""


class Outbox:
    """A folder with a folder for each result, deleted some time after it was made.

    Args:
        folder: made if it does not exist.
        keep: seconds for which a result is kept.
    """

    def __init__(self, folder: Path, keep: float) -> None:
        self.folder, self.keep = folder, keep
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Delete what is too old now, and then again and again in a thread: also where nobody uses the app."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._watch, name="outbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def place(self, name: str) -> Path:
        """A path for a new file of this name; nobody else has it.

        Raises:
            StorageError: its folder can't be made.
        """
        place = self.folder / uuid.uuid4().hex
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise StorageError(
                f"{place} can't be made: {error}", "check the space on the disk, or set FACESWAP_CACHE"
            ) from error
        return place / name

    def discard(self, place: Path) -> None:
        """Delete a file that :meth:`place` gave, whole or not, with all that lies beside it."""
        shutil.rmtree(place.parent, ignore_errors=True)

    def prune(self) -> None:
        """Delete results to which nothing was written for longer than ``keep``, and what stopped ones left."""
        now = time.time()
        for entry in list(self.folder.iterdir()):
            with suppress(OSError):  # somebody else may just have deleted it
                written = max(path.stat().st_mtime for path in (entry, *entry.rglob("*")))
                if now - written > self.keep:
                    shutil.rmtree(entry, ignore_errors=True)

    def _watch(self) -> None:
        while True:
            try:
                self.prune()
            except Exception:  # the thread has to outlive whatever one look meets
                logger.exception("%s could not be looked through for old results", self.folder)
            if self._stop.wait(min(self.keep / 10, _AT_LEAST_EVERY)):
                return
