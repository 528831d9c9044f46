"""A run that goes on says so: Prefect's server takes for lost whose heartbeats it could not take while it was away."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import PrefectException
from prefect.states import Running

logger = logging.getLogger(__name__)
LOST = "No heartbeat: the process of this run is gone."
"""Why a run has crashed, in Prefect (see :func:`flows.watch.watch_heartbeats`)."""
_EVERY_SECONDS = 10.0
_LAST_PATIENCE = 5.0
"""Seconds that the end of a run waits for a question that is under way."""


def took_for_lost(state: State | None) -> bool:
    """Whether a state is that of a run of which Prefect has not heard."""
    return state is not None and state.type == StateType.CRASHED and state.message == LOST


@contextmanager
def staying(flow_run: str) -> Iterator[None]:
    """While the block runs, so does its run in Prefect.

    Args:
        flow_run: its id; empty: there is none.
    """
    over = threading.Event()
    logs_with_run = copy_context().run
    watch = threading.Thread(target=logs_with_run, args=(_watch, flow_run, over), daemon=True, name="staying")
    if flow_run:
        watch.start()
    try:
        yield
    finally:
        over.set()
        if flow_run:
            watch.join(_LAST_PATIENCE)


def _watch(flow_run: str, over: threading.Event) -> None:
    while not over.wait(_EVERY_SECONDS):
        with (
            suppress(httpx.HTTPError, PrefectException, OSError, RuntimeError),  # it is away: later
            get_client(sync_client=True) as client,
        ):
            if took_for_lost(client.read_flow_run(UUID(flow_run)).state) and not over.is_set():
                client.set_flow_run_state(UUID(flow_run), Running(), force=True)
                logger.warning("Prefect had not heard of this run and took it for lost; it goes on.")
