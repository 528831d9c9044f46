"""Pieces on the workers of a real cluster: nobody works for a command that is gone."""

import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from threading import Thread

import pytest

import faceswap
from faceswap import storage
from faceswap.errors import ClusterError
from faceswap.fan_out import at_hand, fan_out, nobody_waits
from faceswap.settings import settings
from faceswap.storage.cache import make_room
from tests.cluster import Cluster, cluster
from tests.s3 import s3_bucket

pytestmark = pytest.mark.timeout(180)  # workers import much


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), workers=1) as made:
        yield made


def until_nobody_waits(piece: tuple[str, int]) -> None:
    """Tells when it begins, and that nobody waits for it."""
    folder, number = piece
    stopped = nobody_waits()
    Path(folder, f"begun-{number}").touch()
    while not stopped():
        time.sleep(0.02)
    Path(folder, f"stopped-{number}").touch()


def wait_for(folder: Path, name: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not list(folder.glob(name)):
        assert time.monotonic() < end, f"no {name} after {seconds} s"
        time.sleep(0.02)


def once_begun(folder: Path, act: Callable[[], object]) -> Thread:
    """Act when the first piece is begun."""

    def do() -> None:
        wait_for(folder, "begun-*")
        act()

    thread = Thread(target=do)
    thread.start()
    return thread


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_the_piece_that_is_begun_and_no_other_begins(team: Cluster, tmp_path: Path) -> None:
    pieces = ((str(tmp_path), number) for number in count())
    pressed = once_begun(tmp_path, lambda: os.kill(os.getpid(), signal.SIGINT))
    with (
        pytest.raises(KeyboardInterrupt),
        closing(fan_out(team.address, until_nobody_waits, pieces)) as results,
    ):
        next(results)
    pressed.join()
    wait_for(tmp_path, "stopped-*")
    time.sleep(0.5)
    assert len(list(tmp_path.glob("begun-*"))) == 1
    assert next(pieces)[1] <= 2, "pieces are taken as workers get free"


def test_a_killed_command_stops_its_pieces_as_well(team: Cluster, tmp_path: Path) -> None:
    command = (
        "import sys; from tests.test_fan_out import *; "
        "[None for _ in fan_out(sys.argv[1], until_nobody_waits, [(sys.argv[2], 1)])]"
    )
    words = [sys.executable, "-c", command, team.address, str(tmp_path)]
    process = subprocess.Popen(words, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])})
    try:
        wait_for(tmp_path, "begun-1")
    finally:
        process.kill()
        process.wait()
    wait_for(tmp_path, "stopped-1")


def failing(piece: int) -> int:
    if piece == 1:
        raise FileNotFoundError(2, "is not there", "x.mp4")
    return piece


def test_the_error_of_a_piece_arrives_as_it_was(team: Cluster) -> None:
    with (
        closing(fan_out(team.address, failing, [1])) as results,
        pytest.raises(FileNotFoundError, match="is not there"),
    ):
        next(results)


def test_work_that_the_cluster_can_not_read_is_told(team: Cluster) -> None:
    name = "known_only_here"
    module = types.ModuleType(name)
    exec("def work(piece): return piece", module.__dict__)
    sys.modules[name] = module
    module.work.__module__ = name  # type: ignore[attr-defined]
    try:
        given = fan_out(team.address, module.work, [0])  # type: ignore[attr-defined]
        with closing(given) as results, pytest.raises(ClusterError, match="read the work"):
            next(results)
    finally:
        del sys.modules[name]


def test_another_version_of_the_software_is_refused(team: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faceswap, "__version__", "99")
    with closing(fan_out(team.address, failing, [0])) as results, pytest.raises(ClusterError, match="not 99"):
        next(results)


def test_a_scheduler_that_goes_away_is_told(tmp_path: Path) -> None:
    with cluster(tmp_path, workers=1) as short:
        killed = once_begun(tmp_path, short.scheduler.kill)
        with (
            closing(fan_out(short.address, until_nobody_waits, [(str(tmp_path), 1)])) as results,
            pytest.raises(ClusterError, match="does not answer any more"),
        ):
            next(results)
        killed.join()


def test_a_file_under_the_same_path_has_to_be_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"abc")
    with at_hand(str(file), "", 3) as found:
        assert found == file
    with pytest.raises(ClusterError, match="another file"), at_hand(str(file), "", 4):
        pass
    with pytest.raises(ClusterError, match="no file"), at_hand(str(tmp_path / "b.mp4"), "", 3):
        pass
    assert nobody_waits()() is False


def test_a_worker_keeps_no_copy_that_it_uses_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each file would hold a descriptor, and its room on the disk, as long as the worker lives."""
    cache = settings().cache_path / "media"
    with s3_bucket(monkeypatch) as bucket:
        (tmp_path / "a.mp4").write_bytes(b"abc")
        uri = storage.publish_file(tmp_path / "a.mp4", f"{bucket}/a.mp4")
        with at_hand("/elsewhere/a.mp4", uri, 3) as found:
            assert found.read_bytes() == b"abc"
            assert make_room(cache, 0) == 0
        assert make_room(cache, 0) == 3
