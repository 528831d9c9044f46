"""A running training's checkpoints in S3, so that another worker goes on where this one was lost.

``<setting checkpoints>/<run id>/`` holds ``parameters.json``, ``face_sets.json`` and the newest checkpoints, each a
folder whose checksums are written last. It is sent in the background: a store that does not answer holds no training
up, the next checkpoint is tried again.
"""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from faceswap import storage
from faceswap.errors import StorageError
from faceswap.files.atomic import part_of
from faceswap.files.disk import explained
from faceswap.model.training.checkpoints import SUMS
from faceswap.process.background import Background
from faceswap.settings import settings

logger = logging.getLogger(__name__)
_KEEP = 2
_LAST_PATIENCE = 15.0
"""Seconds that the end of an interrupted training waits for its last checkpoint to arrive; Prefect kills after 30."""


class CheckpointStore:
    """The copies of one training; without the setting ``checkpoints`` it does nothing.

    Args:
        run_id: of MLflow.
    """

    def __init__(self, run_id: str) -> None:
        root = settings().checkpoints
        self.uri = storage.join(root, run_id) if root else ""
        self._background = Background("the store of checkpoints")

    def remember(self, folder: Path) -> None:
        """Send the files of a work folder that say what the training was started with."""
        if self.uri:
            for file in folder.glob("*.json"):
                self._background.submit(
                    file.name, _writer(storage.join(self.uri, file.name), file.read_bytes())
                )

    def saved(self, checkpoint: Path) -> None:
        """Send a checkpoint as soon as the store takes it; one that still waits is left out for it."""
        if self.uri:
            self._background.submit("checkpoint", lambda: self._send(checkpoint), replaces=True)

    def flush(self, seconds: float = _LAST_PATIENCE) -> None:
        """Wait until the newest checkpoint has arrived, at most so long; the log says what has not."""
        self._background.flush(seconds)
        if missing := self._background.account():
            logger.warning("%s did not take %s; they are on this machine", self.uri, missing)

    def bring(self, folder: Path, checkpoints: Path) -> None:
        """Fetch what another machine has left, if nothing is here.

        Args:
            folder: of the training's work.
            checkpoints: its folder of checkpoints.

        Raises:
            StorageError: the store can't be read.
        """
        if not self.uri or any(checkpoints.glob("step-*")):
            return
        names = storage.list_files(self.uri)
        steps = sorted({name.partition("/")[0] for name in names if name.endswith(f"/{SUMS}")})
        if not steps:
            return
        for name in (one for one in names if "/" not in one):
            storage.write_bytes(str(folder / name), storage.read_bytes(storage.join(self.uri, name)))
        checkpoints.mkdir(parents=True, exist_ok=True)
        for step in steps[-_KEEP:]:
            part = part_of(checkpoints / step)
            fetched = part_of(checkpoints / "fetched")  # in no cache: there an erasure would not find them
            try:
                copy = storage.fetch_folder(storage.join(self.uri, step), fetched, marker=SUMS)
                with explained(checkpoints):
                    shutil.copytree(copy, part, copy_function=os.link)
                    part.rename(checkpoints / step)
            finally:
                for left in (fetched, part):
                    shutil.rmtree(left, ignore_errors=True)
        logger.info("The training goes on with the checkpoints of %s", self.uri)

    def clear(self) -> None:
        """Remove the copies: the versions are registered, or never will be."""
        if self.uri:
            self._background.flush(_LAST_PATIENCE)
            try:
                storage.delete(self.uri)
            except StorageError as error:
                logger.warning("The checkpoints are no longer needed, but stay: %s", error.message)

    def _send(self, checkpoint: Path) -> None:
        uri = storage.join(self.uri, checkpoint.name)
        linked = part_of(checkpoint)  # the trainer may remove the checkpoint meanwhile
        try:
            shutil.copytree(checkpoint, linked, copy_function=os.link)
            storage.delete(uri, first=[SUMS])  # the same step again, after a cancel
            storage.publish_folder(linked, uri, last=SUMS)
        finally:
            shutil.rmtree(linked, ignore_errors=True)
        whole = sorted(
            {name.partition("/")[0] for name in storage.list_files(self.uri) if name.endswith(f"/{SUMS}")}
        )
        for old in whole[:-_KEEP]:
            storage.delete(storage.join(self.uri, old), first=[SUMS])


def _writer(uri: str, content: bytes) -> Callable[[], None]:
    return lambda: storage.write_bytes(uri, content)
