"""Energy by counters whose values are known, and what it costs."""

import sys
import types
from pathlib import Path

import pytest

from faceswap import energy
from faceswap.energy import Counter, Energy, Meter
from faceswap.settings import settings


class Counting:
    """A counter that a test turns."""

    def __init__(self, joules: float = 0.0) -> None:
        self.now = joules

    def __call__(self) -> float:
        return self.now


def set_to(monkeypatch: pytest.MonkeyPatch, **values: float) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"FACESWAP_{name.upper()}", str(value))
    settings.cache_clear()


def test_counters_add_up_from_the_begin_of_the_block_and_over_their_overflow() -> None:
    one, two = Counting(3.6e6), Counting(900.0)
    with Meter(False, [Counter("package-0", one), Counter("package-1", two, overflow=1000.0)]) as meter:
        one.now += 1.8e6
        two.now = 100.0  # 200 J after an overflow
        meter.used()
        two.now = 400.0
        used = meter.used()
    assert used.kwh == pytest.approx((1.8e6 + 500) / 3.6e6)
    assert used.source == "measured: package-0, package-1"
    assert used.cost is None


def test_a_counter_that_fails_ends_no_training() -> None:
    def broken() -> float:
        raise PermissionError("not for you")

    with Meter(False, [Counter("package-0", broken)]) as meter:
        assert meter.used().kwh is None
        assert meter.source.startswith("unknown")


def test_a_gpu_s_training_is_not_told_by_the_processor_alone() -> None:
    package, card = Counting(), Counting()
    with Meter(True, [Counter("package-0", package)]) as meter:
        package.now = 3.6e6
        assert meter.used().kwh is None
    with Meter(True, [Counter("package-0", package), Counter("GPU 1", card)]) as meter:
        package.now, card.now = 2 * 3.6e6, 3.6e6
        used = meter.used()
    assert (used.kwh, used.source) == (pytest.approx(2.0), "measured: GPU 1, package-0")


def test_the_machine_s_power_gives_an_estimate_that_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, machine_watts=250)
    with Meter(False, []) as meter:
        meter._began -= 3600
        used = meter.used()
    assert used.kwh == pytest.approx(0.25, abs=1e-3)
    assert used.source == "estimated: 250 W, which FACESWAP_MACHINE_WATTS says"


def test_prices_make_the_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    hour, unknown = Energy(0.5, "measured: GPU 0", 3600.0), Energy(None, "unknown", 3600.0)
    assert hour.cost is None
    set_to(monkeypatch, energy_price=0.3)
    assert (hour.cost, unknown.cost) == (pytest.approx(0.15), None)
    set_to(monkeypatch, energy_price=0.3, hour_price=2)
    assert (hour.cost, unknown.cost) == (pytest.approx(2.15), pytest.approx(2.0))


def test_the_processor_s_counters_are_read_where_linux_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, name, joules in (
        ("intel-rapl:0", "package-0", 5),
        ("intel-rapl:0:0", "core", 3),
        ("intel-rapl:0:1", "dram", 2),
        ("intel-rapl:1", "psys", 9),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "name").write_text(f"{name}\n")
        (tmp_path / folder / "energy_uj").write_text(f"{joules * 1_000_000}\n")
        (tmp_path / folder / "max_energy_range_uj").write_text("262143328850\n")
    monkeypatch.setattr(energy, "_POWERCAP", tmp_path)
    with Meter(False) as meter:
        (tmp_path / "intel-rapl:0" / "energy_uj").write_text("11000000")
        (tmp_path / "intel-rapl:0:1" / "energy_uj").write_text("1000000")  # it overflowed
        used = meter.used()
    assert used.source == "measured: dram-0, package-0"
    assert used.kwh == pytest.approx((6 + 262143.32885 - 1) / 3.6e6)


@pytest.mark.parametrize(
    ("visible", "names"),
    [(None, ["GPU 0", "GPU 1"]), ("1", ["GPU 1"]), ("GPU-b", ["GPU 1"]), ("", [])],
)
def test_the_cards_that_a_process_may_use_count(
    visible: str | None, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in for nvidia-ml-py with its functions' names and units: millijoules."""
    taken = {0: 1_000, 1: 7_200_000}
    nvml = types.ModuleType("pynvml")
    nvml.nvmlInit = lambda: None  # type: ignore[attr-defined]
    nvml.nvmlDeviceGetCount = lambda: 2  # type: ignore[attr-defined]
    nvml.nvmlDeviceGetHandleByIndex = lambda number: number  # type: ignore[attr-defined]
    nvml.nvmlDeviceGetHandleByUUID = {"GPU-a": 0, "GPU-b": 1}.__getitem__  # type: ignore[attr-defined]
    nvml.nvmlDeviceGetIndex = lambda card: card  # type: ignore[attr-defined]
    nvml.nvmlDeviceGetTotalEnergyConsumption = taken.__getitem__  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(energy, "_POWERCAP", tmp_path / "none")
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with Meter(True) as meter:
        taken[1] += 3_600_000
        used = meter.used()
    assert used.source == (f"measured: {', '.join(names)}" if names else meter.source)
    assert used.kwh == (pytest.approx(0.001) if names else None)
