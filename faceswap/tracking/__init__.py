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
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.logging_utils import disable_logging
from numpy.typing import NDArray

from faceswap.background import Background
from faceswap.disk import is_full
from faceswap.errors import TrackingError
from faceswap.settings import settings
from faceswap.tracking import experiments
from faceswap.tracking.facts import environment
from faceswap.tracking.pages import page
from faceswap.tracking.s3 import FIX, s3_environment, s3_errors

logger = logging.getLogger(__name__)
FLOW_RUN = "prefect.root_flow_run"
"""Tag: the Prefect run, without a parent, that a run belongs to."""
_PROCESS = "faceswap.process"
_PATIENCE, _LAST_PATIENCE = 60.0, 5.0
"""Seconds for what waits at the end of a run: where all went well, and where it failed or was cancelled."""
_MOST_NUMBERS = 100_000
"""So many may wait: those of nine hours of training without a server."""
Image = NDArray[np.uint8]


def connect() -> mlflow.MlflowClient:
    """Point MLflow at the settings' server or database, and make sure that it answers.

    Raises:
        TrackingError: the server does not answer or refuses.
    """
    # A lost server must not hold a training for minutes; MLflow's default is 7 tries of 120 s.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # what MLflow tells of every run and every version would stand among what a command was asked for
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    disable_logging()
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
        client.search_experiments(max_results=1)
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
        raise TrackingError(
            f"MLflow at {settings().tracking} can't {action}: {_first_line(error)}",
            FIX
            if isinstance(error, s3_errors())
            else "make room on the disk of its artifacts; what was computed so far is kept, resume it"
            if is_full(error)
            else "start the server or correct FACESWAP_TRACKING_URI; what was computed so far is kept, resume it",
        ) from error


@dataclass
class Run:
    """One MLflow run. Metrics and the pictures of a series are sent in the background.

    So a server that is away or stands still holds nobody up; what it did not get is sent at the next chance, in order.
    """

    client: mlflow.MlflowClient
    run_id: str
    _waiting: list[Metric] = field(default_factory=list)
    _refused: int = 0
    _reason: str = "it does not answer"
    _background: Background = field(default_factory=lambda: Background("MLflow"))

    @property
    def url(self) -> str:
        """Where a browser shows the run; empty where there is no server."""
        if not page(""):
            return ""
        experiment = self.client.get_run(self.run_id).info.experiment_id
        return page(f"experiments/{experiment}/runs/{self.run_id}")

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log numbers at a step, as of now; returns at once."""
        now = int(time.time() * 1000)
        new = [Metric(k, float(v), now, step) for k, v in values.items() if np.isfinite(v)]
        room = max(0, _MOST_NUMBERS - len(self._waiting))
        self._waiting += new[:room]
        self._refused += len(new[room:])
        self._background.submit("update of its metrics", self._send, replaces=True)

    def _send(self) -> None:
        """In the background's thread, the only one that takes numbers out."""
        while batch := self._waiting[:1000]:
            try:
                self.client.log_batch(self.run_id, metrics=batch)
            except failures() as error:
                self._reason = _first_line(error)
                logger.warning(
                    "MLflow does not answer; %d numbers wait: %s", len(self._waiting), self._reason
                )
                return
            del self._waiting[: len(batch)]

    def flush(self, seconds: float = _PATIENCE) -> None:
        """Send what waits.

        Raises:
            TrackingError: numbers are missing after so many seconds.
        """
        if self._waiting:
            self._background.submit("update of its metrics", self._send, replaces=True)
        self._background.flush(seconds)
        missing = len(self._waiting) + self._refused
        if missing:
            raise TrackingError(
                f"MLflow at {settings().tracking} did not take {missing} numbers of run {self.run_id}"
                f" within {seconds:.0f} s: {self._reason}",
                "start the server or correct FACESWAP_TRACKING_URI; what was computed so far is kept, resume it",
            )
        if lost := self._background.account():
            logger.warning("MLflow run %s is without %s", self.run_id, lost)

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
        """A picture of a series with a step slider in the UI; a lost server or store only skips it.

        Returns at once; the picture must not be changed afterwards.
        """
        now = int(time.time() * 1000)
        self._background.submit(
            f"picture {key}",
            lambda: self.client.log_image(self.run_id, image, key=key, step=step, timestamp=now),
        )

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
            tags = [InputTag("mlflow.data.context", "face set"), InputTag("digest", digest)]
            self.client.log_inputs(
                self.run_id, [DatasetInput(Dataset.from_dictionary(dataset.to_dict()), tags)]
            )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


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
    with suppress(TrackingError):  # what can't be tidied up does not hold up what comes
        end_dead_runs()
    labels = {"faceswap.kind": kind, _PROCESS: _process(), **environment(), **(tags or {})}
    with explained("start a run"):
        active = mlflow.start_run(
            run_id=run_id or None,
            experiment_id=None if run_id else experiments.id_for(client, kind),
            run_name=None if run_id else name,
            tags=labels,
            parent_run_id=parent or None,
            nested=mlflow.active_run() is not None,
            log_system_metrics=kind in {"train", "trial"},
        )
    tracked = Run(client, active.info.run_id)
    if not parent and tracked.url:
        logger.info("MLflow run of %s: %s", name, tracked.url)
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
        if status != "FINISHED":
            _send_rest(tracked)
        with suppress(MlflowException):
            mlflow.end_run(status)


def _send_rest(tracked: Run) -> None:
    """What a run that ends too early still has to say; how it ended matters more than whether it could be told."""
    try:
        tracked.flush(_LAST_PATIENCE)
    except TrackingError as error:
        logger.warning("%s", error.message)


def _process() -> str:
    me = psutil.Process()
    return f"{_node()} {me.pid} {me.create_time():.0f}"


def _node() -> str:
    """This machine; of containers that share its name each for itself: their numbers of processes differ."""
    with suppress(OSError):  # not on Linux
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    return platform.node()


def _is_gone(process: str) -> bool:
    """Whether a process of this machine, as its run's tag names it, no longer exists."""
    node, pid, created = process.rsplit(" ", 2)
    if node not in {_node(), platform.node()}:  # runs of before name no container
        return False
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(created)) > 2
    except psutil.Error:
        return True


def _running(filter_string: str = "") -> list[mlflow.entities.Run]:
    client = connect()
    with explained("list the runs"):
        condition = " and ".join(filter(None, ["attributes.status = 'RUNNING'", filter_string]))
        return list(client.search_runs(experiments.all_ids(client), condition, max_results=1000))


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
        found = client.search_runs(
            experiments.all_ids(client),
            f"tags.`{FLOW_RUN}` = '{flow_run}' and tags.`faceswap.kind` = '{kind}'"
            " and attributes.status != 'FINISHED'",
            max_results=1,
        )
    return found[0].info.run_id if found else ""
