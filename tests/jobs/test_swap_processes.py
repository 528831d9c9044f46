"""A swap in several processes of this machine, against one process."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from faceswap import jobs
from faceswap.errors import ClusterError, ConsentError
from faceswap.jobs.parameters import SwapParameters
from faceswap.jobs.swap_crews import processes
from faceswap.media.sources import MediaItem
from faceswap.media.video.reading import VideoReader
from faceswap.provenance.consent.life import Event
from faceswap.registry import consents
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from faceswap.swap.video.chunks import SECONDS as SECONDS_OF_PARTS
from tests.jobs.swapping import SECONDS, Watched, assert_the_same, one_machine

pytestmark = pytest.mark.timeout(300)  # processes that import much


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, for a little work, too; spans of ten seconds, as those of :func:`one_machine`."""
    monkeypatch.setattr("faceswap.jobs.swap_job.processes_for", lambda *_: 2)
    monkeypatch.setattr("faceswap.jobs.swap_job.SPAN", SECONDS_OF_PARTS)


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


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


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: 4)
    monkeypatch.setattr(processes, "free_memory", lambda: 64_000_000_000)


@pytest.mark.usefixtures("database", "four_cores")
def test_there_are_no_more_processes_than_are_worth_it(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = (MediaItem(media / "long.mp4", "video", "long.mp4"), Path("out.mp4"))
    picture = (MediaItem(media / "0001.png", "image", "0001.png"), Path("out.png"))
    broken = (MediaItem(media / "0002.png", "video", "broken"), Path("broken.mp4"))
    count = processes.processes_for
    assert count([video, picture, broken]) == 1, "it is short"
    assert count([video] * 5) == 3, f"{5 * SECONDS} s, twenty for each"
    assert count([video] * 40) == 4
    assert count([picture] * 90) == 1
    assert count([picture] * 400) == 4
    assert count([video] * 40, 1.0, 1.5) == 1, "half a second of each is little"
    monkeypatch.setattr(processes, "free_memory", lambda: 1_100_000_000)
    assert count([video] * 40) == 2, "a process takes half a gigabyte"
    monkeypatch.setattr(processes, "providers", lambda: ["CUDAExecutionProvider"])
    assert count([video] * 40) == 1
    monkeypatch.setattr(processes, "providers", lambda: ["CPUExecutionProvider"])
    for workers in (1, 3):
        monkeypatch.setenv("FACESWAP_WORKERS", str(workers))
        settings.cache_clear()
        assert count([video] * 40) == workers
    monkeypatch.setattr(VideoReader, "jumps", False)
    monkeypatch.setattr(processes, "_WORTH", 0.0)
    monkeypatch.setattr(processes, "_EACH", 1.0)
    assert count([video]) == 1, "what can't be sought is one piece"


@pytest.mark.usefixtures("version", "four_cores")
def test_a_long_folder_gets_processes_without_being_asked_for(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(4):
        shutil.copy(media / "long.mp4", many / f"{number}.mp4")
    started: list[int] = []
    crew = processes.process_crew
    monkeypatch.setattr(
        "faceswap.jobs.swap_job.process_crew",
        lambda count, *rest: (started.append(count), crew(count, *rest))[1],
    )
    report = jobs.swap(given(many, tmp_path / "out"))
    assert started == [2]
    assert len(report.written) == 4


SWAPPING = """
if __name__ == "__main__":
    import sys
    from faceswap import jobs
    from faceswap.jobs import swap_job
    from faceswap.jobs.parameters import SwapParameters
    from faceswap.swap.options import SwapOptions
    swap_job.processes_for = lambda *_: 2
    jobs.swap(SwapParameters(target=sys.argv[1], reference="ada/1", out=sys.argv[2], options=SwapOptions(min_face=10)))
"""


@pytest.mark.usefixtures("version")
def test_they_end_with_a_parent_that_is_killed(media: Path, tmp_path: Path) -> None:
    script = tmp_path / "swapping.py"
    script.write_text(SWAPPING)
    with subprocess.Popen([sys.executable, str(script), str(media), str(tmp_path / "out")]) as parent:

        def workers() -> list[psutil.Process]:
            every = psutil.Process(parent.pid).children(recursive=True)
            return [one for one in every if one.ppid() != parent.pid]

        assert wait_until(lambda: len(workers()) == 2, 60)
        left = workers()
        parent.kill()
    assert wait_until(lambda: not any(one.is_running() for one in left), 30)
