"""Slots of one of Prefect's global limits, held by a lease for as long as a training takes.

Prefect's own ``concurrency`` gives a slot up for good once its server was away for some minutes, and fails at its end
where the server is away: with it the training whose versions are still to be registered.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.exceptions import PrefectException

logger = logging.getLogger(__name__)
_LEASE = 60.0
"""Seconds after which the server gives the slot of a run away that has not renewed its lease: the least it allows."""
_RENEW, _AGAIN = 20.0, 5.0
"""Seconds between two renewals, and until the next try where one did not succeed or no slot is free."""
_LAST_PATIENCE = 10.0
"""Seconds that the end of a training waits for the server to take the slot back; else the lease ends by itself."""
_AWAY = (httpx.HTTPError, PrefectException, OSError, RuntimeError)
"""What Prefect's client raises where its server does not answer or refuses."""


@contextmanager
def slot(name: str, flow_run: str, count: int = 1) -> Iterator[None]:
    """Hold slots of a limit for a block; waits until as many are free.

    A server that is away later ends nothing: the block goes on, and the slot is taken anew as soon as that can be.

    Args:
        name: of the limit.
        flow_run: id of the run that holds them; empty: none.
        count: of slots, no more than the limit has.

    Raises:
        httpx.HTTPError: at the beginning, the server does not answer, or refuses.
    """
    holder = ConcurrencyLeaseHolder(type="flow_run", id=UUID(flow_run)) if flow_run else None
    with get_client(sync_client=True) as client:
        while (lease := _take(client, name, holder, count)) is None:
            time.sleep(_AGAIN)
    over = threading.Event()
    logs_with_run = copy_context().run
    keeper = threading.Thread(
        target=logs_with_run, args=(_keep, name, holder, lease, over, count), daemon=True, name=name
    )
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join(_LAST_PATIENCE)


def _take(
    client: SyncPrefectClient, name: str, holder: ConcurrencyLeaseHolder | None, count: int
) -> UUID | None:
    """A lease of so many slots; None: too few are free."""
    try:
        answer = client.increment_concurrency_slots_with_lease([name], count, "concurrency", _LEASE, holder)
    except httpx.HTTPStatusError as error:
        if error.response.status_code == httpx.codes.LOCKED:
            return None
        raise
    return UUID(answer.json()["lease_id"])


def _keep(
    name: str,
    holder: ConcurrencyLeaseHolder | None,
    lease: UUID | None,
    over: threading.Event,
    count: int,
) -> None:
    """Renew a lease until it is over, then give it back; one that has ended meanwhile is taken anew."""
    pause = _RENEW
    while not over.wait(pause):
        try:
            with get_client(sync_client=True) as client:
                if lease is None:
                    lease = _take(client, name, holder, count)
                else:
                    client.renew_concurrency_lease(lease, _LEASE)
            pause = _AGAIN if lease is None else _RENEW
        except _AWAY as error:
            pause = _AGAIN
            if getattr(getattr(error, "response", None), "status_code", 0) in {404, 410}:
                logger.warning("Prefect has given this training's slot away; it goes on, and takes the next.")
                lease = None
    with suppress(*_AWAY), get_client(sync_client=True) as client:
        if lease is not None:
            client.release_concurrency_slots_with_lease(lease)
