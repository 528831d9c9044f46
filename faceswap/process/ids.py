"""Which process that was, after its number was given to another: by a clock that nobody sets."""

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def born(pid: int | None = None) -> str:
    """When a process was started, as a word: another one with its number has another.

    On Linux the ticks since the machine was started, and which start that was. The time of day, which psutil tells,
    moves with each correction of the clock.

    Args:
        pid: its number; None: of this process.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    pid = os.getpid() if pid is None else pid
    with suppress(OSError):
        return f"{_ticks(pid)}@{_BOOT.read_text().strip()[:8]}"
    return f"{psutil.Process(pid).create_time():.0f}"


def age() -> float:
    """Seconds since this process was started, its imports included."""
    with suppress(OSError, AttributeError):  # the second: not on Linux
        return time.clock_gettime(time.CLOCK_BOOTTIME) - _ticks(os.getpid()) / os.sysconf("SC_CLK_TCK")
    return time.time() - psutil.Process().create_time()


def _ticks(pid: int) -> int:
    """Clock ticks between the machine's start and the process'."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[19])
