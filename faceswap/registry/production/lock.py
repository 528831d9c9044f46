"""One process at a time may move the aliases of a model.

MLflow's aliases and tags are overwritten without a question, so a lock made of a tag ("write my name, read it
again") is only as good as its waiting time. What MLflow's database does refuse is a second registered model of the
same name: creating ``lock.face-<identity>`` succeeds for exactly one process, on SQLite and behind a server alike,
on one machine or many, and needs no other service. (Prefect's concurrency limits would need one Prefect server for
everybody who promotes, the command line included.) It is held for the second in which aliases move, not while
versions are measured or a person is asked: who moves them checks again that production is what was measured.

A process that dies leaves its lock behind.

- On the same machine nobody waits for it: a file lock under the home folder comes first, which the system lifts
  when a process ends. So whoever has the file lock and finds a lock from the same home knows that its owner is gone.
- Elsewhere a lock that has not changed owner for ``LEASE`` seconds of watching, by the watcher's own clock, is taken
  away by renaming it to its owner's number. Two who watch the same dead lock rename to the same name: the database
  refuses the second, who would otherwise take the first one's new lock away. Releasing is a rename as well, for the
  same reason. An owner that overslept its lease notices in ``confirm``, before production moves.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from faceswap.errors import RegistryError
from faceswap.settings import settings
from faceswap.tracking import connect

logger = logging.getLogger(__name__)
LEASE = 120.0
"""Seconds after which a lock of another machine counts as left behind."""
_POLL = 0.25


@dataclass
class Lock:
    """The right to move the aliases of one model."""

    client: MlflowClient
    model: str
    place: str
    owner: str = field(default_factory=lambda: uuid4().hex)

    @property
    def name(self) -> str:
        """The registered model that stands for the lock."""
        return f"lock.{self.model}"

    @property
    def _text(self) -> str:
        return f"{self.owner} {self.place} moves aliases of {self.model}"

    def _grave(self, owner: str) -> str:
        return f"{self.name}~{owner}"  # no identity has a ~ in its name

    def confirm(self) -> None:
        """Make sure that nobody has taken the lock away.

        Raises:
            RegistryError: somebody has.
        """
        if self._owner()[0] != self.owner:
            raise RegistryError(
                f"Another process took over {self.model}, because this one did not answer for {LEASE:.0f} s",
                "repeat the command",
            )

    def take(self) -> bool:
        """Create the lock; False where it exists."""
        try:
            self.client.create_registered_model(self.name, description=self._text)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                # The answer may have been lost after the lock was made; nobody else knows this number.
                if self._owner()[0] == self.owner:
                    return True
                raise
            return False
        return True

    def release(self) -> None:
        """Remove the lock, if it is still this one."""
        if self.take_away(self.owner):
            with suppress(MlflowException):
                self.client.delete_registered_model(self._grave(self.owner))

    def take_away(self, owner: str) -> bool:
        """Rename the lock to its owner's number; False where that happened before."""
        try:
            self.client.rename_registered_model(self.name, self._grave(owner))
        except MlflowException:
            return False
        return True

    def _owner(self) -> tuple[str, str]:
        """Number and place of whoever has the lock; empty where nobody has."""
        try:
            text = self.client.get_registered_model(self.name).description or ""
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return "", ""
        owner, place = [*text.split(" ", 2), "", ""][:2]
        return owner, place

    def wait(self, seconds: float) -> None:
        """Take the lock as soon as it is free or left behind.

        Raises:
            RegistryError: others had it all the time.
        """
        seen, since = "", time.monotonic()
        deadline = since + seconds
        while not self.take():
            now = time.monotonic()
            owner, place = self._owner()
            if owner != seen:
                seen, since = owner, now
            if owner and (place == self.place or now - since >= LEASE):
                logger.warning("Taking over %s from a process that is gone", self.model)
                self.take_away(owner)
                self._sweep(keep=owner)
                continue
            if now >= deadline:
                raise RegistryError(
                    f"Others have been moving the aliases of {self.model} for {seconds:.0f} s",
                    f"wait for them; if nobody is, delete the registered model {self.name!r} in MLflow",
                )
            time.sleep(_POLL)

    def _sweep(self, keep: str) -> None:
        """Delete what earlier take-overs left; the newest stays, it is what holds off a second taker."""
        for found in self.client.search_registered_models(f"name LIKE '{self._grave('%')}'"):
            if found.name.startswith(self._grave("")) and found.name != self._grave(keep):
                with suppress(MlflowException):
                    self.client.delete_registered_model(found.name)


@contextmanager
def locked(name: str, wait: float = LEASE + 60) -> Iterator[Lock]:
    """Hold the lock of a model around a block.

    Args:
        name: of the registered model.
        wait: seconds to wait for others.

    Raises:
        RegistryError: others have the lock all the time, or MLflow does not answer.
    """
    client = connect()
    folder = settings().home_path / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{name}.lock", timeout=wait):
            lock = Lock(client, name, _place(folder))
            try:
                lock.wait(wait)
            except MlflowException as error:
                raise RegistryError(f"MLflow at {settings().tracking} gives no lock: {error}") from error
            try:
                yield lock
            finally:
                with suppress(MlflowException):
                    lock.release()
    except Timeout as error:
        raise RegistryError(
            f"Another process of this machine has been moving the aliases of {name} for {wait:.0f} s",
            "wait for it, then repeat the command",
        ) from error


def _place(folder: Path) -> str:
    """The number of this home folder, drawn once: equal numbers share the file locks."""
    file = folder / "place"
    with FileLock(folder / "place.lock"):
        if not file.exists():
            file.write_text(uuid4().hex)
    return file.read_text()
