"""The energy that a piece of work takes, as counters of the hardware tell it, and what it costs.

NVIDIA's GPUs count what the whole card takes, and many processors what their packages take (RAPL, which Linux shows to
those who may read it). A setting for the machine's power takes their place: an estimate, and called one.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Self

from faceswap.settings import settings

logger = logging.getLogger(__name__)
_POWERCAP = Path("/sys/class/powercap")
_JOULES_PER_KWH = 3.6e6
_GPU = "GPU"
_EVERY = 60.0
"""Seconds after which counters are read: RAPL's begin anew after 262 kJ, at 200 W in 22 minutes."""


@dataclass(frozen=True)
class Counter:
    """One counter of energy.

    Attributes:
        what: it counts: ``GPU 0``, ``package-0``; no two share a name.
        joules: reads it; it grows, but for its overflow.
        overflow: joules at which it begins anew; 0: never.
    """

    what: str
    joules: Callable[[], float]
    overflow: float = 0.0


@dataclass(frozen=True)
class Energy:
    """What a piece of work took.

    Attributes:
        kwh: kilowatt-hours; None: nothing tells.
        source: in words, what was measured, or that it is an estimate.
        seconds: wall time.
    """

    kwh: float | None
    source: str
    seconds: float

    @property
    def cost(self) -> float | None:
        """By the settings' prices, in their currency; None: there is no price, or nothing to multiply it with."""
        prices = settings()
        parts = []
        if prices.energy_price and self.kwh is not None:
            parts.append(self.kwh * prices.energy_price)
        if prices.hour_price:
            parts.append(self.seconds / 3600 * prices.hour_price)
        return sum(parts) if parts else None


class Meter:
    """Measures a block.

    Args:
        accelerated: the work runs on a GPU: without its counter the rest would say little, and is not said. Else GPUs
            do not count.
        counters: of this machine; None: those that can be read.
    """

    def __init__(self, accelerated: bool, counters: Sequence[Counter] | None = None) -> None:
        if counters is None:
            counters = [*(_gpus() if accelerated else ()), *_packages()]
        self._accelerated, self._counters = accelerated, counters
        self._last: dict[str, float] = {}
        self._taken: dict[str, float] = {}
        self._began = time.monotonic()
        self._end, self._lock = Event(), Lock()
        self._reader = Thread(target=self._keep_reading, name="energy", daemon=True)

    @property
    def source(self) -> str:
        """What tells the energy, in words."""
        names = sorted(self._taken)
        if watts := settings().machine_watts:
            return f"estimated: {watts:g} W, which FACESWAP_MACHINE_WATTS says"
        if not names or (self._accelerated and not any(name.startswith(_GPU) for name in names)):
            return "unknown: no counter can be read here; FACESWAP_MACHINE_WATTS gives an estimate"
        return f"measured: {', '.join(names)}"

    def used(self) -> Energy:
        """What was taken since the block began."""
        self._read()
        seconds, source = time.monotonic() - self._began, self.source
        joules = {
            "estimated": settings().machine_watts * seconds,
            "measured": sum(self._taken.values()),
        }.get(source.partition(":")[0])
        return Energy(None if joules is None else joules / _JOULES_PER_KWH, source, seconds)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._read()
        if self._counters:
            self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()

    def _keep_reading(self) -> None:
        while not self._end.wait(_EVERY):
            self._read()

    def _read(self) -> None:
        with self._lock:
            for one in self._counters:
                try:
                    now = one.joules()
                except Exception as error:  # NVML's errors have no common class with the system's
                    logger.debug("The energy of %s can't be read: %s", one.what, error)
                    continue
                step = now - self._last.get(one.what, now)
                if step < 0:
                    step += one.overflow
                self._last[one.what] = now
                self._taken[one.what] = self._taken.get(one.what, 0.0) + max(0.0, step)


def _gpus() -> list[Counter]:
    """The cards that this process may use; each counts for all who use it."""
    try:
        import pynvml  # comes with the extra for GPUs

        pynvml.nvmlInit()
        cards = [_card(pynvml, name) for name in _visible(pynvml.nvmlDeviceGetCount())]
    except Exception as error:  # no library, no driver, no card
        logger.debug("No GPU tells its energy: %s", error)
        return []

    def joules(card: Any) -> float:
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(card)) / 1000

    return [Counter(f"{_GPU} {pynvml.nvmlDeviceGetIndex(card)}", partial(joules, card)) for card in cards]


def _visible(count: int) -> list[str]:
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [str(number) for number in range(count)] if given is None else [n for n in given.split(",") if n]


def _card(pynvml: Any, name: str) -> Any:
    name = name.strip()
    return (
        pynvml.nvmlDeviceGetHandleByIndex(int(name))
        if name.isdecimal()
        else pynvml.nvmlDeviceGetHandleByUUID(name)
    )


def _packages() -> list[Counter]:
    """The processors' packages and their memory, where they may be read."""
    found = []
    for folder in sorted(_POWERCAP.glob("intel-rapl:*")) if _POWERCAP.is_dir() else ():
        try:
            name = (folder / "name").read_text().strip()
            if name != "dram" and not name.startswith("package"):
                continue  # cores are a part of a package, psys counts the packages again
            most = _joules(folder / "max_energy_range_uj")
            _joules(folder / "energy_uj")
        except (OSError, ValueError) as error:
            logger.debug("%s can't be read: %s", folder, error)
            continue
        what = name if name != "dram" else f"dram-{folder.name.split(':')[1]}"
        found.append(Counter(what, partial(_joules, folder / "energy_uj"), most))
    return found


def _joules(file: Path) -> float:
    return int(file.read_text()) / 1e6
