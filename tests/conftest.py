"""Shared by all tests: a state folder of their own, the real test faces where they exist."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from faceswap.settings import settings

_FACES = Path(os.environ.get("FACESWAP_TEST_FACES", Path(__file__).parents[2] / "shared" / "faces"))


class ByRoom(LoadScopeScheduling):
    """Tests run in two processes (three take as long); those of a file, of e2e and of a team share what they set up."""

    def _split_scope(self, nodeid: str) -> str:
        rooms = [room for room in ("e2e", "team") if f"/{room}/" in nodeid]
        return rooms[0] if rooms else nodeid.split("::", maxsplit=1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByRoom:
    """End-to-end tests come first: they wait for servers while the others compute."""
    return ByRoom(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A team's servers, which take minutes, come after a third of all: at the end one process would run them alone."""
    team = [item for item in items if item.nodeid.startswith("tests/team/")]
    others = [item for item in items if not item.nodeid.startswith("tests/team/")]
    third = len(others) // 3
    items[:] = [*others[:third], *team, *others[third:]]


@event.listens_for(Engine, "connect")
def _wait_for_no_disk(connection: object, _: object) -> None:
    """MLflow's database outlives a killed process also so; only a crash of the machine would lose what it has."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


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


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts, even where the tests were started in the background: shells have it ignored there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def _database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database, made once: its tables take seconds."""
    from faceswap.tracking import connect

    folder = tmp_path_factory.mktemp("database")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACESWAP_HOME", str(folder))
        patch.setenv("FACESWAP_EXPERIMENT", "template")
        settings.cache_clear()
        connect()
        settings.cache_clear()
    return folder / "mlflow.db"


@pytest.fixture
def database(_database: Path, home: Path) -> Path:
    """A copy of the empty MLflow database in the test's state folder."""
    home.mkdir(exist_ok=True)
    return Path(shutil.copy(_database, home / "mlflow.db"))


@pytest.fixture(scope="session")
def real_faces() -> Path:
    """The folder of real test footage; it is not part of the project."""
    if not (_FACES / "person-a.mp4").exists():
        pytest.skip(f"no real test footage in {_FACES} (set FACESWAP_TEST_FACES)")
    return _FACES
