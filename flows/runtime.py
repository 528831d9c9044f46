"""How flows show themselves: progress on the terminal and in Prefect's UI, links between Prefect and MLflow."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.artifacts import create_image_artifact, create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run

from faceswap.media.images import data_uri
from faceswap.progress import Report, bar, lines
from faceswap.tracking import FLOW_RUN, Run
from flows.temporary_server import guard_temporary_server

guard_temporary_server()
logger = logging.getLogger(__name__)
T = TypeVar("T")
TRAINING_SLOT = "faceswap-training"
"""Prefect's global concurrency limit that all trainings share."""


def prefect_tags() -> dict[str, str]:
    """Tags that lead from an MLflow run back to the Prefect run."""
    if not flow_run.id:
        return {}
    # a temporary server has no page: Prefect's address then begins with "None"
    url = flow_run.ui_url if (flow_run.ui_url or "").startswith("http") else ""
    return {"prefect.flow_run": str(flow_run.id), FLOW_RUN: root_flow_run(), "prefect.url": url}


def root_flow_run() -> str:
    """Id of the flow run that people see and cancel: the one without a parent."""
    return str(flow_run.root_flow_run_id or flow_run.id or "")


@contextmanager
def training_slot() -> Iterator[None]:
    """One training at a time on the machines that share a server; where it sets no such limit nobody waits."""
    with get_client(sync_client=True) as client:
        try:
            found = client.read_global_concurrency_limit_by_name(TRAINING_SLOT)
        except ObjectNotFound:
            names = []
        else:
            names = [TRAINING_SLOT]
            if found.active and found.active_slots >= found.limit:
                # a warning, which every terminal and Prefect's page show
                logger.warning("Another training is running: this one waits for its turn.")
    with concurrency(names, lease_duration=60, raise_on_lease_renewal_failure=False):
        yield


@task(name="train", cache_policy=NO_CACHE)
def training(work: Callable[[], T]) -> T:
    """A training as a task in the graph.

    To be called, not submitted: Prefect's cancellation reaches the main thread only, where it saves and ends.
    """
    return work()


@contextmanager
def progress(title: str, unit: str = "") -> Iterator[Report]:
    """A bar on the terminal, lines in the log where Prefect's UI shows it; a progress artifact, every two per cent.

    Args:
        title: what the work is.
        unit: what is counted, for the rate on the terminal; empty: the messages tell the rate.
    """
    artifact: UUID = create_progress_artifact(progress=0.0, description=title)  # type: ignore[assignment]
    shown = 0.0
    started_by_ui = "PREFECT__FLOW_RUN_ID" in os.environ  # as the process that serves the flows sets it
    with lines(title, logger.info) if started_by_ui else bar(title, unit) as report:

        def both(done: int, total: int | None, message: str) -> None:
            nonlocal shown
            report(done, total, message)
            share = 100.0 * done / total if total else 0.0
            if share >= shown + 2:
                shown = share
                update_progress_artifact(
                    artifact, progress=min(100.0, share), description=f"{title}: {message}"
                )

        yield both
    update_progress_artifact(artifact, progress=100.0, description=title)


class Picture:
    """A picture among the flow run's artifacts that is replaced as the work goes on.

    Args:
        key: its name; what Prefect does not allow in one becomes a dash.
    """

    def __init__(self, key: str) -> None:
        self.key = re.sub("[^a-z0-9]+", "-", key.lower())
        self._id: UUID | None = None

    def show(self, image: NDArray[np.uint8], description: str) -> None:
        """Show (H, W, 3) uint8 RGB."""
        if self._id is None:
            self._id = create_image_artifact(data_uri(image), key=self.key, description=description)  # type: ignore[assignment]
            return
        with get_client(sync_client=True) as client:
            client.update_artifact(self._id, ArtifactUpdate(data=data_uri(image), description=description))


def mlflow_link(run: Run) -> str:
    """Markdown that leads to the MLflow run; its bare id where no server shows it."""
    return f"MLflow run: [{run.run_id}]({run.url})" if run.url else f"MLflow run: `{run.run_id}`"
