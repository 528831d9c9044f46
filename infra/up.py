"""Start all servers from the Procfile with honcho, say when they answer, stop them together."""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import honcho.manager
from honcho.environ import parse_procfile
from honcho.printer import Message

from faceswap.errors import FaceswapError, SettingsError
from faceswap.settings import settings
from infra.environments import note, process_environment, running_environment, write_note
from infra.flow_runs import flows_are_served
from infra.services import check_ports, services

_CLIENTS = ("flows", "app")
_STOP_SECONDS = 45
"""Then what has not stopped is killed. A training that is stopped saves a checkpoint first."""
_START_SECONDS = 600


class ServerError(FaceswapError):
    """A server died or does not start."""


class _Manager(honcho.manager.Manager):
    """Stops those who use the servers first: a training that is stopped still tells them where it is."""

    _terminating: bool

    def terminate(self) -> None:
        """Send SIGTERM, to the servers last; returns at once."""
        if self._terminating:
            return
        self._terminating = True
        for name in _CLIENTS:
            if "pid" in self._processes[name] and "returncode" not in self._processes[name]:
                self._procmgr.terminate(self._processes[name]["pid"])
        threading.Thread(target=self._stop_servers, daemon=True).start()

    def _stop_servers(self) -> None:
        deadline = time.monotonic() + _STOP_SECONDS - 10
        while any("returncode" not in self._processes[name] for name in _CLIENTS):
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        self._killall()


class _Log:
    """honcho's printer: every process writes to a log file of its own; the last lines are kept."""

    width = 0

    def __init__(self, folder: Path, verbose: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.verbose = folder, verbose
        self.last: dict[str, deque[str]] = {}
        self.stopped: list[str] = []

    def write(self, message: Message) -> None:
        """Take a line of a process."""
        text = message.data.decode(errors="replace") if isinstance(message.data, bytes) else message.data
        name = message.name or "system"
        if name == "system" and " stopped (rc=" in text:
            self.stopped.append(text.strip())
        self.last.setdefault(name, deque(maxlen=12)).append(text.rstrip())
        with (self.folder / f"{name}.log").open("a") as file:
            file.write(f"{message.time:%Y-%m-%d %H:%M:%S} {text.rstrip()}\n")
        if self.verbose:
            sys.stdout.write(f"{name:>8} | {text.rstrip()}\n")
            sys.stdout.flush()


def up(ready: Callable[[], None], waiting: Callable[[list[str]], None], verbose: bool = False) -> None:
    """Run the servers until Ctrl-C or until one dies.

    Args:
        ready: called once all answer.
        waiting: called now and then with the names of those that don't yet.
        verbose: print what the servers print.

    Raises:
        SettingsError: a port is in use, or the servers of this home folder run already.
        ServerError: one died, or does not answer; says which and why.
    """
    home = settings().home_path
    home.mkdir(parents=True, exist_ok=True)
    if running_environment():
        raise SettingsError(
            f"The servers of {home} run already", "`faceswap status` shows them; stop them with Ctrl-C there"
        )
    check_ports()
    (home / "prefect").mkdir(exist_ok=True)
    log = _Log(home / "logs", verbose)
    honcho.manager.KILL_WAIT = _STOP_SECONDS
    manager = _Manager(log)
    for name, command in parse_procfile(files("infra").joinpath("Procfile").read_text()).processes.items():
        manager.add_process(name, command, env=process_environment(name))
    watch = _Watch(manager, ready, waiting)
    threading.Thread(target=watch.run, daemon=True).start()
    write_note()
    try:
        manager.loop()
    finally:
        watch.done = True
        note().unlink(missing_ok=True)
    if watch.late:
        raise ServerError(
            f"{', '.join(watch.late)} did not answer within {_START_SECONDS} s", f"look at {log.folder}"
        )
    if manager.returncode not in {0, 130, 143} or (log.stopped and manager.returncode == 0):
        dead = log.stopped[0].split()[0]
        lines = "\n  ".join(log.last.get(dead, ()))
        raise ServerError(
            f"{dead} died ({log.stopped[0]}), so the others were stopped. Its last words:\n  {lines}",
            f"the whole log is {log.folder / f'{dead}.log'}",
        )


class _Watch:
    """Asks the servers for their health while honcho's loop runs in the main thread."""

    def __init__(
        self,
        manager: honcho.manager.Manager,
        ready: Callable[[], None],
        waiting: Callable[[list[str]], None],
    ) -> None:
        self.manager, self.ready, self.waiting = manager, ready, waiting
        self.done = False
        self.late: list[str] = []

    def run(self) -> None:
        """Until all answer, or time is up."""
        deadline = time.monotonic() + _START_SECONDS
        known = services()
        missing = [*known, "flows"]
        while not self.done:
            missing = [name for name in missing if name == "flows" or not known[name].healthy()]
            if missing == ["flows"] and flows_are_served(known["prefect"].url):
                missing = []
            if not missing:
                self.ready()
                return
            self.waiting(missing)
            if time.monotonic() > deadline:
                self.late = missing
                self.manager.terminate()
                return
            time.sleep(0.5)
