"""What of a machine is ours, by files as a container has them."""

import os
from pathlib import Path

import psutil
import pytest

from faceswap.process import machine


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of control groups, with nothing in it."""
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    return tmp_path


def test_without_limits_it_is_the_whole_machine(groups: Path) -> None:
    (groups / "cpu.max").write_text("max 100000\n")
    (groups / "memory.max").write_text("max\n")
    (groups / "memory.current").write_text("1000\n")
    assert machine.cores() == len(os.sched_getaffinity(0))
    assert machine.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.1)


@pytest.mark.parametrize(("quota", "count"), [("100000 100000", 1), ("30000 100000", 1)])
def test_a_containers_share_of_time_limits_the_cores(groups: Path, quota: str, count: int) -> None:
    (groups / "cpu.max").write_text(quota)
    assert machine.cores() == count


@pytest.mark.parametrize(
    ("most", "used"),
    [
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ],
)
def test_a_containers_memory_limits_what_is_free(groups: Path, most: str, used: str) -> None:
    for name, content in ((most, "3000000"), (used, "1000000")):
        (groups / name).parent.mkdir(exist_ok=True)
        (groups / name).write_text(content)
    assert machine.free_memory() == 2_000_000
    (groups / used).write_text("4000000")
    assert machine.free_memory() == 0
