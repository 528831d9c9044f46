"""What of this machine is ours: cores and memory, also in a container or under an affinity."""

import os
from pathlib import Path

import psutil

_GROUPS = Path("/sys/fs/cgroup")


def cores() -> int:
    """Cores that this process may use, at least one."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(own, _quota()))


def free_memory() -> int:
    """Bytes that this process and others beside it may still take."""
    free = int(psutil.virtual_memory().available)
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        most, taken = _number(_GROUPS / limit), _number(_GROUPS / used)
        if most is not None and taken is not None:
            free = min(free, max(0, most - taken))
    return free


def _quota() -> int:
    """Cores that a container's share of time amounts to."""
    try:
        share, period = (_GROUPS / "cpu.max").read_text().split()
        return max(1, round(int(share) / int(period)))
    except (OSError, ValueError):  # no container, or no limit
        return os.cpu_count() or 1


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # another kind of group, or "max"
        return None
