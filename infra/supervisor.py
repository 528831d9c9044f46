"""Processes that belong together: one that dies is started again a few times, then what needs it is stopped as well."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from infra.process_log import ProcessLog

RESTARTS = 5
FIRST_PAUSE = 1.0
"""So often one that died is started again, 1, 2, 4, 8 and 16 s later."""
_STEADY_SECONDS = 300.0
"""One that ran this long before it died has its restarts anew."""
_STOP_SECONDS = 45.0
"""Then what has not stopped is killed. A training that is stopped saves a checkpoint first."""
_SERVERS_LATEST = 35.0
"""Then servers are stopped although a client of theirs still runs, s."""
_TICK = 0.2


@dataclass
class _Child:
    """A process as it is now."""

    command: str
    environment: Mapping[str, str]
    process: "subprocess.Popen[str] | None" = None
    since: float = 0.0
    restarts: int = 0
    due: float | None = None
    """When it is started again, on the monotonic clock."""
    stopped: bool = False
    """It was told to stop."""
    groups: list[int] = field(default_factory=list)
    """Process groups of its lives so far that are not empty."""

    @property
    def runs(self) -> bool:
        return self.process is not None


class Supervisor:
    """Runs processes until it is told to stop, or until none is left.

    Args:
        log: takes what they print.
        needs: name -> the processes that it can't work without.
        said: called with a line about what happened to them.
        outliving: those whose own children go on when they die; of others the children are killed.
    """

    def __init__(
        self,
        log: ProcessLog,
        needs: Mapping[str, tuple[str, ...]],
        said: Callable[[str], None],
        outliving: Collection[str] = (),
    ) -> None:
        self.log, self.needs, self.said, self.outliving = log, needs, said, outliving
        self.steady = False
        """To be set once all have answered: until then the first that dies ends all."""
        self.given_up: list[str] = []
        """Those that died and are not started again, in that order."""
        self.told = False
        """A signal told it to stop."""
        self._children: dict[str, _Child] = {}
        self._stopping: float | None = None

    def add(self, name: str, command: str, environment: Mapping[str, str]) -> None:
        """Add a process, as a command of the shell; it starts with :meth:`run`."""
        self._children[name] = _Child(command, environment)

    def stop(self) -> None:
        """Stop all, those that need others first; returns at once."""
        if self._stopping is None:
            self._stopping = time.monotonic()

    def run(self) -> None:
        """Start all, and return once none runs any more; SIGINT and SIGTERM stop them."""
        kept = {number: signal.signal(number, self._told) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for name in self._children:
                self._start(name)
            while any(one.runs or one.due is not None for one in self._children.values()):
                time.sleep(_TICK)
                self._bury()
                if self._stopping is None:
                    self._start_what_is_due()
                else:
                    self._wind_down(time.monotonic() - self._stopping)
        finally:
            for child in self._children.values():  # what outlived its parent
                self._signal_groups(child, signal.SIGTERM)
            for number, handler in kept.items():
                signal.signal(number, handler)

    def _told(self, number: int, _: object) -> None:
        self._note(f"{signal.Signals(number).name} received")
        self.told = True
        self.stop()

    def _start(self, name: str) -> None:
        child = self._children[name]
        process = subprocess.Popen(
            child.command,
            shell=True,
            env=dict(child.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C in the terminal reaches this process alone
        )
        child.process, child.since, child.due = process, time.monotonic(), None
        child.groups.append(process.pid)
        threading.Thread(target=self._read, args=(name, process), name=f"log of {name}", daemon=True).start()
        self._note(f"{name} started (pid {process.pid})")

    def _read(self, name: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.log.write(name, line)

    def _bury(self) -> None:
        """Notice which have ended."""
        for name, child in self._children.items():
            child.groups = [group for group in child.groups if _lives(group)]
            if child.process is not None and (code := child.process.poll()) is not None:
                child.process = None
                self._note(f"{name} stopped (return code {code})")
                if self._stopping is None and not child.stopped:
                    self._died(name, code)

    def _died(self, name: str, code: int) -> None:
        child = self._children[name]
        if not self.steady:
            self.given_up.append(name)
            self.stop()
            return
        if time.monotonic() - child.since >= _STEADY_SECONDS:
            child.restarts = 0
        if child.restarts < RESTARTS:
            wait = FIRST_PAUSE * 2**child.restarts
            child.restarts += 1
            child.due = time.monotonic() + wait
            self._say(
                f"{name} died (return code {code}); it is started again in {wait:.0f} s, "
                f"try {child.restarts} of {RESTARTS}"
            )
            return
        self.given_up.append(name)
        self._say(f"{name} died {RESTARTS + 1} times and is given up; see {self.log.file(name)}")
        for other in self._that_need(name):
            self._say(f"{other} is stopped: it does not work without {name}")
            self._children[other].due = None
            self._tell_to_stop(other)

    def _start_what_is_due(self) -> None:
        for name, child in self._children.items():
            if child.due is not None and time.monotonic() >= child.due:
                if name not in self.outliving:
                    self._signal_groups(child, signal.SIGKILL)  # a server's children hold its port
                self._start(name)

    def _wind_down(self, waited: float) -> None:
        """Those that nobody needs first: a training that is stopped still tells the servers where it is."""
        running = [name for name, child in self._children.items() if child.runs]
        for name, child in self._children.items():
            child.due = None
            if name not in running:
                continue
            used = any(other in running for other in self._that_need(name))
            if waited > _STOP_SECONDS:
                self._signal_groups(child, signal.SIGKILL)
            elif not child.stopped and (not used or waited > _SERVERS_LATEST):
                self._tell_to_stop(name)

    def _that_need(self, name: str) -> list[str]:
        return [other for other, needed in self.needs.items() if name in needed]

    def _tell_to_stop(self, name: str) -> None:
        child = self._children[name]
        child.stopped = True
        self._note(f"{name} is told to stop")
        self._signal_groups(child, signal.SIGTERM)

    def _signal_groups(self, child: _Child, number: signal.Signals) -> None:
        for group in child.groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)

    def _say(self, text: str) -> None:
        self._note(text)
        self.said(text)

    def _note(self, text: str) -> None:
        self.log.write("up", text)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
