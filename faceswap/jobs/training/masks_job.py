"""Learn masks: fictional people in, the network out that tells skin, hair, glasses and other things apart."""

from pathlib import Path

from faceswap import tracking
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import LearnMasksParameters
from faceswap.jobs.training import resuming
from faceswap.model import weights
from faceswap.model.device import device
from faceswap.model.networks.segmentation_network import save_segmentation_network
from faceswap.model.options import MaskOptions
from faceswap.model.priors import mask_training
from faceswap.model.priors.rendered_people import RenderedPeople, render_people
from faceswap.model.segmentation_view import NAME
from faceswap.process import cards
from faceswap.process.machine import cores
from faceswap.settings import settings


def render(options: MaskOptions, monitor: Monitor) -> RenderedPeople:
    """Everybody, with the truth of what each pixel shows."""
    with monitor.progress(f"render {options.people} people", "people") as report:
        return render_people(options, settings().workers or cores(), report)


def learn_masks(parameters: LearnMasksParameters, monitor: Monitor = TERMINAL) -> Path:
    """Learn to tell a face from what lies over it; writes the network's weights and logs them with their origin.

    Interrupted and started again with the same options, it goes on from its last checkpoint, in the same MLflow run.
    """
    options = parameters.options
    with (
        resuming.going_on("learn-masks", options.model_dump(mode="json")) as folder,
        tracking.run("learn masks", "pretrain", run_id=resuming.run_of(folder), tags=monitor.tags()) as run,
    ):
        run.parameters({"masks": parameters.model_dump(mode="json")})
        people = monitor.step("render faces", render, options, monitor)
        with (
            monitor.training_slot(),
            cards.taken_here(settings().cards_path),
            monitor.progress("learn masks", "steps") as report,
        ):

            def told(step: int, values: dict[str, float]) -> None:
                run.metrics(values, step)
                report(step, options.steps, f"loss {values['loss']:.3f}")

            model = monitor.step(
                "train",
                mask_training.learn_masks,
                people,
                options,
                told,
                resuming.checkpoints(folder),
                run.run_id,
            )
        file = Path(parameters.out) if parameters.out else weights.made_at(NAME)
        about = {"run_id": run.run_id, **options.model_dump(), "device": str(device())}
        digest = save_segmentation_network(model, file, about)
        run.tags({"segmentation": digest})
        run.artifact(file)
    return file
