"""The compose stack in a real engine: brought up, tried, taken down and up, backed up, restored into an empty one.

Builds two images and takes half an hour, so it runs on demand: ``FACESWAP_TEST_CONTAINERS=1``, with an engine that
``docker info`` reaches. Where no image can be pulled, ``tests/e2e/stand_ins/make.sh`` makes stand-ins before.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PROJECT = "faceswap-tried"
pytestmark = pytest.mark.timeout(7200)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of the stack's secrets; afterwards nothing of the stack is left."""
    if not os.environ.get("FACESWAP_TEST_CONTAINERS"):
        pytest.skip("builds images and takes half an hour; FACESWAP_TEST_CONTAINERS=1 runs it")
    if not shutil.which("docker"):
        pytest.skip("there is no docker on this machine (Debian: apt-get install docker.io docker-compose)")
    asked = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if asked.returncode != 0 or "ERROR" in asked.stdout + asked.stderr:
        pytest.skip("no engine answers: `docker info` fails")
    file = tmp_path_factory.mktemp("containers") / "secrets.env"
    try:
        yield file
    finally:
        if file.exists():
            team(file, "wipe", "everything")


def team(secrets: Path, *words: str) -> str:
    """``infra/team.sh``; returns what it prints."""
    environment = os.environ | {"TEAM_SECRETS_FILE": str(secrets), "TEAM_PROJECT": PROJECT}
    command = [str(ROOT / "infra" / "team.sh"), *words]
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
        stdin=subprocess.DEVNULL,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    return said


def drew(said: str) -> str:
    """The version that the app swapped with."""
    found = re.search(r"^(\S+/\d+) drew ", said, re.MULTILINE)
    assert found, said[-6000:]
    return found[1]


def test_the_whole_way(secrets: Path, tmp_path: Path) -> None:
    team(secrets, "up")
    for port in (8080, 8081, 8082):
        assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=60).status_code == 401
    said = team(secrets, "try")
    assert "It works" in said
    assert drew(said) == "tryout-ada/2"  # the second was promoted

    team(secrets, "down")
    team(secrets, "up")
    assert drew(team(secrets, "try", "again")) == "tryout-ada/2"

    team(secrets, "backup", str(tmp_path / "all.tar"))
    team(secrets, "wipe", "everything")
    team(secrets, "restore", str(tmp_path / "all.tar"))
    team(secrets, "up")
    assert drew(team(secrets, "try", "again")) == "tryout-ada/2"
