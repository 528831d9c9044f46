"""A GPU of its own for each training of this machine, by locks on files that end with their process."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)
_VARIABLE = "CUDA_VISIBLE_DEVICES"
_LISTED = Path("/proc/driver/nvidia/gpus")
_NODES = Path("/dev")
_MOST_SHARING = 16
"""Trainings on one card; beyond them nobody keeps count."""


def cards() -> list[str]:
    """The cards that this process may use, as CUDA_VISIBLE_DEVICES names them; nothing is imported to find out."""
    given = os.environ.get(_VARIABLE)
    if given is not None:
        return [name for name in map(str.strip, given.split(",")) if name and name != "-1"]
    listed = sorted(_LISTED.iterdir()) if _LISTED.is_dir() else []
    nodes = [path for path in _NODES.glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    return [str(number) for number in range(max(len(listed), len(nodes)))]


def free_memory() -> int | None:
    """Bytes that nobody uses on the first card; None: nothing tells (``nvidia-ml-py`` comes with the extra gpu)."""
    try:
        import pynvml

        pynvml.nvmlInit()
        name = cards()[0]
        by = pynvml.nvmlDeviceGetHandleByIndex if name.isdecimal() else pynvml.nvmlDeviceGetHandleByUUID
        return int(pynvml.nvmlDeviceGetMemoryInfo(by(int(name) if name.isdecimal() else name)).free)
    except Exception as error:  # no library, no driver, no card, part of a card
        logger.debug("No card tells its free memory: %s", error)
        return None


@contextmanager
def taken(folder: Path, count: int = 1) -> Iterator[list[str]]:
    """Hold cards for a block, those first that the fewest others hold.

    Args:
        folder: of the locks, which all trainings of this machine share.
        count: how many cards.

    Yields:
        their names; empty where there are none.
    """
    names = cards()
    with ExitStack() as held:
        found: list[str] = []
        if names:
            folder.mkdir(parents=True, exist_ok=True)
            for sharing in range(_MOST_SHARING):
                for name in names:
                    if len(found) < count and name not in found and _locked(held, folder, name, sharing):
                        found.append(name)
        yield sorted(found, key=names.index)


@contextmanager
def taken_here(folder: Path, count: int = 1) -> Iterator[list[str]]:
    """As :func:`taken`, for this process: it sees no others.

    A second block of a process has the cards of the first, since CUDA looks once.
    """
    with taken(folder, count) as found:
        if found:
            os.environ[_VARIABLE] = ",".join(found)
        yield found


def visible(names: list[str]) -> dict[str, str]:
    """The environment of a child that shall see these cards; of none: as this process."""
    return {_VARIABLE: ",".join(names)} if names else {}


def _locked(held: ExitStack, folder: Path, name: str, sharing: int) -> bool:
    lock = FileLock(folder / f"{re.sub('[^A-Za-z0-9]+', '-', name)}.{sharing}")
    try:
        held.enter_context(lock.acquire(timeout=0))
    except Timeout:
        return False
    return True
