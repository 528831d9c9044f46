"""What has just been worked out and will be asked for again."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Remembers one value for each file, as long as the file is not changed. Safe to use from many threads.

    Args:
        most: of so many files; the one not asked for longest is forgotten first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[tuple[str, int, float | None], T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, make: Callable[[], T], second: float | None = None) -> T:
        """The file's value, made where it is not known; two threads may make it at the same time.

        Args:
            path: the file.
            make: the value.
            second: of a video, where the value belongs to one of its frames.

        Raises:
            OSError: there is no such file.
        """
        key = (str(path), path.stat().st_mtime_ns, second)
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value
