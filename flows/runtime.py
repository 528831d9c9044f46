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

from faceswap.background import Background
from faceswap.media.images import data_uri
from faceswap.progress import Report, bar, lines
from faceswap.tracking import FLOW_RUN, Run
from flows.temporary_server import guard_temporary_server

guard_temporary_server()
logger = logging.getLogger(__name__)
T = TypeVar("T")
TRAINING_SLOT = "faceswap-training"
"""Prefect's global concurrency limit that all trainings share."""
_PATIENCE, _LAST_PATIENCE = 10.0, 2.0
"""Seconds that the end of a piece of work waits for Prefect to take its last progress: done, or broken off."""
_prefect = Background("Prefect")


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

    Prefect is told in the background: the work does not wait for its server.

    Args:
        title: what the work is.
        unit: what is counted, for the rate on the terminal; empty: the messages tell the rate.
    """
    artifact: UUID | None = None
    shown = 0.0
    started_by_ui = "PREFECT__FLOW_RUN_ID" in os.environ  # as the process that serves the flows sets it

    def tell(share: float, description: str) -> None:
        nonlocal artifact
        if artifact is None:
            artifact = create_progress_artifact(progress=share, description=description)  # type: ignore[assignment]
        else:
            update_progress_artifact(artifact, progress=share, description=description)

    def later(share: float, description: str) -> None:
        in_background(f"progress of {title!r}", lambda: tell(share, description))

    later(0.0, title)
    patience = _LAST_PATIENCE
    try:
        with lines(title, logger.info) if started_by_ui else bar(title, unit) as report:

            def both(done: int, total: int | None, message: str) -> None:
                nonlocal shown
                report(done, total, message)
                share = 100.0 * done / total if total else 0.0
                if share >= shown + 2:
                    shown = share
                    later(min(100.0, share), f"{title}: {message}")

            yield both
        later(100.0, title)
        patience = _PATIENCE
    finally:
        _prefect.flush(patience)
        if missing := _prefect.account():
            logger.warning("Prefect's page is behind, its server did not take: %s", missing)


def in_background(kind: str, call: Callable[[], object]) -> None:
    """Tell Prefect something as soon as it listens; only the newest of each kind is told."""
    _prefect.submit(kind, call, replaces=True)


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
