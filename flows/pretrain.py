"""Pretrain: fictional people in, the prior out that every training starts from."""

import os
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from faceswap import tracking
from faceswap.model import weights
from faceswap.model.device import device
from faceswap.model.priors.pretraining import (
    STAND_IN,
    FictionalData,
    PretrainingOptions,
    Rendered,
    pretraining_preset,
    render_pairs,
)
from faceswap.model.priors.prior import save_prior
from faceswap.model.training.schedule import Budget
from faceswap.model.training.trainer import Trainer, TrainingOptions
from faceswap.settings import settings
from flows import runtime, work
from flows.parameters import PretrainParameters
from flows.train import Observer


@task(name="render people", cache_policy=NO_CACHE)
def render_people(options: PretrainingOptions) -> Rendered:
    """Everybody, and the stand-in in the same scenes."""
    with runtime.progress(f"render {options.people} people") as report:
        return render_pairs(options, settings().workers or os.cpu_count() or 1, report)


@flow(name="pretrain")
def pretrain(parameters: PretrainParameters) -> Path:
    """Learn faces from people who do not exist; writes the prior and logs it with its origin.

    Interrupted and started again with the same options, it goes on from its last checkpoint, in the same MLflow run.
    """
    options = parameters.options.fitting(parameters.preset.value)
    recipe = pretraining_preset(parameters.preset.value, options)
    settled_by = {"preset": recipe.model_dump(mode="json"), "options": options.model_dump(mode="json")}
    with (
        work.going_on("pretrain", settled_by) as folder,
        tracking.run(
            f"pretrain {recipe.name}", "pretrain", run_id=work.run_of(folder), tags=runtime.prefect_tags()
        ) as run,
    ):
        run.parameters({"pretrain": parameters.model_dump(mode="json"), "preset": recipe.model_dump()})
        data = FictionalData(render_people(options), recipe)
        with runtime.training_slot(), runtime.progress(f"pretrain {recipe.name}") as report:
            trainer = Trainer(
                data,
                recipe,
                TrainingOptions(budget=Budget(steps=options.steps), seed=options.seed),
                work.checkpoints(folder),
                Observer(run, data, report, runtime.Picture(f"preview-{run.run_id[:12]}")),
                run_id=run.run_id,
            )
            if work.run_of(folder):
                trainer.resume()
            result = trainer.train()
        file = Path(parameters.out) if parameters.out else weights.made_at(recipe.name)
        about = {"run_id": run.run_id, "preset": recipe.name, **options.model_dump(), "device": str(device())}
        digest = save_prior(result.model, STAND_IN, file, about)
        run.tags({"prior": digest})
        run.artifact(file)
    return file
