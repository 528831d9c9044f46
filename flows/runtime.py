"""How flows run here: Prefect's state under the home folder, no calls to the outside, links to MLflow."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from faceswap.progress import Report, bar
from faceswap.settings import settings


def configure() -> None:
    """Set Prefect's environment; must run before Prefect is imported. What the user has set stays."""
    defaults = {
        "PREFECT_HOME": str(settings().home_path / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # The first start of a server on a slow machine takes longer than Prefect's 20 s.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }
    for key, value in defaults.items():
        os.environ.setdefault(key, value)


configure()

from prefect.artifacts import create_progress_artifact, update_progress_artifact  # noqa: E402
from prefect.runtime import flow_run  # noqa: E402


def prefect_tags() -> dict[str, str]:
    """Tags that lead from an MLflow run back to the Prefect run."""
    url = flow_run.ui_url or ""
    return {"prefect.flow_run": str(flow_run.id or ""), "prefect.url": url} if flow_run.id else {}


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
