"""How a trial of a search shows itself in MLflow; imported in the trial's own process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap import tracking
from faceswap.evaluation.pair_result import PairResult
from faceswap.faces.faceset import FaceSet
from faceswap.files.atomic import write_text
from faceswap.model.device import device
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.previews import preview_sheet
from faceswap.provenance.consent.life import Purpose
from faceswap.registry import consents
from faceswap.registry.cards.origin import in_training
from faceswap.tuning.plan import SearchPlan, TrialJob, TrialRecord, TrialResult


class TrialRun:
    """Tells a trial's MLflow run how it goes."""

    def __init__(self, run: tracking.Run, plan: SearchPlan, data: TrainingData) -> None:
        self.run, self.plan, self.data = run, plan, data

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """New numbers at a step."""
        self.run.metrics(values, step)

    def validated(self, step: int, model: Autoencoders) -> None:
        """A preview."""
        origin = in_training(self.data.identities, self.run.run_id)
        self.run.image(preview_sheet(model, self.data), "preview", step, origin)

    def progress(self, share: float, message: str) -> None:
        """Shows nothing: the search shows its own progress.

        Raises:
            ConsentError: one of the people has withdrawn.
        """
        consents.require_all(self.data.identities, Purpose.TRAINING)

    def measured(
        self, result: TrialResult, pairs: list[PairResult], pictures: dict[str, NDArray[np.uint8]]
    ) -> None:
        """The evaluation: numbers at the last step, the table, a picture of each pair."""
        quality = self.plan.objective.quality(result.measures)
        terms = {f"quality.{k}": v for k, v in self.plan.objective.terms(result.measures).items()}
        account = result.model_dump(
            include={"parameters", "seconds", "rollbacks", "images_per_second", "first_step"}
        )
        self.run.metrics({**result.measures, **terms, **account, "quality": quality}, result.steps)
        self.run.document([pair.to_report() for pair in pairs], "evaluation.json")
        for name, picture in pictures.items():
            origin = in_training(name.split("-on-")[:1], self.run.run_id)
            self.run.picture(picture, f"cases/{name}.png", origin)
        self.run.tags({"status": "completed"})


@contextmanager
def watch(
    job: TrialJob, plan: SearchPlan, sets: Mapping[str, FaceSet], data: TrainingData
) -> Iterator[TrialRun]:
    """The trial's run, nested in the search's; an interrupted trial goes on in its old run."""
    file = run_file(job.folder)
    with tracking.run(
        title(job.trial_id, plan.space.changes(job.values)),
        "trial",
        run_id=file.read_text() if file.exists() else "",
        parent=plan.run_id,
        tags=labels(job.trial_id, job.continues, plan, job.search),
    ) as run:
        write_text(file, run.run_id)
        run.parameters(
            {
                "trial": {"rung": job.rung, "seed": plan.seed, **job.budget.model_dump(exclude_none=True)},
                "preset": plan.variant(job.values).model_dump(mode="json"),
            }
        )
        run.tags({"device": str(device())})
        for faces in sets.values():
            run.face_set(faces.identity, faces.digest, faces.uri, faces.count("train"))
        yield TrialRun(run, plan, data)


def title(trial_id: str, changes: Mapping[str, Any]) -> str:
    """What the UI calls a trial."""
    return f"trial {trial_id}: " + ", ".join(f"{k} {v}" for k, v in changes.items())[:120]


def labels(trial_id: str, continues: str, plan: SearchPlan, search: Path) -> dict[str, str]:
    """Tags of a trial's run."""
    found = {"trial": trial_id, "search": plan.search_id}
    before = run_file(search / "trials" / continues)
    if continues:
        found |= {"continues": continues}
        found |= {"continues_run_id": before.read_text()} if before.exists() else {}
    return found


def run_file(folder: Path) -> Path:
    """Where a trial's folder keeps its run id."""
    return folder / "mlflow_run_id"


def record_failure(record: TrialRecord, plan: SearchPlan, search: Path) -> None:
    """A failed trial's run ends as FAILED and says why; one that died before it had a run gets one."""
    file = run_file(search / "trials" / record.trial_id)
    told = {"status": record.status, "error": record.message[:2000]}
    if not file.exists():
        changes = record.changes
        tags = labels(record.trial_id, record.continues, plan, search)
        with tracking.run(title(record.trial_id, changes), "trial", parent=plan.run_id, tags=tags) as run:
            run.parameters({"preset": changes, "trial": {"rung": record.rung}})
            write_text(file, run.run_id)
    tracking.end_run(file.read_text(), "FAILED", told)
