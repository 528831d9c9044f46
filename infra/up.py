"""Start all servers from the Procfile, say when they answer, keep them running, stop them together."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files

from faceswap.errors import FaceswapError, SettingsError
from faceswap.settings import settings
from infra.environments import note, process_environment, running_environment, write_note
from infra.flow_runs import flows_are_served
from infra.process_log import ProcessLog
from infra.services import check_ports, services
from infra.supervisor import Supervisor

_NEEDS = {"flows": ("mlflow", "prefect")}
"""The app serves what it has loaded without MLflow, too."""
_START_SECONDS = 600
"""The first start on a busy machine compiles much Python; 2 busy cores took over 300 s."""


class ServerError(FaceswapError):
    """A server died or does not start."""


def up(
    ready: Callable[[], None],
    waiting: Callable[[list[str]], None],
    said: Callable[[str], None],
    verbose: bool = False,
) -> None:
    """Run the servers until Ctrl-C, or until none is left.

    Args:
        ready: called once all answer.
        waiting: called now and then with the names of those that don't yet.
        said: called with a line when one has died: it is started again, or given up.
        verbose: print what the servers print.

    Raises:
        SettingsError: a port is in use, or the servers of this home folder run already.
        ServerError: one died before all answered, does not answer, or all died; says which and why.
    """
    home = settings().home_path
    home.mkdir(parents=True, exist_ok=True)
    if running_environment():
        raise SettingsError(
            f"The servers of {home} run already", "`faceswap status` shows them; stop them with Ctrl-C there"
        )
    check_ports()
    (home / "prefect").mkdir(exist_ok=True)
    log = ProcessLog(home / "logs", verbose)
    supervisor = Supervisor(log, _NEEDS, said, outliving={"flows"})
    for name, command in procfile().items():
        supervisor.add(name, command, process_environment(name))
    watch = _Watch(supervisor, ready, waiting)
    with _noted(), watch:
        supervisor.run()
    if watch.late:
        raise ServerError(
            f"{', '.join(watch.late)} did not answer within {_START_SECONDS} s", f"look at {log.folder}"
        )
    if supervisor.given_up and not supervisor.told:
        dead = supervisor.given_up[0]
        lines = "\n  ".join(log.last(dead))
        raise ServerError(
            f"{dead} died, so the others were stopped. Its last words:\n  {lines}",
            f"the whole log is {log.file(dead)}",
        )


def procfile() -> dict[str, str]:
    """The processes by name, each with its command, in the order in which they start."""
    lines = files("infra").joinpath("Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines) if command}


@contextmanager
def _noted() -> Iterator[None]:
    """Commands on this home folder find the servers while the block runs."""
    write_note()
    try:
        yield
    finally:
        note().unlink(missing_ok=True)


class _Watch:
    """Asks the servers for their health, in a thread, while the supervisor runs in the main one."""

    def __init__(
        self, supervisor: Supervisor, ready: Callable[[], None], waiting: Callable[[list[str]], None]
    ) -> None:
        self.supervisor, self.ready, self.waiting = supervisor, ready, waiting
        self.late: list[str] = []
        self._over = threading.Event()

    def __enter__(self) -> None:
        threading.Thread(target=self._run, daemon=True, name="health").start()

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _run(self) -> None:
        """Until all answer, or time is up."""
        deadline = time.monotonic() + _START_SECONDS
        known = services()
        missing = [*known, "flows"]
        while not self._over.wait(0.5):
            missing = [name for name in missing if name == "flows" or not known[name].healthy()]
            if missing == ["flows"] and flows_are_served(known["prefect"].url):
                missing = []
            if not missing:
                self.supervisor.steady = True
                self.ready()
                return
            self.waiting(missing)
            if time.monotonic() > deadline:
                self.late = missing
                self.supervisor.stop()
                return
