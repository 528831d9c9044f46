"""Memory that was freed goes back to the system."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def returned() -> Iterator[None]:
    """What the block has freed is the system's again at its end.

    glibc keeps freed memory for each thread that asked for it, and who swaps large pictures in the threads of a pool
    would hold the largest of each. Elsewhere (musl, macOS, Windows) nothing is done.
    """
    try:
        yield
    finally:
        if trim := _malloc_trim():
            trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (
        AttributeError,
        OSError,
        TypeError,
    ):  # another library of C; Windows knows no library without a name
        return None
