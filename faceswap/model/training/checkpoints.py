"""Checkpoints: weights, optimizer, step and clock in one atomic folder, independent of the Keras backend.

The random state needs no bytes: every batch is drawn from (seed, step).
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import CheckpointError

_KEEP = 2


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
    """The last checkpoints of one run in a folder.

    Args:
        folder: local folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, state: TrainingState) -> Path:
        """Write one checkpoint; the one before it stays until this one is whole.

        Raises:
            CheckpointError: it can't be written (a full disk, no permission); older ones are untouched.
        """
        final = self.folder / f"step-{state.step:09d}"
        part = self.folder / f".part-{os.getpid()}-{state.step}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            _write_arrays(part / "model.npz", model.weights)
            _write_arrays(part / "optimizer.npz", optimizer.variables)
            _write_synced(part / "state.json", json.dumps(asdict(state)).encode())
            if final.exists():  # the same step again (a cancel right after a save)
                shutil.rmtree(final)
            part.rename(final)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise CheckpointError(
                f"The checkpoint at step {state.step} can't be written to {self.folder}: {error.strerror or error}",
                "make room or set FACESWAP_WORK to another folder, then resume: the last checkpoint is whole",
            ) from error
        for old in self._all()[:-_KEEP]:
            shutil.rmtree(old, ignore_errors=True)
        return final

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))

    def latest(self) -> TrainingState | None:
        """The state of the newest readable checkpoint, or None where there is none."""
        for path in reversed(self._all()):
            try:
                values = json.loads((path / "state.json").read_text())
                values["history"] = [(s, t, m) for s, t, m in values["history"]]
                return TrainingState(**values)
            except (OSError, ValueError, TypeError):
                continue
        return None

    def restore(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> TrainingState:
        """Load the newest checkpoint into a built model and its built optimizer.

        Raises:
            CheckpointError: there is none, or it belongs to another architecture.
        """
        state = self.latest()
        if state is None:
            raise CheckpointError(
                f"There is no checkpoint in {self.folder}", "start the training without resume"
            )
        path = self.folder / f"step-{state.step:09d}"
        _read_arrays(path / "model.npz", model.weights)
        _read_arrays(path / "optimizer.npz", optimizer.variables)
        return state

    def clear(self) -> None:
        """Remove all of it (after the result is safe elsewhere)."""
        shutil.rmtree(self.folder, ignore_errors=True)


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


def _read_arrays(path: Path, variables: list[Any]) -> None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays: list[NDArray[Any]] = [stored[key] for key in sorted(stored.files)]
    except (OSError, ValueError) as error:
        raise CheckpointError(f"The checkpoint {path} can't be read: {error}") from error
    if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
        raise CheckpointError(
            f"The checkpoint {path} belongs to another architecture",
            "resume with the preset and the identities that it was started with",
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
