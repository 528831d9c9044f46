"""A swap in several processes of this machine, against one process."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from faceswap import jobs
from faceswap.errors import ClusterError, ConsentError
from faceswap.jobs.parameters import SwapParameters
from faceswap.jobs.swap_crews import processes
from faceswap.media.sources import MediaItem
from faceswap.provenance.consent.life import Event
from faceswap.registry import consents
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from tests.jobs.swapping import SECONDS, Watched, assert_the_same, one_machine

pytestmark = pytest.mark.timeout(300)  # processes that import much


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two processes, for a little work, too."""
    monkeypatch.setenv("FACESWAP_WORKERS", "2")
    monkeypatch.setattr(processes, "_WORTH", 0.0)
    monkeypatch.setattr(processes, "processes_for", lambda *_: 2)
    monkeypatch.setattr("faceswap.jobs.swap_job.processes_for", lambda *_: 2)
    settings.cache_clear()
    yield
    settings.cache_clear()


def given(media: Path, out: Path) -> SwapParameters:
    return SwapParameters(
        target=str(media), reference="ada/1", out=str(out), options=SwapOptions(min_face=10)
    )


@pytest.mark.usefixtures("version", "two", "ctrl_c")
def test_processes_make_what_one_makes_though_they_are_interrupted(media: Path, tmp_path: Path) -> None:
    asked = given(media, tmp_path / "there")
    with pytest.raises(KeyboardInterrupt):
        jobs.swap(asked, Watched(lambda: os.kill(os.getpid(), signal.SIGINT)))
    report = jobs.swap(asked)
    here = one_machine(asked, tmp_path / "here")
    assert any(item.resumed for item in report.items), "what was done before Ctrl-C stays"
    assert [item.source.name for item in report.skipped] == ["0002.png"]
    assert len(report.written) == 4
    assert_the_same(report.written, here)


@pytest.mark.usefixtures("version", "two")
def test_one_that_is_killed_is_told_and_the_same_command_goes_on(media: Path, tmp_path: Path) -> None:
    asked = given(media, tmp_path / "out")

    def kill() -> None:
        for child in psutil.Process().children(recursive=True):
            if child.ppid() != os.getpid():  # forked by the server of forks
                child.kill()

    with pytest.raises(ClusterError, match="FACESWAP_WORKERS=1"):
        jobs.swap(asked, Watched(kill))
    report = jobs.swap(asked)
    assert len(report.written) == 4


@pytest.mark.usefixtures("version", "two")
def test_who_withdraws_stops_the_processes(media: Path, tmp_path: Path) -> None:
    def withdraw() -> None:
        consents.write(Event(identity="ada", kind="withdrawn", by="ada", statement="no more"))

    many = tmp_path / "many"
    many.mkdir()
    for number in range(6):
        shutil.copy(media / "long.mp4", many / f"{number}.mp4")
    with pytest.raises(ConsentError, match="withdr"):
        jobs.swap(given(many, tmp_path / "out"), Watched(withdraw))
    assert len(list((tmp_path / "out").glob("*.mp4"))) < 6
    assert not list((tmp_path / "out").glob(".*.parts")), "what was under way goes, too"


def test_there_are_no_more_processes_than_are_worth_it(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = (MediaItem(media / "long.mp4", "video", "long.mp4"), Path("out.mp4"))
    picture = (MediaItem(media / "0001.png", "image", "0001.png"), Path("out.png"))
    broken = (MediaItem(media / "0002.png", "video", "broken"), Path("broken.mp4"))
    monkeypatch.setenv("FACESWAP_WORKERS", "3")
    settings.cache_clear()
    assert processes.processes_for([video, picture, broken]) == 1, "it is short"
    assert processes.processes_for([video] * 4) == 2, f"{4 * SECONDS} s are hardly five spans"
    assert processes.processes_for([video] * 40) == 3
    assert processes.processes_for([picture] * 15) == 1
    assert processes.processes_for([picture] * 40) == 3
    assert processes.processes_for([video] * 40, 1.0, 1.5) == 1, "two seconds of each would be"
    monkeypatch.setenv("FACESWAP_WORKERS", "1")
    settings.cache_clear()
    assert processes.processes_for([video] * 40) == 1
    monkeypatch.delenv("FACESWAP_WORKERS")
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    for gigabytes, count in ((0.2, 1), (2.1, 4), (64, 16)):
        free = SimpleNamespace(available=gigabytes * 1e9)
        monkeypatch.setattr(psutil, "virtual_memory", lambda free=free: free)
        settings.cache_clear()
        assert processes.processes_for([video] * 40) == count, "a process takes half a gigabyte"
