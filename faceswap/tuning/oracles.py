"""Keras-Tuner's Hyperband and Bayesian oracles, made to survive a kill, a failure and a small space."""

import json
import math
import time
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from faceswap.files.atomic import write_text
from faceswap.tuning.plan import SearchPlan
from faceswap.tuning.search_space import Choice, FloatRange, IntRange, SearchSpace, Value

QUALITY = keras_tuner.Objective("quality", "max")


class _Steadfast(keras_tuner.Oracle):  # a mixin: it comes before one of Keras-Tuner's own oracles
    """What both oracles need beyond Keras-Tuner.

    - The sweep comes before the random values.
    - The search ends by its limits, and when every point of the space is tried; Keras-Tuner's Bayesian oracle would
      propose the same point again and again.
    - Files are written whole: a kill during Keras-Tuner's own writing leaves half a file, and no resume.
    - A trial that was begun but not yet recorded when the search was killed is forgotten, and drawn again.
    """

    def prepare(self, plan: SearchPlan) -> None:
        """Tell the plan; before the first trial."""
        self._plan = plan
        self._points = plan.space.first_points(plan.preset)
        self._earlier = 0.0
        self._began = time.monotonic()
        self.verbose = 0

    @property
    def used_seconds(self) -> float:
        """Wall time of the search over all sittings."""
        return self._earlier + time.monotonic() - self._began

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        plan = self._plan
        late = plan.total_minutes is not None and self.used_seconds >= 60 * plan.total_minutes
        if late or (plan.trials is not None and len(self.trials) >= plan.trials):
            return {"status": TrialStatus.STOPPED}
        response: dict[str, Any] = super().populate_space(trial_id)
        values = response.get("values")
        if values and "tuner/trial_id" not in values and self._duplicate(values):
            values = self._random_values()
            response = {"status": TrialStatus.RUNNING, "values": values}
        if response["status"] == TrialStatus.RUNNING and not values:
            return {"status": TrialStatus.STOPPED}
        return response

    def _random_values(self) -> dict[str, Value] | None:
        untried = (point for point in self._points if not self._tried(point))
        first = next(untried, None)
        return dict(first) if first else super()._random_values()  # Hyperband writes into it

    def _tried(self, point: dict[str, Value]) -> bool:
        return any(
            {k: v for k, v in trial.hyperparameters.values.items() if not k.startswith("tuner/")} == point
            for trial in self.trials.values()
        )

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "used_seconds": self.used_seconds}

    def set_state(self, state: dict[str, Any]) -> None:
        known = set(state["start_order"])
        self.trials: dict[str, Any] = {i: t for i, t in sorted(self.trials.items()) if i in known}
        super().set_state(state)
        self._earlier = state["used_seconds"]

    def save(self) -> None:
        write_text(Path(self._get_oracle_fname()), json.dumps(self.get_state()))

    def _save_trial(self, trial: Any) -> None:
        file = Path(self._get_trial_dir(trial.trial_id), "trial.json")
        write_text(file, json.dumps(trial.get_state()))


class Hyperband(_Steadfast, keras_tuner.oracles.HyperbandOracle):
    """Many short trainings, the better ones go on."""


class Bayesian(_Steadfast, keras_tuner.oracles.BayesianOptimizationOracle):
    """Each training where a Gaussian process expects most."""


def oracle_for(plan: SearchPlan) -> Hyperband | Bayesian:
    """The oracle of a plan. Trials' numbers have four digits, so that a search can be extended."""
    shared = {
        "objective": QUALITY,
        "hyperparameters": hyperparameters(plan.space),
        "allow_new_entries": False,
        "tune_new_entries": False,
        "seed": plan.seed + 1,  # Keras-Tuner takes 0 for "any"
        "max_consecutive_failed_trials": 1_000_000,  # see tuner.py: failures are results
    }
    oracle: Hyperband | Bayesian
    if plan.algorithm == "hyperband":
        oracle = Hyperband(
            max_epochs=epochs(plan), factor=plan.factor, hyperband_iterations=plan.iterations, **shared
        )
    else:
        initial = plan.space.sweep + len(plan.space.dimensions)
        oracle = Bayesian(max_trials=None, num_initial_points=max(3, initial), **shared)
    oracle.prepare(plan)
    return oracle


def epochs(plan: SearchPlan) -> int:
    """The budget of a whole training in Hyperband's units: 1 on the first of the rungs."""
    return plan.factor ** (plan.rungs - 1)


def expected_trials(plan: SearchPlan) -> int | None:
    """How many trials the search makes at most; None where only time or the space ends it."""
    counts = [plan.trials] if plan.trials else []
    if plan.algorithm == "hyperband":
        last = math.ceil(1 + math.log(epochs(plan), plan.factor))
        rounds = [
            math.ceil(last / (bracket + 1) * plan.factor ** (bracket - rung))
            for bracket in range(plan.rungs)
            for rung in range(bracket + 1)
        ]
        counts.append(plan.iterations * sum(rounds))
    return min(counts) if counts else None


def hyperparameters(space: SearchSpace) -> keras_tuner.HyperParameters:
    """The space in Keras-Tuner's words."""
    found = keras_tuner.HyperParameters()
    for dimension in space.dimensions:
        match dimension:
            case IntRange() | FloatRange():
                declare = found.Int if isinstance(dimension, IntRange) else found.Float
                declare(
                    dimension.field,
                    dimension.low,
                    dimension.high,
                    step=dimension.step,
                    sampling="log" if dimension.log else "linear",
                )
            case Choice():
                found.Choice(dimension.field, dimension.encoded)
    return found
