"""Which versions there are and which one an alias means, kept up to date while the app runs.

A thread lists the registry every few seconds, without the people whose consent allows no swaps. When an alias that
somebody uses has moved, the new version is loaded first and serves then; where it can't be loaded, the old one goes on
and the answer says so. A lost MLflow server changes nothing for what is loaded.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faceswap import registry
from faceswap.errors import FaceswapError, RegistryError, TrackingError
from faceswap.registry import Listed, LoadedVersion, Version
from serving.loaded_versions import Memory

logger = logging.getLogger(__name__)
_RETRY = 30.0
"""Seconds after which a version that could not be loaded is tried again."""


@dataclass(frozen=True)
class Served:
    """A version that is ready, and what the user should know about it."""

    loaded: LoadedVersion
    row: Listed
    notice: str = ""


@dataclass(frozen=True)
class State:
    """The registry as it was last seen."""

    rows: tuple[Listed, ...] = ()
    problem: str = ""
    """Why it could not be listed the last time; empty: it could."""
    listed: float = 0.0
    """When it was last listed, seconds since 1970; 0: never."""

    @property
    def identities(self) -> list[str]:
        """Everybody of whom there is a version, sorted."""
        return sorted({row.version.identity for row in self.rows})

    def of(self, identity: str) -> list[Listed]:
        """The versions of an identity, newest first."""
        return [row for row in self.rows if row.version.identity == identity]

    def choices(self, identity: str) -> list[str]:
        """Aliases (production first) and numbers (newest first) that a user can choose."""
        rows = self.of(identity)
        aliases = sorted({a for row in rows for a in row.aliases}, key=lambda a: (a != "production", a))
        return aliases + [str(row.version.version) for row in rows]

    def find(self, identity: str, choice: str) -> Listed:
        """The version that an alias or a number means.

        Raises:
            RegistryError: there is none.
        """
        for row in self.of(identity):
            if choice in row.aliases or choice == str(row.version.version):
                return row
        if not self.of(identity):
            known = ", ".join(self.identities) or "nobody"
            raise RegistryError(
                f"No version of {identity!r} is registered; there is {known}", "choose one of these, or train"
            )
        known = ", ".join(self.choices(identity))
        raise RegistryError(f"{identity} has no version {choice!r}", f"choose one of: {known}")


def _load(row: Listed) -> LoadedVersion:
    return registry.load(row.version)


class Catalogue:
    """The versions that the app serves; safe to use from several threads.

    Args:
        memory_mb: for the weights of loaded versions.
        every: seconds between two looks at the registry.
        listing, load: of the registry.
        clock: seconds, for the retries.
    """

    def __init__(
        self,
        memory_mb: int = 1000,
        every: float = 4.0,
        *,
        listing: Callable[[], Sequence[Listed]] = registry.allowed_versions,
        load: Callable[[Listed], LoadedVersion] = _load,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.memory = Memory(memory_mb * 1_000_000, load)
        self.every = every
        self._listing, self._clock = listing, clock
        self._state = State()
        self._serving: dict[tuple[str, str], Version] = {}
        self._failed: dict[Version, tuple[str, float]] = {}
        self._lock, self._refreshing = threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> State:
        """What was last seen; nothing is asked."""
        return self._state

    def start(self) -> None:
        """Look now, and then every few seconds in a thread."""
        self.refresh()
        self._stop.clear()
        self._thread = threading.Thread(target=self._watch, name="catalogue", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=self.every + 1)

    def _watch(self) -> None:
        while not self._stop.wait(self.every):
            try:
                self.refresh()
            except Exception:  # the thread has to outlive whatever one look meets
                logger.exception("The registry could not be looked at")

    def refresh(self) -> State:
        """List the registry and load what used aliases mean now. A lost server is noted, not raised."""
        with self._refreshing:
            try:
                rows = tuple(self._listing())
            except FaceswapError as error:
                if not self._state.problem:
                    logger.warning("The registry does not answer: %s", error.message)
                self._state = State(self._state.rows, error.message, self._state.listed)
                return self._state
            self._state = State(rows, "", time.time())
            self.memory.keep_only(rows)
            with self._lock:
                used = list(self._serving.items())
            for (identity, alias), serving in used:
                self._follow(identity, alias, serving)
        return self._state

    def get(self, identity: str, choice: str = "production") -> Served:
        """The version to swap with.

        Args:
            identity: whose likeness.
            choice: an alias, or the number of a version.

        Raises:
            RegistryError: there is no such version, or it can't be loaded and none served before.
            TrackingError: MLflow does not answer and the version is not loaded.
        """
        state = self._state if self._state.listed else self.refresh()
        if not state.rows and state.problem:
            raise TrackingError(state.problem, "start the MLflow server, or correct FACESWAP_TRACKING_URI")
        wanted = state.find(identity, choice)
        if choice.isdecimal():
            return Served(self.memory.get(wanted), wanted)
        with self._lock:
            serving = self._serving.get((identity, choice))
        row = next((row for row in state.of(identity) if row.version == serving), None)
        if row is None or row == wanted:
            served = Served(self.memory.get(wanted), wanted)
            with self._lock:
                self._serving[identity, choice] = wanted.version
            return served
        # The alias has moved: the watching thread loads the new version, until then the old one serves.
        return Served(self.memory.get(row), row, self._why_old(choice, row, wanted))

    def coming(self, identity: str, choice: str) -> str:
        """What :meth:`get` will do, in words."""
        try:
            row = self._state.find(identity, choice)
        except RegistryError:
            return "looking for the version"
        known = row.tags.get("decoder_digest", str(row.version)) in self.memory.digests
        return f"taking {row.version}" if known else f"loading {row.version}, which is new here: some seconds"

    def _follow(self, identity: str, alias: str, serving: Version) -> None:
        """Load the version that an alias has moved to, then let it serve."""
        try:
            wanted = self._state.find(identity, alias)
        except RegistryError:  # the alias was deleted: the next request says so
            with self._lock:
                self._serving.pop((identity, alias), None)
            return
        failed = self._failed.get(wanted.version)
        if wanted.version == serving or (failed and self._clock() - failed[1] < _RETRY):
            return
        try:
            self.memory.get(wanted)
        except FaceswapError as error:
            self._failed[wanted.version] = error.message, self._clock()
            logger.warning("%s@%s moved to %s: %s", identity, alias, wanted.version, error.message)
            return
        self._failed.pop(wanted.version, None)
        with self._lock:
            self._serving[identity, alias] = wanted.version
        logger.info("%s@%s is now %s", identity, alias, wanted.version)

    def _why_old(self, alias: str, row: Listed, wanted: Listed) -> str:
        failed = self._failed.get(wanted.version)
        if failed is None:
            return (
                f"{alias} has just moved to {wanted.version}, which is being loaded; this is {row.version}."
            )
        return f"{alias} means {wanted.version}, which can't be loaded; {row.version} goes on serving. {failed[0]}"
