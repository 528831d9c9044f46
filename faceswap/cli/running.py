"""How a command does its job: as a flow where a Prefect API is, else in this process without Prefect."""

import logging
import os
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel

from faceswap.cli.common import quiet_imports
from faceswap.errors import FaceswapError

logger = logging.getLogger(__name__)
Given = TypeVar("Given")
Result = TypeVar("Result")


def run(name: str, parameters: BaseModel) -> Any:
    """Do the job of that name in :mod:`faceswap.jobs`, and return its result.

    With PREFECT_API_URL, which the user or ``faceswap up`` has set, it is a flow run and shows in Prefect's UI.

    Raises:
        SettingsError: the API does not take the login.
        PrefectError: the API does not answer, or was lost on the way.
    """
    url = os.environ.get("PREFECT_API_URL", "")
    with _sigterm_as_ctrl_c():
        return _as_flow(name, url)(parameters) if url else _as_job(name)(parameters)


def forget_in_prefect(ids: Collection[str]) -> int:
    """Delete what Prefect's pages show of runs and face sets; returns how many pictures, notes and tables.

    Without PREFECT_API_URL nothing is known there.

    Raises:
        SettingsError, PrefectError: as :func:`run`.
    """
    url = os.environ.get("PREFECT_API_URL", "")
    if not url:
        return 0
    from infra.prefect_api import check_api

    check_api(url)
    with quiet_imports():
        from flows.erasing import forget_artifacts
    return _told(url, forget_artifacts)(ids)


def _as_job(name: str) -> Callable[[BaseModel], Any]:
    with quiet_imports():
        from faceswap import jobs

        found: Callable[[BaseModel], Any] = getattr(jobs, name)
        return found


def _as_flow(name: str, url: str) -> Callable[[BaseModel], Any]:
    from infra.prefect_api import check_api

    check_api(url)
    with quiet_imports():
        from flows import flows

    return _told(url, getattr(flows, name))


def _told(url: str, function: Callable[[Given], Result]) -> Callable[[Given], Result]:
    """What Prefect's client raises becomes our error."""
    from infra.prefect_api import WITHOUT, PrefectError

    def call(given: Given) -> Result:
        try:
            return function(given)
        except Exception as error:
            if not _is_prefects(error):
                raise
            first = (str(error) or type(error).__name__).splitlines()[0]
            if (own := _own_behind(error)) is not None:
                logger.warning("Prefect at %s (PREFECT_API_URL) was not told of what follows: %s", url, first)
                raise own from error
            raise PrefectError(
                f"Prefect at {url} (PREFECT_API_URL) failed: {first}",
                f"what was registered in MLflow stays; look after the server, or {WITHOUT}",
            ) from error

    return call


def _own_behind(error: BaseException | None) -> FaceswapError | None:
    """What ended the job, where Prefect's server then did not take that it had."""
    while error is not None:
        if isinstance(error, FaceswapError):
            return error
        error = error.__context__
    return None


def _is_prefects(error: BaseException) -> bool:
    """Whether Prefect's client raised it, or what that is built on, because of its server."""
    kind = type(error)
    room = kind.__module__.partition(".")[0]
    return room in {"prefect", "httpx", "httpcore"} or (
        kind is RuntimeError and "Failed to reach API" in str(error)
    )


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """SIGTERM interrupts a job as Ctrl-C does, so that it saves; Prefect handles it itself while a flow runs."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread, as in tests
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
