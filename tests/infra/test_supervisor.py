"""Processes that die: started again, given up, what needs them stopped; the order in which all are stopped."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import supervisor as module
from infra.process_log import ProcessLog
from infra.supervisor import RESTARTS, Supervisor

LIVES = (
    'echo begins >> "$NAME"; '
    'trap "echo ends >> \\"$NAME\\"; date +%s%N > \\"$NAME.end\\"; exit 0" TERM; '
    "while :; do sleep 0.05; done"
)
DIES = 'echo begins >> "$NAME"; echo its last words; exit 7'


class Stage:
    """A supervisor in a thread, with the time between restarts made short."""

    def __init__(self, folder: Path, needs: dict[str, tuple[str, ...]]) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.log = ProcessLog(folder / "logs", verbose=False)
        self.supervisor = Supervisor(self.log, needs, self.said.append)

    def add(self, name: str, command: str) -> None:
        self.supervisor.add(name, command, os.environ | {"NAME": str(self.folder / name)})

    def lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().split() if file.exists() else []

    def run_until(self, check: Callable[[], bool]) -> None:
        def watch() -> None:
            for _ in range(1200):
                if check():
                    break
                time.sleep(0.05)
            self.supervisor.stop()

        threading.Thread(target=watch, daemon=True).start()
        self.supervisor.run()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)


def test_before_all_have_answered_the_first_that_dies_ends_all(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {})
    stage.add("good", LIVES)
    stage.add("bad", DIES)
    stage.run_until(lambda: False)
    assert stage.supervisor.given_up == ["bad"]
    assert stage.log.last("bad") == ["its last words"]
    assert stage.lines("bad") == ["begins"]


def test_later_it_is_started_again_and_then_only_what_needs_it_is_stopped(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"client": ("server",)})
    stage.supervisor.steady = True
    for name, command in (("server", DIES), ("client", LIVES), ("other", LIVES)):
        stage.add(name, command)
    stage.run_until(lambda: stage.supervisor.given_up == ["server"] and "ends" in stage.lines("client"))
    assert stage.lines("server") == ["begins"] * (RESTARTS + 1)
    assert stage.lines("client") == ["begins", "ends"]
    # the other ran on until all was stopped
    assert stage.lines("other") == ["begins", "ends"]
    assert int((tmp_path / "other.end").read_text()) > int((tmp_path / "client.end").read_text())
    told = "\n".join(stage.said)
    assert "server died (return code 7); it is started again" in told
    assert f"server died {RESTARTS + 1} times and is given up" in told
    assert "client is stopped: it does not work without server" in told
    assert "other" not in told


def test_one_that_was_killed_comes_back(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {})
    stage.supervisor.steady = True
    stage.add("server", 'echo $$ >> "$NAME"; exec sleep 600')

    def killed_once() -> bool:
        found = stage.lines("server")
        if len(found) == 1:
            os.kill(int(found[0]), signal.SIGKILL)
            while len(stage.lines("server")) < 2:
                time.sleep(0.05)
        return len(found) > 1

    stage.run_until(killed_once)
    assert len(stage.lines("server")) == 2
    assert stage.supervisor.given_up == []
    for pid in map(int, stage.lines("server")):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_clients_are_stopped_before_the_servers_they_need(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"client": ("server",)})
    stage.supervisor.steady = True
    stage.add("server", LIVES)
    stage.add("client", LIVES.replace("echo ends", "sleep 0.5; echo ends"))
    stage.run_until(lambda: bool(stage.lines("server") and stage.lines("client")))
    assert int((tmp_path / "client.end").read_text()) < int((tmp_path / "server.end").read_text())


def test_a_log_file_begins_anew_before_it_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.process_log._BYTES", 2000)
    log = ProcessLog(tmp_path, verbose=False)
    for number in range(400):
        log.write("server", f"line {number}")
    assert "line 399" in log.file("server").read_text()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 4
    assert all(file.stat().st_size <= 2000 for file in files)
