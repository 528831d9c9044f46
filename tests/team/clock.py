"""A time of day that is off, as where somebody sets the clock or its network time is wrong."""

import datetime as dt
import time
from pathlib import Path

_time, _datetime = time.time, dt.datetime


def follow(file: Path) -> None:
    """From now on this process' time of day is off by as many seconds as a file says; its other clocks go on.

    libfaketime, which would do the same to all of a process, makes Python's sleep fail when the time jumps.
    """

    def off() -> float:
        return float(file.read_text())

    class Off(_datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Off":  # type: ignore[override]
            return cls.fromtimestamp(_time() + off(), tz)

        @classmethod
        def utcnow(cls) -> "Off":
            return cls.now(dt.UTC).replace(tzinfo=None)

    time.time = lambda: _time() + off()
    time.time_ns = lambda: round(time.time() * 1e9)
    dt.datetime = Off  # type: ignore[misc]
