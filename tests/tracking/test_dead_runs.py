"""Runs of killed processes: ended by whichever run comes next, those of living ones and other machines left alone."""

import logging
import os
from pathlib import Path

import psutil
import pytest

from faceswap import tracking
from faceswap.settings import settings


@pytest.mark.parametrize(
    ("pid", "node", "status"),
    [
        (2**22 + 1, "here", "FAILED"),  # beyond Linux's highest number
        (2**22 + 1, "here, before containers were named", "FAILED"),
        (0, "here", "RUNNING"),  # this process
        (2**22 + 1, "elsewhere", "RUNNING"),
    ],
)
def test_the_next_run_ends_those_of_dead_processes(database: Path, pid: int, node: str, status: str) -> None:
    with tracking.run("left", "train") as left:
        pass
    here = left.client.get_run(left.run_id).data.tags["faceswap.process"].rsplit(" ", 2)[0]
    names = {"here": here, "here, before containers were named": here.split()[0]}
    created = f"{psutil.Process().create_time():.0f}"
    left.client.set_tag(
        left.run_id, "faceswap.process", f"{names.get(node, node)} {pid or os.getpid()} {created}"
    )
    left.client.update_run(left.run_id, "RUNNING")
    with tracking.run("next", "evaluate") as following:
        assert left.client.get_run(left.run_id).info.status == status
        assert left.client.get_run(following.run_id).info.status == "RUNNING"


def test_a_clock_that_is_set_ends_no_run(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux tells when a process was started by the machine's start, which it moves with the clock."""
    started, created = psutil.boot_time(), psutil.Process().create_time()
    with tracking.run("long", "train") as long:
        for hour in (3600, -3600):
            monkeypatch.setattr("psutil._pslinux.boot_time", lambda hour=hour: started + hour)
            assert psutil.Process().create_time() == pytest.approx(created + hour, abs=2)
            with tracking.run("next", "evaluate"):
                assert long.client.get_run(long.run_id).info.status == "RUNNING"


def test_a_link_to_the_run_is_logged_without_its_password(
    database: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.INFO, "faceswap.tracking"), tracking.run("one", "train") as run:
        assert run.url == ""  # without a server there is no page
        monkeypatch.setenv("FACESWAP_TRACKING_URI", "http://bob:s3cret@host:5000")
        settings.cache_clear()
        assert run.url.startswith("http://host:5000/#/experiments/")
    assert "MLflow run of" not in caplog.text
