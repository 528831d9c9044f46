"""What a trial does: train a variant of the preset, go on where it was, measure its swaps on held-out frames."""

import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceSetError
from faceswap.evaluation.means import mean_measures
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.quick import SwapQuality
from faceswap.evaluation.rendering.sheets import case_sheet
from faceswap.faces.faceset import FaceSet
from faceswap.faces.finding.finder import measuring_finder
from faceswap.model.options import TrainingOptions
from faceswap.model.presets import Preset
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.result import Observer
from faceswap.model.training.trainer import Trainer
from faceswap.settings import settings
from faceswap.swap.masks.visibility import seen_in_crops
from faceswap.tuning.plan import SearchPlan, TrialJob, TrialResult

_POINTS = 20
"""Points of a trial's loss curve, at least; short trials report more often than every 5 s."""


class TrialObserver(Observer, Protocol):
    """Who is told of a trial."""

    def measured(
        self, result: TrialResult, pairs: list[PairResult], pictures: dict[str, NDArray[np.uint8]]
    ) -> None:
        """The trial is trained and measured."""


class Silent:
    """Tells nobody."""

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """Nothing."""

    def validated(self, step: int, model: Autoencoders) -> None:
        """Nothing."""

    def progress(self, share: float, message: str) -> None:
        """Nothing."""

    def measured(
        self, result: TrialResult, pairs: list[PairResult], pictures: dict[str, NDArray[np.uint8]]
    ) -> None:
        """Nothing."""


Watch = Callable[
    [TrialJob, SearchPlan, Mapping[str, FaceSet], TrainingData], AbstractContextManager[TrialObserver]
]
"""Opens an observer for a trial; ``SearchPlan.observer`` names one as module:function."""


def train(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Train and measure the trial's variant.

    Raises:
        FaceSetError: a face set is not the one that the search was begun with.
        DivergedError: the loss is not a number.
    """
    sets = {faces.identity: faces for faces in map(FaceSet.load, plan.face_sets)}
    found = {name: faces.digest for name, faces in sets.items()}
    if found != plan.digests:
        raise FaceSetError(
            f"The face sets {', '.join(plan.face_sets)} are not those the search was begun with",
            "start a new search",
        )
    preset = plan.variant(job.values)
    data = TrainingData(sets, preset, seen_in_crops)
    identities = {name: faces.mean_embedding for name, faces in sets.items()}
    quality = SwapQuality(sets, identities, measuring_finder(settings().detector), data.views)
    watch: Watch = pkgutil.resolve_name(plan.observer) if plan.observer else lambda *_: nullcontext(Silent())
    with watch(job, plan, sets, data) as observer:
        model, result = fit(job, plan, data, preset, observer)
        pairs = quality.pairs(model, plan.frames, reconstruct=True)
        result = result.model_copy(update={"measures": mean_measures(pairs)})
        pictures = {
            f"{p.reference}-on-{p.target}": case_sheet(
                p, quality.swapper(model, p.reference), sets[p.target], sets[p.reference]
            )
            for p in pairs
        }
        observer.measured(result, pairs, pictures)
    return result


def fit(
    job: TrialJob, plan: SearchPlan, data: TrainingData, preset: Preset, observer: Observer
) -> tuple[Autoencoders, TrialResult]:
    """Train within the trial's budget; from a checkpoint in its folder, its own or an earlier rung's, go on."""
    pace = _seconds(job)
    options = TrainingOptions(
        budget=job.budget,
        seed=plan.seed,
        report_seconds=min(5.0, pace / _POINTS),
        validate_seconds=max(2.0, pace / 4),
        checkpoint_seconds=30,
    )
    trainer = Trainer(
        data,
        preset,
        options,
        job.folder / "checkpoints",
        observer,
        face_sets=plan.digests,
        run_id=plan.run_id,
    )
    first_step = trainer.resume() if trainer.checkpoints.latest() else 0
    done = trainer.train()
    return done.model, TrialResult(
        measures={},
        steps=done.steps,
        first_step=first_step,
        seconds=round(done.seconds, 2),
        images_per_second=round(done.images_per_second, 2),
        parameters=int(done.model.count_params()),
        rollbacks=done.rollbacks,
    )


def _seconds(job: TrialJob) -> float:
    """How long the trial takes, about: known for minutes, a guess for steps and epochs."""
    return job.budget.minutes * 60 if job.budget.minutes else 60.0
