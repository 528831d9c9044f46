"""Signals wait for a step's end, so that the state that is saved is one that was."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def waiting() -> Iterator[None]:
    """Ctrl-C and Prefect's termination come when the block is done; only the main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    ours = [one for one in _SIGNALS if signal.getsignal(one) is not None]  # None: handled by no Python code
    before = {one: signal.signal(one, lambda number, frame: came.append((number, frame))) for one in ours}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    for number, frame in came:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        elif handler == signal.SIG_DFL:
            signal.raise_signal(number)
