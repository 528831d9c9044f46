"""How flows show themselves: progress on the terminal and in Prefect's UI, links between Prefect and MLflow."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from prefect.artifacts import create_image_artifact, create_progress_artifact, update_progress_artifact
from prefect.runtime import flow_run

from faceswap.media.images import data_uri
from faceswap.progress import Report, bar
from faceswap.tracking import FLOW_RUN, Run


def prefect_tags() -> dict[str, str]:
    """Tags that lead from an MLflow run back to the Prefect run."""
    url = flow_run.ui_url or ""
    if not flow_run.id:
        return {}
    return {"prefect.flow_run": str(flow_run.id), FLOW_RUN: root_flow_run(), "prefect.url": url}


def root_flow_run() -> str:
    """Id of the flow run that people see and cancel: the one without a parent."""
    return str(flow_run.root_flow_run_id or flow_run.id or "")


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """A bar on the terminal and a progress artifact in Prefect's UI, at most every two per cent."""
    artifact: UUID = create_progress_artifact(progress=0.0, description=title)  # type: ignore[assignment]
    shown = 0.0
    with bar(title) as report:

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


def show(image: NDArray[np.uint8], key: str, description: str) -> None:
    """A picture (H, W, 3) uint8 RGB among the flow run's artifacts; the same key again replaces what is shown."""
    plain = re.sub("[^a-z0-9]+", "-", key.lower())  # all that Prefect allows
    create_image_artifact(image_url=data_uri(image), key=plain, description=description)


def mlflow_link(run: Run) -> str:
    """Markdown that leads to the MLflow run; its bare id where no server shows it."""
    return f"MLflow run: [{run.run_id}]({run.url})" if run.url else f"MLflow run: `{run.run_id}`"
