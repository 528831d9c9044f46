"""A team's workers: deployments of a work pool, and a worker that takes them: ``python -m flows.pools --queue gpu``.

On one machine ``flows.deployments`` serves the flows from one process instead.
"""

import argparse
import json
import logging
import socket
import sys
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from prefect.cli import app as prefect_command
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists
from prefect.runner.storage import LocalStorage
from prefect.utilities.services import critical_service_loop
from prefect.workers import base

from faceswap.errors import FaceswapError, SettingsError
from flows.deployments import TRAINING_FLOWS, deployment_name, main_flows
from flows.prefect_monitor import TRAINING_SLOT, host_slot
from flows.watch import keep_watch, watch_heartbeats

logger = logging.getLogger(__name__)
POOL = "faceswap"
QUEUES = {"cpu": "all but trainings", "gpu": "trainings and searches, on hosts with a GPU"}
_OWN_TO_THE_WORKER = {"PREFECT_CLIENT_METRICS_ENABLED": "false"}
"""What runs do not take over from their worker: it shows its metrics on a port, which is taken then."""
KINDS = ("process", "docker", "kubernetes")
"""Of pools: runs are processes of the worker, containers beside it, or jobs of a cluster."""
_ROOT = Path(__file__).parents[1]


def queue_of(flow_name: str) -> str:
    """Trainings and searches wait for hosts with a GPU, all else for any."""
    return "gpu" if flow_name in TRAINING_FLOWS else "cpu"


def deployments(kind: str = "process") -> list[RunnerDeployment]:
    """One deployment of every flow for the pool.

    Args:
        kind: of the pool; workers of another kind than ``process`` find the code in their image.
    """
    found = []
    for flow in main_flows():
        deployment = RunnerDeployment.from_flow(
            flow,
            deployment_name(flow.name),
            work_pool_name=POOL,
            work_queue_name=queue_of(flow.name),
            tags=["training"] if flow.name in TRAINING_FLOWS else None,
            job_variables={"env": _OWN_TO_THE_WORKER} if kind == "process" else None,
        )
        deployment.entrypoint = f"flows/flows.py:{flow.name.replace('-', '_')}"
        deployment.storage = LocalStorage(str(_ROOT)) if kind == "process" else None
        found.append(deployment)
    return found


def template(kind: str) -> dict[str, Any]:
    """What a run is started with; empty: Prefect's own."""
    if kind == "process":
        return {}
    found: dict[str, Any] = json.loads(files("infra.team").joinpath("pools", f"{kind}.json").read_text())
    return found


def prepare(client: SyncPrefectClient, slots: int, kind: str = "process") -> None:
    """The pool, its queues, the limits of trainings, and the deployments; what is there is brought up to date.

    Args:
        client: of Prefect.
        slots: trainings at a time on this host.
        kind: of the pool, one of :data:`KINDS`.

    Raises:
        SettingsError: there is a pool of another kind.
    """
    with suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=POOL, type=kind, base_job_template=template(kind)))
    if (found := client.read_work_pool(POOL).type) != kind:
        raise SettingsError(
            f"The work pool {POOL} is of the kind {found}, not {kind}",
            f"delete it in Prefect, or say --kind {found}",
        )
    for name, text in QUEUES.items():
        with suppress(ObjectAlreadyExists):
            client.create_work_queue(name=name, work_pool_name=POOL, description=text)
    _limit(client, TRAINING_SLOT, 1)  # of hosts without a limit of their own
    _limit(client, host_slot(), slots)
    for deployment in deployments(kind):
        deployment.apply()


def _limit(client: SyncPrefectClient, name: str, slots: int) -> None:
    try:
        client.upsert_global_concurrency_limit_by_name(name, slots)
    except ObjectAlreadyExists:  # Prefect looks first and makes it then: another worker was between
        client.upsert_global_concurrency_limit_by_name(name, slots)


async def _for_ever(*given: Any, **more: Any) -> None:
    """Prefect's loop of a worker; its own ends after some minutes without the server, and trainings with the worker."""
    while True:
        try:
            return await critical_service_loop(*given, **more)
        except RuntimeError as error:
            logger.warning("Prefect's server is away; this worker and its runs go on without: %s", error)


def main() -> None:
    """Prepare the pool, then become its worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queue", choices=QUEUES, default="cpu")
    parser.add_argument("--slots", type=int, default=1, help="trainings at a time on this host, one a GPU")
    parser.add_argument(
        "--kind",
        choices=KINDS,
        default="process",
        help="where a run runs; only `process` starts a worker here, too",
    )
    given = parser.parse_args()
    with get_client(sync_client=True) as client:
        try:
            prepare(client, given.slots, given.kind)
        except FaceswapError as error:
            sys.exit(str(error))
    watch_heartbeats()
    if given.kind != "process":
        return
    keep_watch()  # while a worker lives, no run of MLflow stays "running" whose process or host is gone
    base.critical_service_loop = _for_ever  # type: ignore[attr-defined]
    name = f"{given.queue}-{socket.gethostname()}"
    words = ["worker", "start", "--pool", POOL, "--type", "process", "--name", name]
    sys.argv = ["prefect", *words, "--work-queue", given.queue, "--with-healthcheck"]
    prefect_command()


if __name__ == "__main__":
    main()
