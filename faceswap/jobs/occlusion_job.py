"""Learn occlusion: fictional people behind things in, the network out that keeps hands and glasses in swaps."""

import os
from pathlib import Path

from faceswap import tracking
from faceswap.jobs import resuming
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import LearnOcclusionParameters
from faceswap.model import weights
from faceswap.model.device import device
from faceswap.model.networks.occlusion_network import save_occlusion_network
from faceswap.model.occlusion_view import NAME
from faceswap.model.options import OcclusionOptions
from faceswap.model.priors import occlusion_training
from faceswap.model.priors.bare_faces import Faces, render_faces
from faceswap.settings import settings


def render(options: OcclusionOptions, monitor: Monitor) -> Faces:
    """Everybody, with the truth of what is skin."""
    with monitor.progress(f"render {options.people} people", "people") as report:
        return render_faces(options, settings().workers or os.cpu_count() or 1, report)


def learn_occlusion(parameters: LearnOcclusionParameters, monitor: Monitor = TERMINAL) -> Path:
    """Learn what lies over faces; writes the network's weights and logs them with their origin.

    Interrupted and started again with the same options, it goes on from its last checkpoint, in the same MLflow run.
    """
    options = parameters.options
    with (
        resuming.going_on("learn-occlusion", options.model_dump(mode="json")) as folder,
        tracking.run(
            "learn occlusion", "pretrain", run_id=resuming.run_of(folder), tags=monitor.tags()
        ) as run,
    ):
        run.parameters({"occlusion": parameters.model_dump(mode="json")})
        faces = monitor.step("render faces", render, options, monitor)
        with monitor.training_slot(), monitor.progress("learn occlusion", "steps") as report:

            def told(step: int, values: dict[str, float]) -> None:
                run.metrics(values, step)
                report(step, options.steps, f"loss {values['loss']:.3f}")

            model = monitor.step(
                "train",
                occlusion_training.learn_occlusion,
                faces,
                options,
                told,
                resuming.checkpoints(folder),
                run.run_id,
            )
        file = Path(parameters.out) if parameters.out else weights.made_at(NAME)
        about = {"run_id": run.run_id, **options.model_dump(), "device": str(device())}
        digest = save_occlusion_network(model, file, about)
        run.tags({"occlusion": digest})
        run.artifact(file)
    return file
