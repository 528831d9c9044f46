"""How jobs show themselves in Prefect: progress, pictures, notes and tables as artifacts, steps as tasks."""

import logging
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any, ParamSpec, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.artifacts import (
    create_image_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.exceptions import FlowPauseTimeout, ObjectNotFound
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from pydantic import BaseModel, Field, StringConstraints

from faceswap.jobs.monitor import Answer, Monitor
from faceswap.media.images import data_uri
from faceswap.output.progress import Report, bar, lines
from faceswap.process.background import Background
from faceswap.provenance.metadata import Provenance
from faceswap.tracking import FLOW_RUN
from flows.slot import slot

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
Given = TypeVar("Given", bound=BaseModel)
TRAINING_SLOT = "faceswap-training"
"""Prefect's global concurrency limit that the trainings share on all hosts that have none of their own."""
_PATIENCE, _LAST_PATIENCE = 10.0, 2.0
"""Seconds that the end of a piece of work waits for Prefect to take what is told: done, or broken off."""


def host_slot() -> str:
    """The name of the limit of this host's trainings, which a team's worker sets: as many as it has GPUs."""
    return f"{TRAINING_SLOT}-{socket.gethostname().lower()}"


class Approval(RunInput):
    """What a person says in Prefect's UI."""

    approved: bool = Field(False, description="may it go to production?")
    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="who says so"
    )
    reason: str = Field("", description="why; it is recorded")


@contextmanager
def shown_in_prefect() -> "Iterator[PrefectMonitor]":
    """A monitor for the job of a flow; at the end it waits a little for what Prefect has not taken yet."""
    monitor, patience = PrefectMonitor(), _LAST_PATIENCE
    try:
        yield monitor
        patience = _PATIENCE
    finally:
        monitor.flush(patience)


class PrefectMonitor:
    """Shows a job in the flow run that this is created in.

    Prefect is told in the background: the work does not wait for its server, and ends well without it.
    """

    def __init__(self) -> None:
        self._prefect = Background("Prefect")
        self._pictures: dict[str, UUID] = {}

    @contextmanager
    def progress(self, title: str, unit: str = "") -> Iterator[Report]:
        """A bar on the terminal, lines in the log where Prefect's UI shows it; an artifact, every two per cent.

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
            self._later(f"progress of {title!r}", lambda: tell(share, description))

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
            self.flush(patience)

    def picture(
        self, key: str, image: NDArray[np.uint8], description: str, origin: Provenance | None
    ) -> None:
        """An image artifact, replaced as the work goes on; what Prefect does not allow in its key becomes a dash."""
        self._later(f"picture {key}", lambda: self._show(_key(key), data_uri(image, origin), description))

    def _show(self, key: str, data: str, description: str) -> None:
        known = self._pictures.get(key)
        if known is None:
            made = create_image_artifact(data, key=key, description=description)
            self._pictures[key] = made  # type: ignore[assignment]
            return
        with get_client(sync_client=True) as client:
            client.update_artifact(known, ArtifactUpdate(data=data, description=description))

    def note(self, markdown: str, key: str = "", description: str = "") -> None:
        """A Markdown artifact."""
        self._prefect.submit(
            "note",
            lambda: create_markdown_artifact(
                markdown, key=_key(key) if key else None, description=description or None
            ),
        )

    def table(self, rows: Sequence[Mapping[str, Any]], key: str, description: str = "") -> None:
        """A table artifact."""
        shown = [dict(row) for row in rows]
        self._prefect.submit(
            "table",
            lambda: create_table_artifact(shown, key=_key(key), description=description or None),
        )

    def tags(self) -> dict[str, str]:
        """Tags that lead from an MLflow run back to the flow run."""
        if not flow_run.id:
            return {}
        return {
            "prefect.flow_run": str(flow_run.id),
            FLOW_RUN: self.root(),
            "prefect.url": flow_run.ui_url or "",
        }

    def root(self) -> str:
        """Id of the flow run that people see and cancel: the one without a parent."""
        return str(flow_run.root_flow_run_id or flow_run.id or "")

    def step(self, name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """A task in the graph.

        It is called, not submitted: Prefect's cancellation reaches the main thread only, where a training saves and
        ends.
        """
        return task(name=name, cache_policy=NO_CACHE)(function)(*args, **kwargs)

    def job(self, work: Callable[[Given, Monitor], R], parameters: Given) -> R:
        """The flow of the other job, as a part of this one."""
        from flows.flows import flow_of

        return flow_of(work)(parameters)

    @contextmanager
    def training_slot(self, count: int = 1) -> Iterator[None]:
        """As many trainings at a time as this host's limit says, else one on all machines that share a server.

        One on several GPUs needs a slot for each. Where the server sets no such limit nobody waits.
        """
        limit = ""
        with get_client(sync_client=True) as client:
            for name in (host_slot(), TRAINING_SLOT):
                try:
                    found = client.read_global_concurrency_limit_by_name(name)
                except ObjectNotFound:
                    continue
                limit, count = name, max(1, min(count, found.limit))
                if found.active and found.active_slots + count > found.limit:
                    # a warning, which every terminal and Prefect's page show
                    logger.warning("Another training is running: this one waits for its turn.")
                break
        with slot(limit, str(flow_run.id or ""), count) if limit else nullcontext():
            yield

    def check_answers(self) -> None:
        """Prefect's UI asks."""

    def ask(self, question: str, hours: float) -> Answer | None:
        """Pause the flow until a person answers in Prefect's UI."""
        asked = Approval.with_initial_data(description=question)
        try:
            answer = pause_flow_run(wait_for_input=asked, timeout=round(hours * 3600))
        except FlowPauseTimeout:
            return None
        return Answer(answer.approved, answer.by, answer.reason)

    def flush(self, seconds: float) -> None:
        """Wait until Prefect has taken what was told, at most so long; say what it has not."""
        self._prefect.flush(seconds)
        if missing := self._prefect.account():
            logger.warning("Prefect's page is behind, its server did not take: %s", missing)

    def _later(self, kind: str, call: Callable[[], object]) -> None:
        """Tell Prefect as soon as it listens; only the newest of each kind is told."""
        self._prefect.submit(kind, call, replaces=True)


def _key(key: str) -> str:
    return re.sub("[^a-z0-9]+", "-", key.lower())
