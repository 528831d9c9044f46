"""Checkpoints: weights, optimizer, step and clock in one atomic folder, independent of the Keras backend.

The random state needs no bytes: every batch is drawn from (seed, step).
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
from numpy.typing import NDArray
from pydantic import TypeAdapter

from faceswap.errors import CheckpointError

logger = logging.getLogger(__name__)
Arrays = list[NDArray[Any]]
_KEEP = 2
"""Checkpoints that are kept: one more than needed, in case the newest is damaged."""
_MODEL, _OPTIMIZER, _STATE = "model.npz", "optimizer.npz", "state.json"
SUMS = "SHA256SUMS"
"""As ``sha256sum --check`` reads it."""


@dataclass
class TrainingState:
    """What a training needs besides its arrays to go on.

    Attributes:
        seed: of the batches and of the initial weights.
        step: optimizer steps done.
        seconds: wall time trained, over all sittings.
        preset, budget: as dictionaries.
        face_sets: identity -> digest, in the order of the decoders.
        run_id: of MLflow, empty without.
        best: best validation score so far, and how many validations ago.
        rollbacks: how often the loss was not a number.
        stopped_early: it winds down before its budget is used, since nothing got better.
        end: where it then ends, in seconds or steps, whichever the budget counts; None: where the budget does.
        encoder_rests: only the decoders learn, and the optimizer knows of nothing else.
        history: (step, seconds, {metric: value}) of the validations.
    """

    seed: int
    preset: dict[str, Any]
    budget: dict[str, Any]
    face_sets: dict[str, str]
    step: int = 0
    seconds: float = 0.0
    run_id: str = ""
    best: float = float("-inf")
    waited: int = 0
    rollbacks: int = 0
    stopped_early: bool = False
    end: float | None = None
    encoder_rests: bool = False
    history: list[tuple[int, float, dict[str, float]]] = field(default_factory=list)


class Checkpoints:
    """The last checkpoints of one run in a folder; a damaged one is passed over for the one before it.

    Args:
        folder: local folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, state: TrainingState) -> Path:
        """Write one checkpoint; those before it stay until this one is whole.

        Raises:
            CheckpointError: it can't be written (a full disk, no permission); older ones are untouched.
        """
        final = self.folder / f"step-{state.step:09d}"
        part = self.folder / f".part-{os.getpid()}-{state.step}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._remove_unfinished()
            part.mkdir()
            _write_arrays(part / _MODEL, model.weights)
            _write_arrays(part / _OPTIMIZER, optimizer.variables)
            _write_synced(part / _STATE, json.dumps(asdict(state)).encode())
            sums = [_sum_line(part / name) for name in (_MODEL, _OPTIMIZER, _STATE)]
            _write_synced(part / SUMS, "\n".join([*sums, ""]).encode())
            if final.exists():  # the same step again (a cancel right after a save)
                shutil.rmtree(final)
            part.rename(final)
            _sync(self.folder)
            self._set_aside_after(final)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise CheckpointError(
                f"The checkpoint at step {state.step} can't be written to {self.folder}: {error.strerror or error}",
                "make room there, or correct its permissions, then resume: the last checkpoint is whole",
            ) from error
        for old in self._all()[:-_KEEP]:
            shutil.rmtree(old, ignore_errors=True)
        return final

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))

    def _remove_unfinished(self) -> None:
        """What saves of this process, or of killed ones, have left half written."""
        for part in self.folder.glob(".part-*"):
            pid = int(part.name.split("-")[1])
            if pid == os.getpid() or not psutil.pid_exists(pid):
                shutil.rmtree(part, ignore_errors=True)

    def _set_aside_after(self, path: Path) -> None:
        """Later steps than the one just saved could not be read: they must not push whole ones out."""
        for later in self._all():
            if later > path:
                aside = later.with_name(f"damaged-{later.name}")
                shutil.rmtree(aside, ignore_errors=True)
                later.rename(aside)

    def _whole(self) -> Iterator[tuple[Path, TrainingState]]:
        """The checkpoints that can be read, newest first; the log says what is wrong with the others."""
        for path in reversed(self._all()):
            if not _damage(path, _stamp(path)):
                yield path, _read_state(path)

    def latest(self) -> TrainingState | None:
        """The state of the newest whole checkpoint, or None where there is none."""
        return next((state for _, state in self._whole()), None)

    def restore(
        self, model: keras.Model, optimizer_for: Callable[[TrainingState], keras.optimizers.Optimizer]
    ) -> TrainingState:
        """Load the newest checkpoint that is whole and fits into a built model and its built optimizer.

        Args:
            model: takes the weights.
            optimizer_for: the optimizer, with the variables that training has in that state.

        Raises:
            CheckpointError: there is none, all are damaged, or they belong to another architecture.
        """
        misfit: Path | None = None
        for path, state in self._whole():
            optimizer = optimizer_for(state)
            weights, others = _read_arrays(path / _MODEL), _read_arrays(path / _OPTIMIZER)
            if _fit(weights, model.weights) and _fit(others, optimizer.variables):
                for variable, array in zip(
                    [*model.weights, *optimizer.variables], [*weights, *others], strict=True
                ):
                    variable.assign(array)
                return state
            logger.warning("The checkpoint %s does not fit this training and is passed over", path)
            misfit = misfit or path
        if misfit:
            raise CheckpointError(
                f"The checkpoint {misfit} belongs to another architecture",
                "resume with the preset and the identities that it was started with",
            )
        found = len(self._all())
        what = f"None of the {found} checkpoints in {self.folder} can be read" if found else ""
        raise CheckpointError(
            what or f"There is no checkpoint in {self.folder}", "start the training without resume"
        )

    def clear(self) -> None:
        """Remove all of it (after the result is safe elsewhere)."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _stamp(path: Path) -> tuple[Any, ...]:
    """Changes when a file of a checkpoint does."""
    try:
        found = [(file.name, file.stat()) for file in path.iterdir()]
    except OSError as error:
        return (str(error),)
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in found))


@lru_cache(maxsize=64)
def _damage(path: Path, _stamp: tuple[Any, ...]) -> str:
    """What is wrong with a checkpoint, logged once; empty: nothing.

    Checkpoints from before there were checksums are judged by those of their zip files.
    """
    try:
        state = _read_state(path)
        if path.name != f"step-{state.step:09d}":
            raise ValueError(f"{_STATE} is of step {state.step}")
        if (path / SUMS).exists():
            _check_sums(path)
        else:
            _read_arrays(path / _MODEL), _read_arrays(path / _OPTIMIZER)
    except Exception as error:  # a broken zip file raises anything, down to struct.error and MemoryError
        reason = f"{type(error).__name__}: {error}"
        logger.warning("The checkpoint %s is damaged and is passed over (%s)", path, reason)
        return reason
    return ""


def _check_sums(path: Path) -> None:
    stored = set((path / SUMS).read_text().splitlines())
    for name in (_MODEL, _OPTIMIZER, _STATE):
        if _sum_line(path / name) not in stored:
            raise ValueError(f"{name} is not what was written")


def _read_state(path: Path) -> TrainingState:
    return TypeAdapter(TrainingState).validate_json((path / _STATE).read_bytes())


def _read_arrays(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as stored:
        return [stored[key] for key in sorted(stored.files)]


def _fit(arrays: Arrays, variables: list[Any]) -> bool:
    return [a.shape for a in arrays] == [tuple(v.shape) for v in variables]


def _write_arrays(path: Path, variables: list[Any]) -> None:
    arrays = {f"{i:04d}": keras.ops.convert_to_numpy(v.value) for i, v in enumerate(variables)}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sum_line(path: Path) -> str:
    with path.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}"


def _sync(folder: Path) -> None:
    """Make the folder's entries safe against a loss of power."""
    entries = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entries)
    finally:
        os.close(entries)
