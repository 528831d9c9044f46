import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from faceswap import registry, tracking
from faceswap.faces.faceset import find_headers
from faceswap.settings import settings
from tests.e2e.conftest import Done, environment_of, faceswap


def test_a_killed_training_goes_on_and_becomes_the_challenger(demo: Done, server: str) -> None:
    people = sorted({row.version.identity for row in registry.versions()})
    sets = [find_headers(settings().face_sets_root, name)[0][0] for name in people]
    command = [sys.executable, "-m", "faceswap.cli", "train", *sets, "--steps", "6", "--bottleneck", "32"]
    job = subprocess.Popen(
        command,
        env=environment_of(demo.home) | {"PREFECT_API_URL": server},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while not (found := list((demo.home / "work" / "train").glob("*/checkpoints/step-*/state.json"))):
        assert job.poll() is None, "the training ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    run_id = Path(found[0]).parents[2].name
    printed = faceswap(demo.home, "train", "--resume", run_id, server=server)
    assert run_id in printed
    assert tracking.connect().get_run(run_id).info.status == "FINISHED"
    newest = [row for row in registry.versions() if row.tags["run_id"] == run_id]
    assert sorted(row.version.identity for row in newest) == people
    assert all(row.aliases == ("challenger",) for row in newest)
    assert {row.tags["bottleneck"] for row in newest} == {"32"}
    assert not (demo.home / "work" / "train" / run_id).exists(), "what is registered needs no checkpoints"
    said = faceswap(demo.home, "train", "--resume", run_id, fails=True)
    assert "left no checkpoint" in said
