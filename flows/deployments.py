"""Serve all flows from one process, so that people start them in Prefect's UI: ``python -m flows.deployments``."""

from prefect import serve
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment

from flows.evaluate import evaluate
from flows.pipeline import pipeline
from flows.preprocess import preprocess
from flows.swap import swap
from flows.train import TRAINING_SLOT, train
from flows.watch import keep_watch, watch_heartbeats

NAME = "faceswap"
"""Of every deployment: ``prefect deployment run train/faceswap``."""
_QUEUE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
_TRAINING = (train, pipeline)
_OTHER = (preprocess, evaluate, swap)


def deployments() -> list[RunnerDeployment]:
    """One deployment of every flow; those that train wait for each other, one at a time on a machine."""
    waiting = [
        RunnerDeployment.from_flow(flow, NAME, tags=["training"], concurrency_limit=_QUEUE)
        for flow in _TRAINING
    ]
    return waiting + [RunnerDeployment.from_flow(flow, NAME) for flow in _OTHER]


def main() -> None:
    """Serve until stopped."""
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(TRAINING_SLOT, 1)
    watch_heartbeats()
    keep_watch()
    serve(*deployments(), print_starting_message=False)


if __name__ == "__main__":
    main()
