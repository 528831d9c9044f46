"""Where results lie until they are downloaded, and when they go."""

import logging
import math
import shutil
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from faceswap import storage
from faceswap.errors import StorageError

logger = logging.getLogger(__name__)
_AT_LEAST_EVERY = 600.0
"""Seconds between two looks for what is too old, or less."""
_LONGEST_LINK = 7 * 24 * 3600
"""Seconds; S3 signs for no longer."""


class Outbox:
    """A folder with a folder for each result, deleted some time after it was made.

    Args:
        folder: made if it does not exist.
        keep: seconds for which a result is kept.
        prefix: s3:// prefix to which results are sent besides, for links; empty: none.
    """

    def __init__(self, folder: Path, keep: float, prefix: str = "") -> None:
        self.folder, self.keep, self.prefix = folder, keep, prefix
        self._made: dict[Path, float] = {}
        """When this process made a folder, by the clock that nobody sets."""
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
        self._made[place] = time.monotonic()
        return place / name

    def link(self, place: Path) -> str:
        """Send a finished result to S3; returns an address that opens it as long as it is kept.

        Empty: no prefix is set, or S3 does not take it, which the log says.
        """
        if not self.prefix:
            return ""
        uri = storage.join(self.prefix, f"{int(time.time() + self.keep)}-{uuid.uuid4().hex}", place.name)
        try:
            storage.publish_file(place, uri)
            return storage.presigned_url(uri, min(round(self.keep), _LONGEST_LINK), place.name)
        except StorageError as error:
            logger.warning("A result has no link: %s", error.message)
            return ""

    def discard(self, place: Path) -> None:
        """Delete a file that :meth:`place` gave, whole or not, with all that lies beside it."""
        shutil.rmtree(place.parent, ignore_errors=True)

    def prune(self) -> None:
        """Delete results to which nothing was written for longer than ``keep``, and what stopped ones left.

        A clock that is set forwards takes none away that was made since less than ``keep``.
        """
        now = time.time()
        for entry in list(self.folder.iterdir()):
            if time.monotonic() - self._made.get(entry, -math.inf) <= self.keep:
                continue
            with suppress(OSError):  # somebody else may just have deleted it
                written = max(path.stat().st_mtime for path in (entry, *entry.rglob("*")))
                if now - written > self.keep:
                    shutil.rmtree(entry, ignore_errors=True)
        self._made = {entry: made for entry, made in list(self._made.items()) if entry.exists()}
        if self.prefix:
            ends = {name.partition("/")[0] for name in storage.list_files(self.prefix)}
            for end in ends:
                if (when := end.partition("-")[0]).isdecimal() and int(when) < now:
                    storage.delete(storage.join(self.prefix, end))

    def _watch(self) -> None:
        while True:
            try:
                self.prune()
            except Exception:  # the thread has to outlive whatever one look meets
                logger.exception("%s could not be looked through for old results", self.folder)
            if self._stop.wait(min(self.keep / 10, _AT_LEAST_EVERY)):
                return
