"""Runs in MLflow: what was done, with what, and how it went.

Together with registry.py the only file that knows MLflow.
"""

import logging
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import psutil
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import LocalArtifactDatasetSource, S3ArtifactDatasetSource
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from faceswap.errors import TrackingError
from faceswap.settings import settings
from faceswap.tracking.facts import environment
from faceswap.tracking.s3 import FIX, s3_environment, s3_errors

logger = logging.getLogger(__name__)
FLOW_RUN = "prefect.root_flow_run"
"""Tag: the Prefect run, without a parent, that a run belongs to."""
_PROCESS = "faceswap.process"
Image = NDArray[np.uint8]


def connect() -> mlflow.MlflowClient:
    """Point MLflow at the settings' server or database and make sure the experiment exists.

    Raises:
        TrackingError: the server does not answer or refuses.
    """
    # A lost server must not hold a training for minutes; MLflow's default is 7 tries of 120 s.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ |= s3_environment()
    uri = settings().tracking
    if uri.startswith("sqlite:"):
        settings().home_path.mkdir(parents=True, exist_ok=True)
    for chatty in ("alembic", "mlflow", "mlflow.utils.environment", "mlflow.tracking"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with explained("connect"):
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        client = mlflow.MlflowClient()
        if client.get_experiment_by_name(settings().experiment) is None:
            local = uri.startswith("sqlite:") or bool(settings().artifact_root)
            with suppress(MlflowException):  # another process may have been faster
                client.create_experiment(
                    settings().experiment, artifact_location=settings().artifacts if local else None
                )
        mlflow.set_experiment(settings().experiment)
    return client


def failures() -> tuple[type[Exception], ...]:
    """What MLflow raises where it can't do something: errors of its own, of the system, and its S3 client's."""
    return (MlflowException, OSError, *s3_errors())


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn what MLflow raises within a block into an error that says what it could not do.

    Raises:
        TrackingError: the server, or the S3 store of its artifacts, does not answer or refuses.
    """
    try:
        yield
    except failures() as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise TrackingError(
            f"MLflow at {settings().tracking} can't {action}: {reason}",
            FIX
            if isinstance(error, s3_errors())
            else "start the server or correct FACESWAP_TRACKING_URI; what was computed so far is kept, resume it",
        ) from error


@dataclass
class Run:
    """One MLflow run that survives a lost server: what can't be sent waits, and is sent at the next chance."""

    client: mlflow.MlflowClient
    run_id: str
    _waiting: list[Metric] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where a browser shows the run; empty where there is no server."""
        uri = settings().tracking
        if not uri.startswith("http"):
            return ""
        experiment = self.client.get_run(self.run_id).info.experiment_id
        return f"{uri.rstrip('/')}/#/experiments/{experiment}/runs/{self.run_id}"

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log numbers at a step; a server that is away for a while only delays them."""
        now = int(time.time() * 1000)
        self._waiting += [Metric(k, float(v), now, step) for k, v in values.items() if np.isfinite(v)]
        try:
            self.client.log_batch(self.run_id, metrics=self._waiting[:1000])
            self._waiting = self._waiting[1000:]
        except MlflowException as error:
            logger.warning(
                "MLflow does not answer; %d numbers wait: %s", len(self._waiting), str(error)[:200]
            )

    def flush(self) -> None:
        """Send what waits.

        Raises:
            TrackingError: the server still does not answer.
        """
        with explained("take the run's metrics"):
            while self._waiting:
                self.client.log_batch(self.run_id, metrics=self._waiting[:1000])
                self._waiting = self._waiting[1000:]

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Log a nested configuration, flattened to dotted names. Values once logged can't change."""
        flat = dict(_flatten(values))
        with explained("take the parameters"):
            known = self.client.get_run(self.run_id).data.params
            new = [Param(k, str(v)[:6000]) for k, v in flat.items() if k not in known]
            for start in range(0, len(new), 100):
                self.client.log_batch(self.run_id, params=new[start : start + 100])

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        with explained("take tags"):
            self.client.log_batch(self.run_id, tags=[RunTag(k, v) for k, v in values.items()])

    def image(self, image: Image, key: str, step: int) -> None:
        """A picture of a series with a step slider in the UI; a lost server or store only skips it."""
        try:
            self.client.log_image(self.run_id, image, key=key, step=step)
        except failures() as error:
            logger.warning("MLflow did not take the picture %s at step %d: %s", key, step, str(error)[:200])

    def picture(self, image: Image, name: str) -> None:
        """A picture as an artifact file."""
        with explained(f"store {name}"):
            self.client.log_image(self.run_id, image, artifact_file=name)

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """A file or a folder as an artifact."""
        with explained(f"store {path.name}"):
            if path.is_dir():
                self.client.log_artifacts(self.run_id, str(path), folder)
            else:
                self.client.log_artifact(self.run_id, str(path), folder)

    def document(self, value: Mapping[str, Any] | list[Any], name: str) -> None:
        """A JSON artifact."""
        with explained(f"store {name}"):
            self.client.log_dict(self.run_id, value, name)

    def text(self, text: str, name: str) -> None:
        """A text artifact."""
        with explained(f"store {name}"):
            self.client.log_text(self.run_id, text, name)

    def face_set(self, identity: str, digest: str, uri: str, faces: int) -> None:
        """A face set as the run's input dataset."""
        with explained("take an input"):
            source = (
                S3ArtifactDatasetSource(uri) if uri.startswith("s3://") else LocalArtifactDatasetSource(uri)
            )
            dataset = MetaDataset(source, name=f"{identity} ({faces} faces)", digest=digest[:8])
            mlflow.log_input(dataset, context="face set", tags={"digest": digest})


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@contextmanager
def run(
    name: str, kind: str, *, run_id: str = "", parent: str = "", tags: Mapping[str, str] | None = None
) -> Iterator[Run]:
    """An MLflow run around a block; it ends as FINISHED, FAILED or, when cancelled, KILLED.

    Args:
        name: shown in the UI.
        kind: the flow: "train", "evaluate", …; a tag.
        run_id: go on with an existing run (resume).
        parent: run id of the run that this one is nested in.
        tags: more tags.
    """
    client = connect()
    labels = {"faceswap.kind": kind, _PROCESS: _process(), **environment(), **(tags or {})}
    with explained("start a run"):
        active = mlflow.start_run(
            run_id=run_id or None,
            run_name=None if run_id else name,
            tags=labels,
            parent_run_id=parent or None,
            nested=mlflow.active_run() is not None,
            log_system_metrics=kind in {"train", "trial"},
        )
    tracked = Run(client, active.info.run_id)
    status = "FAILED"
    try:
        yield tracked
        tracked.flush()
        status = "FINISHED"
    except Exception:
        raise
    except BaseException:  # Ctrl-C, Prefect's cancellation
        status = "KILLED"
        raise
    finally:
        with suppress(MlflowException):
            mlflow.end_run(status)


def _process() -> str:
    me = psutil.Process()
    return f"{platform.node()} {me.pid} {me.create_time():.0f}"


def _is_gone(process: str) -> bool:
    """Whether a process of this machine, as its run's tag names it, no longer exists."""
    node, pid, created = process.rsplit(" ", 2)
    if node != platform.node():
        return False
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(created)) > 2
    except psutil.Error:
        return True


def _running(filter_string: str = "") -> list[mlflow.entities.Run]:
    client = connect()
    with explained("list the runs"):
        experiment = client.get_experiment_by_name(settings().experiment)
        assert experiment is not None  # connect() has made it
        condition = " and ".join(filter(None, ["attributes.status = 'RUNNING'", filter_string]))
        return list(client.search_runs([experiment.experiment_id], condition, max_results=1000))


def running_flow_runs() -> dict[str, str]:
    """MLflow run id -> id of the Prefect run it belongs to, of all runs that count as running."""
    found = {run.info.run_id: run.data.tags.get(FLOW_RUN, "") for run in _running()}
    return {run_id: flow_run for run_id, flow_run in found.items() if flow_run}


def end_run(run_id: str, status: str, tags: Mapping[str, str] | None = None) -> None:
    """End a run whose process can't do it any more, with tags that say more.

    Args:
        status: FINISHED, FAILED or KILLED.

    Raises:
        TrackingError: the server does not answer.
    """
    client = connect()
    with explained("end a run"):
        client.log_batch(run_id, tags=[RunTag(k, v) for k, v in (tags or {}).items()])
        client.set_terminated(run_id, status)


def end_dead_runs() -> list[str]:
    """End the runs whose processes on this machine were killed, as FAILED; returns their ids."""
    dead = [run.info.run_id for run in _running() if _is_gone(run.data.tags.get(_PROCESS, "elsewhere 0 0"))]
    for run_id in dead:
        end_run(run_id, "FAILED")
    return dead


def interrupted_run(flow_run: str, kind: str) -> str:
    """The newest unfinished run of a kind that a Prefect run has left; empty if there is none."""
    client = connect()
    with explained("list the runs"):
        experiment = client.get_experiment_by_name(settings().experiment)
        assert experiment is not None  # connect() has made it
        found = client.search_runs(
            [experiment.experiment_id],
            f"tags.`{FLOW_RUN}` = '{flow_run}' and tags.`faceswap.kind` = '{kind}'"
            " and attributes.status != 'FINISHED'",
            max_results=1,
        )
    return found[0].info.run_id if found else ""
