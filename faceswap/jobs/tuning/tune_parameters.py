"""What the search for good settings takes: a form in Prefect's UI, checked words on the command line."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from faceswap import backend, storage
from faceswap.errors import SettingsError
from faceswap.jobs.preset_choice import MachinesPreset, crops_of, preset_for
from faceswap.model.presets import preset
from faceswap.model.training.schedule import Budget
from faceswap.settings import settings
from faceswap.tuning.objective import Objective
from faceswap.tuning.plan import Algorithm, SearchPlan
from faceswap.tuning.search_space import Dimension, SearchSpace, load_space

if TYPE_CHECKING:  # it brings OpenCV and pandas
    from faceswap.faces.faceset import FaceSet


OBSERVER = "faceswap.jobs.tuning.trial_runs:watch"
"""What tells MLflow of a trial, for :attr:`SearchPlan.observer`."""


def searches() -> Path:
    """Where searches keep their state, each in a folder with its id: the same for the same question."""
    return settings().work_path / "tune"


def search_of(run_id: str) -> Path:
    """The folder of the search that an MLflow run tells of.

    Raises:
        SettingsError: there is none on this machine.
    """
    for file in searches().glob("*/search.json"):
        if SearchPlan.load(file.parent).run_id == run_id:
            return file.parent
    raise SettingsError(
        f"Run {run_id} left no search under {searches()}",
        "resume on the machine (or with the FACESWAP_WORK) it ran on, or give the same input again",
    )


def _absolute(uri: str) -> str:
    """The same place for a process that works in another folder."""
    return uri if storage.is_s3(uri) else str(Path(uri).resolve())


class TuneParameters(BaseModel):
    """Face sets in; a table, a plot and the best settings out."""

    model_config = ConfigDict(extra="forbid")

    face_sets: list[str] = Field(
        description="folders or s3:// prefixes of face sets, one per identity", min_length=1
    )
    preset: MachinesPreset = None
    space: str = Field(
        "bottleneck",
        description="what is searched: bottleneck, widths, everything, or a JSON or YAML file",
    )
    dimensions: list[Dimension] = Field(
        [], description="more dimensions, or others in place of those of the same field"
    )
    algorithm: Algorithm = Field(
        "bayesian",
        description="bayesian: each trial where most is expected; hyperband: many short ones, the best go on",
    )
    trials: int | None = Field(
        None, ge=1, description="at most so many; empty: 12, with hyperband its scheme"
    )
    minutes: float | None = Field(
        None, gt=0, description="of one whole training (give one of minutes, steps); empty: 2"
    )
    steps: int | None = Field(None, gt=0, description="of one whole training, in optimizer steps")
    total_minutes: float | None = Field(None, gt=0, description="no trial begins later than this")
    objective: Objective = Field(Objective(), description="weights of what makes a swap good")
    tolerance: float = Field(
        0.01, ge=0, le=1, description="of trials whose quality differs by less, the smallest network wins"
    )
    frames: int = Field(12, ge=2, le=1000, description="held-out frames a pair is measured on")
    rungs: int = Field(3, ge=1, le=6, description="hyperband: trainings are compared so many times")
    factor: int = Field(3, ge=2, le=10, description="hyperband: one in so many goes on")
    seed: int = Field(
        0, ge=0, lt=2**31, description="of the values that are tried, of batches and initial weights"
    )
    workers: int | None = Field(
        None, ge=1, le=64, description="trials at the same time on this machine; empty: 1"
    )
    oracle_ip: str = Field(
        "",
        description="several machines: the chief's address; empty: KERASTUNER_ORACLE_IP, or this one alone",
    )
    oracle_port: int | None = Field(
        None, ge=1, le=65535, description="the chief's port; empty: KERASTUNER_ORACLE_PORT"
    )
    tuner_id: str = Field("", description="chief, or a worker's own name; empty: KERASTUNER_TUNER_ID")
    then_train_minutes: float | None = Field(
        None, gt=0, description="train the winner for so long and register it; empty: don't"
    )
    fresh: bool = Field(False, description="forget an earlier search of the same input")
    resume: str = Field("", description="MLflow run id of an interrupted search to go on with")

    def budget(self) -> Budget:
        """Of one whole training.

        Raises:
            SettingsError: both minutes and steps are given.
        """
        if self.minutes and self.steps:
            raise SettingsError("Both minutes and steps are given", "give one of them")
        return Budget(steps=self.steps) if self.steps else Budget(minutes=self.minutes or 2.0)

    def search_space(self) -> SearchSpace:
        """What is searched.

        Raises:
            SettingsError: there is no such space, or a dimension does not fit the preset.
        """
        space = load_space(self.space).extended(tuple(self.dimensions))
        space.check(preset(self.preset or backend.SMALL_PRESET))
        return space

    def checked(self) -> "TuneParameters":
        """All that can be said before the work begins; with ``resume`` those of the interrupted search.

        Raises:
            SettingsError: options contradict each other, or there is no such search or space.
        """
        found = self._of_interrupted() if self.resume else self
        found.budget()
        found.place()
        found.search_space()
        return found

    def _of_interrupted(self) -> "TuneParameters":
        file = search_of(self.resume) / "parameters.json"
        stored = TuneParameters.model_validate_json(file.read_bytes())
        now = {"workers", "trials", "total_minutes", "then_train_minutes", "resume"}
        given = self.model_dump(include=now & self.model_fields_set, exclude_none=True)
        return stored.model_copy(update={"fresh": False, **given})

    def plan(self, sets: "dict[str, FaceSet]") -> SearchPlan:
        """A new search.

        Raises:
            SettingsError: there is only one identity, or a dimension does not fit the preset.
        """
        if len(sets) < 2:
            raise SettingsError("One identity alone can't be swapped", "give two or more face sets")
        space = self.search_space()
        chosen = preset_for(self.preset, self.minutes, space.check, crops_of(sets))
        # The search's id does not know the order, but a trial that goes on finds its decoders by it.
        ordered = dict(sorted(sets.items()))
        return SearchPlan(
            face_sets=tuple(_absolute(faces.uri) for faces in ordered.values()),
            digests={name: faces.digest for name, faces in ordered.items()},
            preset=preset(chosen),
            space=space,
            objective=self.objective,
            algorithm=self.algorithm,
            budget=self.budget(),
            rungs=self.rungs,
            factor=self.factor,
            seed=self.seed,
            frames=self.frames,
            tolerance=self.tolerance,
            observer=OBSERVER,
            **self._limits(),
        )

    def interrupted_plan(self) -> SearchPlan:
        """The search to resume as it was begun, whatever its names mean by now; only its limits are today's.

        Raises:
            SettingsError: there is no such search.
        """
        return SearchPlan.load(search_of(self.resume)).model_copy(
            update={"observer": OBSERVER, **self._limits()}
        )

    def _limits(self) -> dict[str, Any]:
        workers = self.workers or 1
        return {
            "trials": self.trials or (12 if self.algorithm == "bayesian" else None),
            "total_minutes": self.total_minutes,
            "threads": max(1, (os.cpu_count() or 1) // workers) if workers > 1 else 0,
        }

    def place(self) -> tuple[str, str, int]:
        """Role (``chief``, ``worker`` or, alone, nothing), address and port, from the form or the environment.

        Raises:
            SettingsError: only some of the three are given.
        """
        ip = self.oracle_ip or os.environ.get("KERASTUNER_ORACLE_IP", "")
        port = str(self.oracle_port or os.environ.get("KERASTUNER_ORACLE_PORT", ""))
        name = self.tuner_id or os.environ.get("KERASTUNER_TUNER_ID", "")
        if not ip and not name:
            return "", "", 0
        if not (ip and name and port.isdecimal()):
            raise SettingsError(
                f"A shared search needs address, port and name, not {ip!r}, {port!r}, {name!r}",
                "give oracle_ip, oracle_port and tuner_id, or Keras-Tuner's environment variables",
            )
        return ("chief" if "chief" in name else name), ip, int(port)
