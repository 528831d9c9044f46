"""Runs in MLflow: what was done, with what, and how it went."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import LocalArtifactDatasetSource, S3ArtifactDatasetSource
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from faceswap.errors import TrackingError
from faceswap.output.logs import of_run
from faceswap.process.background import Background
from faceswap.provenance.metadata import Provenance
from faceswap.settings import settings
from faceswap.tracking import experiments, views
from faceswap.tracking.connection import connect, explained, failures, first_line
from faceswap.tracking.ending import PROCESS, end_dead_runs, this_process
from faceswap.tracking.facts import environment
from faceswap.tracking.pages import page
from faceswap.tracking.signed_pictures import signed

logger = logging.getLogger(__name__)
_PATIENCE, _LAST_PATIENCE = 60.0, 5.0
"""Seconds for what waits at the end of a run: where all went well, and where it failed or was cancelled."""
_MOST_NUMBERS = 100_000
"""So many may wait: those of nine hours of training without a server."""
Image = NDArray[np.uint8]


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
        return page(f"experiments/{self._experiment}/runs/{self.run_id}") if page("") else ""

    @property
    def comparison(self) -> str:
        """Where a browser compares the run with others of its kind; empty where there is no server."""
        return views.address(self._experiment) if page("") else ""

    @cached_property
    def _experiment(self) -> str:
        return str(self.client.get_run(self.run_id).info.experiment_id)

    @property
    def link(self) -> str:
        """Markdown that leads to the run; its bare id where no server shows it."""
        if not self.url:
            return f"MLflow run: `{self.run_id}`"
        return f"MLflow run: [{self.run_id}]({self.url}), [compared with others]({self.comparison})"

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log numbers at a step, as of now; returns at once."""
        now = int(time.time() * 1000)
        new = [Metric(k, float(v), now, step) for k, v in values.items() if np.isfinite(v)]
        room = max(0, _MOST_NUMBERS - len(self._waiting))
        self._waiting += new[:room]
        self._refused += len(new[room:])
        self._background.submit("update of its metrics", self._send, replaces=True)

    def measured(self) -> dict[str, float]:
        """The last value of each number that the server has; none where it does not answer."""
        try:
            return dict(self.client.get_run(self.run_id).data.metrics)
        except failures() as error:
            logger.debug("The numbers of run %s can't be read: %s", self.run_id, first_line(error))
            return {}

    def _send(self) -> None:
        """In the background's thread, the only one that takes numbers out."""
        while batch := self._waiting[:1000]:
            try:
                self.client.log_batch(self.run_id, metrics=batch)
            except failures() as error:
                self._reason = first_line(error)
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

    def image(self, image: Image, key: str, step: int, origin: Provenance | None) -> None:
        """A picture of a series with a step slider in the UI; a lost server or store only skips it.

        Returns at once; the picture must not be changed afterwards.

        Args:
            image: (H, W, 3) uint8 RGB, without label and mark.
            key: of the series.
            step: of the training.
            origin: of the generated faces in it, which is labelled, marked and signed then; None: it holds none.
        """
        now = int(time.time() * 1000)
        shown = image if origin is None else signed(image, origin)
        self._background.submit(
            f"picture {key}",
            lambda: self.client.log_image(self.run_id, shown, key=key, step=step, timestamp=now),
        )

    def picture(self, image: Image, name: str, origin: Provenance | None) -> None:
        """A picture as an artifact file; ``origin`` as for :meth:`image`."""
        with explained(f"store {name}"):
            shown = image if origin is None else signed(image, origin)
            self.client.log_image(self.run_id, shown, artifact_file=name)

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
    labels = {"faceswap.kind": kind, PROCESS: this_process(), **environment(), **(tags or {})}
    with explained("start a run"):
        active = mlflow.start_run(
            run_id=run_id or None,
            experiment_id=None if run_id else experiments.id_for(client, kind),
            run_name=None if run_id else name,
            tags=labels,
            parent_run_id=parent or None,
            nested=mlflow.active_run() is not None,
            log_system_metrics=kind in {"train", "trial", "pretrain"},
        )
    tracked = Run(client, active.info.run_id)
    if not parent and tracked.url:
        logger.info("MLflow run of %s: %s; compared with others: %s", name, tracked.url, tracked.comparison)
    status = "FAILED"
    try:
        with of_run(tracked.run_id):
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
