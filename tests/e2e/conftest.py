"""One state folder for all end-to-end tests, filled once by the demo in miniature."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faceswap.settings import settings


@dataclass(frozen=True)
class Done:
    """Where the demo left its state and its output, and what it printed."""

    home: Path
    out: Path
    printed: str


def faceswap(home: Path, *words: str, fails: bool = False) -> str:
    """Run the command as a user does; returns what it prints (where it worked: on standard output)."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("FACESWAP_", "PREFECT_", "MLFLOW_"))
    }
    environment |= {"FACESWAP_HOME": str(home), "COLUMNS": "200"}
    command = [sys.executable, "-m", "faceswap.cli", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    printed = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, printed[-6000:]
    assert "Traceback" not in printed, printed[-6000:]
    return printed if fails else done.stdout


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("demo")
    printed = faceswap(
        folder / "home", "demo", "--out", str(folder / "out"), "--minutes", "0.3", "--seconds", "4"
    )
    return Done(folder / "home", folder / "out", printed)


@pytest.fixture(autouse=True)
def home(demo: Done, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In-process code sees the demo's state."""
    monkeypatch.setenv("FACESWAP_HOME", str(demo.home))
    settings.cache_clear()
    yield demo.home
    settings.cache_clear()
