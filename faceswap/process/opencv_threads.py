"""OpenCV's threads, for a while fewer than a processor has cores."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2


@dataclass
class _Shared:
    """How many blocks there are now, and how many threads OpenCV had before the first of them."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    blocks: int = 0
    before: int = 0


_SHARED = _Shared()


@contextmanager
def shared_by(stages: int) -> Iterator[None]:
    """OpenCV's calls get the threads that are left to each of several stages which work at the same time, at least one.

    Every call of the process does, until the last block of this kind ends. More threads than cores wait for one
    another: on two cores a video's stages took 7 % more of the processor with two threads a call than with one.

    Args:
        stages: threads that call OpenCV at the same time.
    """
    with _SHARED.lock:
        if not _SHARED.blocks:
            _SHARED.before = cv2.getNumThreads()
            cv2.setNumThreads(max(1, min(_SHARED.before, (os.cpu_count() or 1) // stages)))
        _SHARED.blocks += 1
    try:
        yield
    finally:
        with _SHARED.lock:
            _SHARED.blocks -= 1
            if not _SHARED.blocks:
                cv2.setNumThreads(_SHARED.before)
