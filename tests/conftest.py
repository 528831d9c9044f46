"""Shared by all tests: a state folder of their own, the real test faces where they exist."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from faceswap.settings import settings

_FACES = Path(os.environ.get("FACESWAP_TEST_FACES", Path(__file__).parents[2] / "shared" / "faces"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every test has its own state folder, and no settings of the person who runs it."""
    for name in [n for n in os.environ if n.startswith(("FACESWAP_", "MLFLOW_TRACKING"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("FACESWAP_HOME", str(folder))
    settings.cache_clear()
    yield folder
    settings.cache_clear()


@pytest.fixture(scope="session")
def real_faces() -> Path:
    """The folder of real test footage; it is not part of the project."""
    if not (_FACES / "person-a.mp4").exists():
        pytest.skip(f"no real test footage in {_FACES} (set FACESWAP_TEST_FACES)")
    return _FACES
