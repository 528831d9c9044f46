"""How flows show themselves: progress on the terminal and in Prefect's UI, links between Prefect and MLflow."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.runtime import flow_run

from faceswap.progress import Report, bar


def prefect_tags() -> dict[str, str]:
    """Tags that lead from an MLflow run back to the Prefect run."""
    if not flow_run.id:
        return {}
    url = flow_run.ui_url or ""
    # A temporary server has no UI: Prefect writes "None/flow-runs/…" then.
    return {"prefect.flow_run": str(flow_run.id)} | ({"prefect.url": url} if url.startswith("http") else {})


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
