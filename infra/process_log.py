"""What the processes of ``faceswap up`` print: a log file for each, and their last words."""

import logging
import sys
import threading
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path

_LAST_LINES = 12
_BYTES, _OLD_FILES = 5_000_000, 3
"""A log file begins anew at this size; so many old ones are kept."""


class ProcessLog:
    """Writes every process's lines to a log file of its own; from any thread.

    Args:
        folder: of the log files.
        verbose: print the lines as well.
    """

    def __init__(self, folder: Path, verbose: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.verbose = folder, verbose
        self._last: dict[str, deque[str]] = {}
        self._files: dict[str, RotatingFileHandler] = {}
        self._lock = threading.Lock()
        self._formatter = logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S")

    def file(self, name: str) -> Path:
        """The log file of a process."""
        return self.folder / f"{name}.log"

    def last(self, name: str) -> list[str]:
        """Its last lines."""
        with self._lock:
            return list(self._last.get(name, ()))

    def write(self, name: str, line: str) -> None:
        """Take a line of a process."""
        line = line.rstrip()
        with self._lock:
            self._last.setdefault(name, deque(maxlen=_LAST_LINES)).append(line)
            if name not in self._files:
                self._files[name] = self._open(name)
            self._files[name].handle(logging.makeLogRecord({"name": name, "msg": line}))
            if self.verbose:
                sys.stdout.write(f"{name:>8} | {line}\n")
                sys.stdout.flush()

    def _open(self, name: str) -> RotatingFileHandler:
        handler = RotatingFileHandler(
            self.file(name), maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8", errors="replace"
        )
        handler.setFormatter(self._formatter)
        return handler
