"""An extraction on a cluster gives the face set of one machine, to the last bit, though a worker is lost."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from faceswap import storage
from faceswap.errors import SettingsError
from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.jobs.fictional.fictional_media import cast_consent, write_people
from faceswap.settings import settings
from tests.s3 import s3_bucket

pytestmark = pytest.mark.timeout(1800)  # five processes that import much


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A scheduler's address and two workers, each as `faceswap worker` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    environment = os.environ | {"FACESWAP_HOME": str(tmp_path / "worker")}
    words = [
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-dashboard",
    ]
    scheduler = subprocess.Popen([sys.executable, *words], cwd=tmp_path)
    command = [sys.executable, "-m", "faceswap.cli", "worker", "--scheduler", address, "--processes", "1"]
    workers = [subprocess.Popen(command, env=environment, cwd=tmp_path) for _ in range(2)]
    try:
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            for child in (
                psutil.Process(process.pid).children(recursive=True) if process.poll() is None else ()
            ):
                child.kill()
            process.kill()
            process.wait()


def test_the_same_face_set_though_a_worker_is_lost(
    cluster: tuple[str, list["subprocess.Popen[bytes]"]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, workers = cluster
    write_people(tmp_path / "people", ["ada"], "video", seconds=12, size=128)
    consent, options = cast_consent("ada"), ExtractionOptions(every=3, size=128, min_face=20)
    with s3_bucket(monkeypatch) as bucket:
        source = storage.publish_file(tmp_path / "people" / "ada.mp4", f"{bucket}/media/ada.mp4")
        here = extract([source], "ada", consent=consent, options=options, root=str(tmp_path / "a"), workers=3)
        monkeypatch.setenv("FACESWAP_DASK_SCHEDULER", address)
        settings.cache_clear()

        def lose_one(done: int, *_: object) -> None:
            if done == 1:  # with what it is at
                for child in psutil.Process(workers[0].pid).children(recursive=True):
                    child.kill()
                workers[0].send_signal(signal.SIGKILL)

        there = extract(
            [source],
            "ada",
            consent=consent,
            options=options,
            root=str(tmp_path / "b"),
            workers=3,
            progress=lose_one,
        )
    assert workers[0].wait(10) == -signal.SIGKILL
    assert there.digest == here.digest
    assert there.count() > 20


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_people(tmp_path / "people", ["ada"], "pictures", count=2, size=128)
    monkeypatch.setenv("FACESWAP_DASK_SCHEDULER", "tcp://127.0.0.1:9")
    monkeypatch.setattr("faceswap.faces.extraction.fan_out._CONNECT_SECONDS", 1)
    settings.cache_clear()
    with pytest.raises(SettingsError, match="FACESWAP_DASK_SCHEDULER"):
        extract([str(tmp_path / "people" / "ada")], "ada", consent=cast_consent("ada"))
