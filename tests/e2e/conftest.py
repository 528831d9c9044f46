"""One state folder for all end-to-end tests, filled once by the demo in miniature."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from faceswap.media.images import write_image
from faceswap.media.video.reading import VideoReader
from faceswap.settings import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@dataclass(frozen=True)
class Done:
    """Where the demo left its state and its output, and what it printed."""

    home: Path
    out: Path
    printed: str


def environment_of(home: Path) -> dict[str, str]:
    """The environment of a user whose state lies in ``home`` and who has set nothing else."""
    own = ("FACESWAP_", "PREFECT_", "MLFLOW_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(own)}
    return kept | {"FACESWAP_HOME": str(home), "COLUMNS": "200"}


def faceswap(home: Path, *words: str, fails: bool = False, server: str = "") -> str:
    """Run the command as a user does; returns what it prints (where it worked: on standard output)."""
    environment = environment_of(home) | ({"PREFECT_API_URL": server} if server else {})
    command = [sys.executable, "-m", "faceswap.cli", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    printed = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, printed[-6000:]
    assert "Traceback" not in printed, printed[-6000:]
    return printed if fails else done.stdout


class Patient(httpx.HTTPTransport):
    """Asks again where Prefect's server answers 503, as Prefect's own client does.

    On SQLite a request that reads, and then writes after another has written, can't go on and is answered so; see
    ``is_client_retryable_exception`` in prefect/server/api/server.py. The server has undone it: asking again is safe.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(10):
            response = super().handle_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
        return response


def http() -> httpx.Client:
    """What the tests talk to servers with."""
    return httpx.Client(timeout=30, transport=Patient())


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("demo")
    printed = faceswap(
        folder / "home", "demo", "--out", str(folder / "out"), "--minutes", "0.3", "--seconds", "4"
    )
    return Done(folder / "home", folder / "out", printed)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of a Prefect server, for commands that are to run as flows."""
    folder = tmp_path_factory.mktemp("prefect")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start"],
        env=environment_of(folder)
        | quiet
        | {"PREFECT_HOME": str(folder), "PREFECT_SERVER_API_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    api = f"http://127.0.0.1:{port}/api"
    try:
        for _ in range(240):
            try:
                if httpx.get(f"{api}/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.5)
        else:
            pytest.fail("the Prefect server does not start")
        yield api
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A browser that a test drives."""
    from tests.e2e.apps import chromium

    with chromium() as one:
        yield one


@pytest.fixture(autouse=True)
def home(demo: Done, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In-process code sees the demo's state."""
    monkeypatch.setenv("FACESWAP_HOME", str(demo.home))
    settings.cache_clear()
    yield demo.home
    settings.cache_clear()


@pytest.fixture(scope="session")
def app(demo: Done, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app over the demo's versions."""
    from tests.e2e.apps import served

    with served(demo.home, tmp_path_factory.mktemp("app") / "log") as url:
        yield url


@pytest.fixture(scope="session")
def target(demo: Done, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of bram."""
    path = tmp_path_factory.mktemp("target") / "somebody.png"
    with VideoReader(demo.out / "people" / "bram.mp4") as reader:
        write_image(path, next(reader.frames()).image)
    return path
