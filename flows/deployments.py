"""Serve all flows from one process, so that people start them in Prefect's UI: ``python -m flows.deployments``."""

import asyncio
from contextlib import suppress
from typing import Any

import psutil
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.sorting import DeploymentSort
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner

from faceswap import backend
from faceswap.process import cards
from flows.flows import (
    evaluate,
    learn_masks,
    pipeline,
    preprocess,
    pretrain,
    promote,
    rollback,
    swap,
    train,
    tune,
)
from flows.forms import keep_current
from flows.prefect_monitor import TRAINING_SLOT
from flows.watch import keep_watch, watch_heartbeats

_OLD_NAME = "faceswap"
"""All deployments were called so once; those are removed."""
_SAVE_SECONDS = 30
_TRAINING = (train, pipeline, pretrain, learn_masks)
TRAINING_FLOWS = frozenset(flow.name for flow in (*_TRAINING, tune))
"""Names of the flows that want a GPU, where there is one."""
_OTHER = (preprocess, evaluate, promote, rollback, swap)


def deployment_name(flow_name: str) -> str:
    """What a flow's deployment is called: ``prefect deployment run train/faceswap-train``."""
    return f"faceswap-{flow_name}"


def main_flows() -> tuple[Flow[..., Any], ...]:
    """The flows that are served."""
    return (*_TRAINING, tune, *_OTHER)


def deployments() -> list[RunnerDeployment]:
    """One deployment of every flow; those that train wait for each other, a slot a GPU, in ``training_slot``.

    More runs of the same are not even started before. Searches are: the workers of a shared search, which need no
    slot, would queue behind their chief, who waits for them.
    """
    queue = ConcurrencyLimitConfig(limit=slots_here(), collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
    waiting = [
        RunnerDeployment.from_flow(
            flow, deployment_name(flow.name), tags=["training"], concurrency_limit=queue
        )
        for flow in _TRAINING
    ]
    searching = RunnerDeployment.from_flow(tune, deployment_name(tune.name), tags=["training"])
    return [*waiting, searching, *(RunnerDeployment.from_flow(f, deployment_name(f.name)) for f in _OTHER)]


def slots_here() -> int:
    """How many trainings this machine does at a time: one a GPU, each on its own (:mod:`faceswap.process.cards`)."""
    return max(1, len(cards.cards())) if backend.trains_on_gpu() else 1


def main() -> None:
    """Serve until stopped."""
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(TRAINING_SLOT, slots_here())
        _remove_old_names(client)
    watch_heartbeats()
    keep_watch()
    asyncio.run(_serve())


async def _serve() -> None:
    runner = _PatientRunner(pause_on_shutdown=False)
    flows = {flow.name: flow for flow in main_flows()}
    served = {
        await runner.aadd_deployment(deployment): flows[deployment.flow_name or ""]
        for deployment in deployments()
    }
    keep_current(served)
    await runner.start()


def _remove_old_names(client: SyncPrefectClient) -> None:
    found = client.read_deployments(
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[_OLD_NAME])),
        limit=100,
        sort=DeploymentSort.NAME_ASC,
    )
    for deployment in found:
        client.delete_deployment(deployment.id)


class _PatientRunner(Runner):
    """Prefect's runner kills its flow runs when it is told to stop; this one lets them save first."""

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:
        """Pass the signal on, wait, then stop."""
        runs = psutil.Process().children(recursive=True)
        for process in runs:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        psutil.wait_procs(runs, timeout=_SAVE_SECONDS)
        super().handle_sigterm(*args, **kwargs)


if __name__ == "__main__":
    main()
