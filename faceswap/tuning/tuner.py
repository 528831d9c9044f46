"""Keras-Tuner runs our trials: it chooses the values, a process trains them, the record is the result."""

import contextlib
import io
import json
import logging
import os
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.errors import FatalError

from faceswap.errors import SettingsError, TrainingError
from faceswap.files.atomic import write_text
from faceswap.tuning import trial as trials
from faceswap.tuning.oracles import epochs, oracle_for
from faceswap.tuning.plan import SearchPlan, TrialJob, TrialRecord, read_record, read_records, trial_folder

logger = logging.getLogger(__name__)
Told = Callable[[TrialRecord], None]
"""Called after each trial."""
_HOPELESS = 5
"""So many failures without one success end a search: something else than the values is wrong."""


class _Stop(FatalError):
    """Ends the search; Keras-Tuner would record any other exception of ours as a failed trial, and go on."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class SearchTuner(BaseTuner):
    """Keras-Tuner's loop over our trials.

    A failed trial is reported with the lowest quality, 0, not as Keras-Tuner's failure: Hyperband's rungs would wait
    for it forever and promote nobody, and the Bayesian model would not learn to keep away.

    Args:
        folder: of the search.
        plan: what to search.
        told: called after each trial.
    """

    def __init__(self, folder: Path, plan: SearchPlan, told: Told) -> None:
        self.folder, self.plan, self.told = folder, plan, told
        self._asked = 0
        with contextlib.redirect_stdout(io.StringIO()):  # it prints that it reloads
            super().__init__(oracle_for(plan), directory=str(folder), project_name="oracle")

    def _get_tuner_fname(self) -> str:
        # One name for all roles: a search begun by one process goes on with a chief, and the other way round.
        return str(self.folder / "oracle" / "tuner.json")

    def save(self) -> None:
        """Keep the state of the search, whole or not at all."""
        if not self._is_worker():
            self.oracle.save()
        write_text(Path(self._get_tuner_fname()), json.dumps(self.get_state()))

    def pre_create_trial(self) -> None:
        """Keras-Tuner asks again at once while it waits for other workers: give it a rest."""
        if self._asked:
            time.sleep(0.5)
        self._asked += 1

    def run_trial(self, trial: Any, *_args: Any, **_kwargs: Any) -> dict[str, float]:
        """Run one trial and return its quality."""
        self._asked = 0
        try:
            record = self._run(trial)
            self.told(record)
        except Exception as error:  # a trial's own failures are records by now
            raise _Stop(error) from error
        return {"quality": record.quality}

    def _run(self, trial: Any) -> TrialRecord:
        values = dict(trial.hyperparameters.values)
        share = values.get("tuner/epochs", 1) / epochs(self.plan) if "tuner/epochs" in values else 1.0
        job = TrialJob(
            trial_id=trial.trial_id,
            search=self.folder,
            values={k: v for k, v in values.items() if not k.startswith("tuner/")},
            budget=self.plan.budget_of(share),
            rung=int(values.get("tuner/round", 0)),
            continues=str(values.get("tuner/trial_id", "")),
        )
        done = read_record(self.folder, job.trial_id)
        if done and done.values == job.values:
            return done
        (job.folder / "result.json").unlink(missing_ok=True)  # damaged, or of a state that was: see search()
        job.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.plan.variant(job.values)
        except SettingsError as error:
            return trials.record_of(job, self.plan, "does not fit", str(error))
        failed = self._inherit(job)
        record = failed or trials.run(job, self.plan)
        if self.plan.algorithm != "hyperband" or not record.completed:
            shutil.rmtree(job.folder / "checkpoints", ignore_errors=True)  # nobody goes on from it
        self._check_hope()
        return record

    def _inherit(self, job: TrialJob) -> TrialRecord | None:
        """Take over the checkpoints of the trial that goes on; its failure too."""
        if not job.continues:
            return None
        before = read_record(self.folder, job.continues)
        if before is None or not before.completed:
            status = before.status if before else "crashed"
            return trials.record_of(job, self.plan, status, f"it would go on from trial {job.continues}")
        source, target = (trial_folder(self.folder, i) / "checkpoints" for i in (job.continues, job.trial_id))
        if source.exists() and not target.exists():
            source.rename(target)  # no rung goes on twice from the same trial
        return None

    def _check_hope(self) -> None:
        records = read_records(self.folder)
        if len(records) >= _HOPELESS and not any(r.completed for r in records):
            last = records[-1]
            raise TrainingError(
                f"All of the first {len(records)} trials failed; trial {last.trial_id} {last.status}: {last.message}",
                f"correct the cause; the logs are under {self.folder}",
            )


def search(folder: Path, plan: SearchPlan, told: Told = lambda record: None) -> None:
    """Search until a limit is reached; go on where the search in the folder was killed.

    With ``KERASTUNER_ORACLE_IP``, ``…_PORT`` and ``KERASTUNER_TUNER_ID`` set, this process is the chief, who only
    gives out trials, or one of its workers.

    Raises:
        TrainingError: a full disk or a lost server stopped it, or nothing works; it can be started again.
        Exception: what ``told`` raises.
    """
    try:
        tuner = SearchTuner(folder, plan, told)
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
    ) as error:  # of a damaged file, as Keras-Tuner reads it
        state = folder / "oracle"
        if role() == "worker" or not state.exists():
            raise
        aside = folder / "oracle.damaged"
        logger.warning(
            "%s is damaged (%s): the search is repeated with the trials that are done", state, error
        )
        shutil.rmtree(aside, ignore_errors=True)
        state.rename(aside)
        tuner = SearchTuner(folder, plan, told)
    try:
        with warnings.catch_warnings():
            # The Gaussian process of few trials says so at every step.
            warnings.filterwarnings("ignore", message="The optimal value found for dimension")
            tuner.search(verbose=0)
    except _Stop as stop:
        raise stop.cause from stop


def clean_up(folder: Path) -> None:
    """Remove the checkpoints of a finished search; records, logs and Keras-Tuner's state stay."""
    for path in folder.glob("trials/*/checkpoints"):
        shutil.rmtree(path, ignore_errors=True)


def role() -> str:
    """``chief``, ``worker`` or, alone, nothing: by Keras-Tuner's environment."""
    if "KERASTUNER_ORACLE_IP" not in os.environ:
        return ""
    return "chief" if "chief" in os.environ.get("KERASTUNER_TUNER_ID", "") else "worker"
