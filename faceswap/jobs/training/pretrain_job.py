"""Pretrain: fictional people in, the prior out that every training starts from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from faceswap import tracking
from faceswap.errors import SettingsError
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import PretrainParameters
from faceswap.jobs.training import resuming
from faceswap.jobs.training.observer import Observer
from faceswap.model import weights
from faceswap.model.device import device
from faceswap.model.options import PretrainingOptions, TrainingOptions
from faceswap.model.priors.pretraining import (
    STAND_IN,
    FictionalData,
    Rendered,
    fitting,
    pretraining_preset,
    render_pairs,
)
from faceswap.model.priors.prior import save_prior, take_prior
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.schedule import Budget
from faceswap.model.training.trainer import Trainer
from faceswap.process import cards
from faceswap.process.machine import cores
from faceswap.settings import settings


def render_people(options: PretrainingOptions, monitor: Monitor) -> Rendered:
    """Everybody, and the stand-in in the same scenes."""
    with monitor.progress(f"render {options.people} people", "people") as report:
        return render_pairs(options, settings().workers or cores(), report)


def _from(start: Path) -> Callable[[Autoencoders], None]:
    def take(model: Autoencoders) -> None:
        take_prior(model, start)

    return take


def pretrain(parameters: PretrainParameters, monitor: Monitor = TERMINAL) -> Path:
    """Learn faces from people who do not exist; writes the prior and logs it with its origin.

    Interrupted and started again with the same options, it goes on from its last checkpoint, in the same MLflow run.
    """
    options = fitting(parameters.options, parameters.preset.value)
    recipe = pretraining_preset(parameters.preset.value, options)
    start = Path(parameters.start) if parameters.start else None
    if start and not start.is_file():
        raise SettingsError(f"There is no prior {start}", "name an .npz file, or begin from nothing")
    settled_by: dict[str, Any] = {
        "preset": recipe.model_dump(mode="json"),
        "options": options.model_dump(mode="json"),
    }
    if start:
        settled_by["start"] = weights.digest(start)
    with (
        resuming.going_on("pretrain", settled_by) as folder,
        tracking.run(
            f"pretrain {recipe.name}", "pretrain", run_id=resuming.run_of(folder), tags=monitor.tags()
        ) as run,
    ):
        run.parameters({"pretrain": parameters.model_dump(mode="json"), "preset": recipe.model_dump()})
        data = FictionalData(monitor.step("render people", render_people, options, monitor), recipe)
        with (
            monitor.training_slot(parameters.devices),
            cards.taken_here(settings().cards_path, parameters.devices),
            monitor.progress(f"pretrain {recipe.name}") as report,
        ):
            trainer = Trainer(
                data,
                recipe,
                TrainingOptions(
                    budget=Budget(steps=options.steps), seed=options.seed, devices=parameters.devices
                ),
                resuming.checkpoints(folder),
                Observer(run, data, report, monitor),
                initialize=_from(start) if start else None,
                run_id=run.run_id,
            )
            if resuming.run_of(folder):
                trainer.resume()
            result = monitor.step("train", trainer.train)
        file = Path(parameters.out) if parameters.out else weights.made_at(recipe.name)
        about = {"run_id": run.run_id, "preset": recipe.name, **options.model_dump(), "device": str(device())}
        if start:
            about["start"] = {"digest": settled_by["start"], **weights.about(start)}
        digest = save_prior(result.model, STAND_IN, file, about)
        run.tags({"prior": digest})
        run.artifact(file)
    return file
