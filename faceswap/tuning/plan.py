"""What a search is, what a trial is asked and what it answers: plain data in JSON files in one folder.

``<search>/search.json`` is the plan, ``<search>/oracle/`` belongs to Keras-Tuner, ``<search>/trials/<id>/`` holds
``job.json``, ``log.txt``, ``checkpoints/`` and, when the trial is over, ``result.json``.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from faceswap.errors import SettingsError
from faceswap.files.atomic import write_text
from faceswap.model.presets import Preset
from faceswap.model.training.schedule import Budget
from faceswap.tuning.objective import FAILED, Objective
from faceswap.tuning.search_space import SearchSpace, Value

logger = logging.getLogger(__name__)
Algorithm = Literal["bayesian", "hyperband"]
Status = Literal["completed", "diverged", "out of memory", "crashed", "does not fit"]
TRAIN = "faceswap.tuning.training:train"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SearchPlan(_Data):
    """A search, complete: any process that reads it can take part."""

    face_sets: tuple[str, ...] = Field(description="their places, in the order of the decoders")
    digests: dict[str, str] = Field(description="identity -> digest of its face set, in the same order")
    preset: Preset = Field(description="what the trials vary")
    space: SearchSpace
    objective: Objective = Objective()
    algorithm: Algorithm = "bayesian"
    budget: Budget = Field(description="of one trial; with Hyperband: of one that reaches the last rung")
    rungs: int = Field(3, ge=1, le=6, description="Hyperband: trainings are compared so many times")
    factor: int = Field(3, ge=2, le=10, description="Hyperband: one in so many goes on to the next rung")
    iterations: int = Field(1, ge=1, description="Hyperband: how often the whole scheme is run")
    seed: int = Field(0, ge=0)
    frames: int = Field(12, ge=2, description="held-out frames of each pair that the quality is measured on")
    tolerance: float = Field(0.01, ge=0, description="qualities that differ by less count as equal")
    trials: int | None = Field(None, ge=1, description="at most so many")
    total_minutes: float | None = Field(None, gt=0, description="no trial begins later than this")
    threads: int = Field(0, ge=0, description="of each trial; 0: all cores")
    run_id: str = Field("", description="the tracker's run that the trials belong to")
    task: str = Field(TRAIN, description="what a trial's process calls, as module:function")
    observer: str = Field("", description="whom it tells, as module:function; empty: nobody")

    @property
    def search_id(self) -> str:
        """The same for the same question: limits that only extend a search don't change it."""
        without = {"trials", "total_minutes", "threads", "run_id", "observer", "face_sets", "tolerance"}
        text = json.dumps(self.model_dump(mode="json", exclude=without), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def budget_of(self, share: float) -> Budget:
        """That share (0..1] of a trial's budget."""
        whole = self.budget
        if whole.steps:
            return Budget(steps=max(1, round(whole.steps * share)))
        if whole.minutes:
            return Budget(minutes=whole.minutes * share)
        assert whole.epochs is not None
        return Budget(epochs=whole.epochs * share)

    def variant(self, values: Mapping[str, Value]) -> Preset:
        """The preset that a trial with these values trains.

        Raises:
            SettingsError: the values don't fit each other.
        """
        return self.preset.with_(**self.space.changes(values))

    def save(self, folder: Path) -> None:
        """Write it to a search's folder."""
        write_text(folder / "search.json", self.model_dump_json(indent=1))

    @classmethod
    def load(cls, folder: Path) -> "SearchPlan":
        """The plan in a search's folder.

        Raises:
            SettingsError: there is none.
        """
        try:
            return cls.model_validate_json((folder / "search.json").read_bytes())
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{folder} holds no search: {error}", "name the folder of a search"
            ) from error


class TrialJob(_Data):
    """One trial, complete: ``python -m faceswap.tuning.trial FOLDER`` runs it."""

    trial_id: str
    search: Path = Field(description="the search's folder")
    values: dict[str, Value] = Field(description="field -> the searched value, as Keras-Tuner gives it")
    budget: Budget
    rung: int = 0
    continues: str = Field("", description="trial whose training goes on")

    @property
    def folder(self) -> Path:
        """Where the trial keeps its files."""
        return trial_folder(self.search, self.trial_id)


class TrialResult(_Data):
    """What a training answers."""

    measures: dict[str, float] = Field(description="the evaluation protocol's, means over the pairs")
    steps: int = 0
    first_step: int = Field(0, description="where it began: not 0 where a training went on")
    seconds: float = Field(0.0, description="trained, over all sittings and rungs")
    images_per_second: float = 0.0
    parameters: int = Field(0, description="weights of the encoder and all decoders")
    rollbacks: int = 0
    peak_memory_mb: float = 0.0


class TrialRecord(_Data):
    """One trial when it is over, whether it went well or not."""

    trial_id: str
    values: dict[str, Value]
    changes: dict[str, Any] = Field(description="what Preset.with_ takes")
    rung: int
    continues: str
    status: Status
    message: str = ""
    quality: float = Field(FAILED, description="the objective, 0..1")
    wall_seconds: float = Field(0.0, description="with start and measurement")
    result: TrialResult = TrialResult(measures={})

    @property
    def completed(self) -> bool:
        """Whether it has a quality to compare."""
        return self.status == "completed"


def trial_folder(search: Path, trial_id: str) -> Path:
    """The folder of a trial."""
    return search / "trials" / trial_id


def read_record(search: Path, trial_id: str) -> TrialRecord | None:
    """The record of a trial that is over, else None; a damaged one is passed over with a warning."""
    file = trial_folder(search, trial_id) / "result.json"
    try:
        return TrialRecord.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        logger.warning("%s is damaged, its trial counts as not done: %s", file, str(error).splitlines()[0])
        return None


def read_records(search: Path) -> list[TrialRecord]:
    """All trials of a search that are over, in the order of their numbers."""
    found = (read_record(search, path.parent.name) for path in search.glob("trials/*/result.json"))
    return sorted((r for r in found if r), key=lambda record: record.trial_id)
