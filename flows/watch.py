"""No run stays "running" for ever: Prefect's runs by their heartbeat, MLflow's runs by Prefect's."""

import asyncio
import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import PrefectException

from faceswap import tracking
from faceswap.errors import FaceswapError
from flows.staying import LOST, took_for_lost

logger = logging.getLogger(__name__)
_AUTOMATION = "faceswap: runs without a heartbeat have crashed"
_SILENCE = timedelta(seconds=45)
"""The heartbeat comes every 30 s (flows/__init__.py): after this long without, a run has crashed."""
_EVERY_SECONDS = 20.0
_GRACE = timedelta(seconds=30)
"""So long a run that Prefect took for lost may say that it goes on, before its MLflow runs end."""
_AT_ONCE = 200
"""As many flow runs as Prefect's server gives at a time; the others have their turn later."""
_ENDED = {
    StateType.COMPLETED: "FINISHED",
    StateType.FAILED: "FAILED",
    StateType.CRASHED: "FAILED",
    StateType.CANCELLED: "KILLED",
}


def watch_heartbeats() -> None:
    """Make sure that the server marks runs without a heartbeat as crashed, also when the serving process is gone."""
    automation = Automation(
        name=_AUTOMATION,
        description="A flow run whose process is gone never says so itself.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={
                "prefect.flow-run.heartbeat",
                *(
                    f"prefect.flow-run.{name}"
                    for name in ("Completed", "Failed", "Cancelled", "Crashed", "Paused")
                ),
            },
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=_SILENCE,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=LOST)],
    )
    asyncio.run(_keep(automation))


async def _keep(automation: Automation) -> None:
    try:
        existing = await Automation.aread(name=_AUTOMATION)
    except ValueError:
        await automation.acreate()
        return
    automation.id = existing.id
    if existing != automation:  # an update forgets which runs the server waits for
        await automation.aupdate()


def close_mlflow_runs(flow: Any, flow_run: FlowRun, state: State[Any]) -> None:
    """Hook of a flow that crashes or is cancelled: its MLflow runs end with it."""
    del flow
    for run_id, owner in tracking.running_flow_runs().items():
        if owner == str(flow_run.id) and state.type in _ENDED:
            tracking.end_run(run_id, _ENDED[state.type])


def close_orphans() -> int:
    """End the MLflow runs whose process or whose Prefect run has ended; returns how many."""
    closed = len(tracking.end_dead_runs())
    running = tracking.running_flow_runs()
    if not running:
        return closed
    owners = sorted(set(running.values()))[:_AT_ONCE]
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[UUID(one) for one in owners])),
            sort=FlowRunSort.ID_DESC,  # the client's own defaults are refused by the server
            limit=_AT_ONCE,
        )
    ended = {
        str(one.id): _ENDED[one.state.type]
        for one in found
        if one.state and one.state.type in _ENDED and not _may_go_on(one.state)
    }
    for run_id, owner in running.items():
        if owner in ended:
            tracking.end_run(run_id, ended[owner])
            closed += 1
    return closed


def _may_go_on(state: State[Any]) -> bool:
    return took_for_lost(state) and datetime.now(UTC) - state.timestamp < _GRACE


def keep_watch() -> None:
    """Call :func:`close_orphans` now and then, in a thread; a server that is away is asked again later."""

    def watch() -> None:
        while True:
            try:
                close_orphans()
            except (FaceswapError, PrefectException, httpx.HTTPError, OSError, RuntimeError) as error:
                logger.warning("Runs can't be looked through: %s", error)
            time.sleep(_EVERY_SECONDS)

    threading.Thread(target=watch, daemon=True, name="watch").start()
