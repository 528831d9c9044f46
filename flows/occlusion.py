"""Learn occlusion: fictional people behind things in, the network out that keeps hands and glasses in swaps."""

import os
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from faceswap import tracking
from faceswap.model import weights
from faceswap.model.device import device
from faceswap.model.networks.occlusion_network import NAME, save_occlusion_network
from faceswap.model.priors.bare_faces import Faces, OcclusionOptions, render_faces
from faceswap.model.priors.occlusion_training import learn_occlusion
from faceswap.settings import settings
from flows import runtime, work
from flows.parameters import LearnOcclusionParameters


@task(name="render faces", cache_policy=NO_CACHE)
def render(options: OcclusionOptions) -> Faces:
    """Everybody, with the truth of what is skin."""
    with runtime.progress(f"render {options.people} people") as report:
        return render_faces(options, settings().workers or os.cpu_count() or 1, report)


@flow(name="learn-occlusion")
def learn(parameters: LearnOcclusionParameters) -> Path:
    """Learn what lies over faces; writes the network's weights and logs them with their origin.

    Interrupted and started again with the same options, it goes on from its last checkpoint, in the same MLflow run.
    """
    options = parameters.options
    with (
        work.going_on("learn-occlusion", options.model_dump(mode="json")) as folder,
        tracking.run(
            "learn occlusion", "pretrain", run_id=work.run_of(folder), tags=runtime.prefect_tags()
        ) as run,
    ):
        run.parameters({"occlusion": parameters.model_dump(mode="json")})
        faces = render(options)
        with runtime.training_slot(), runtime.progress("learn occlusion") as report:

            def told(step: int, values: dict[str, float]) -> None:
                run.metrics(values, step)
                report(step, options.steps, f"loss {values['loss']:.3f}")

            model = learn_occlusion(faces, options, told, work.checkpoints(folder), run.run_id)
        file = Path(parameters.out) if parameters.out else weights.made_at(NAME)
        about = {"run_id": run.run_id, **options.model_dump(), "device": str(device())}
        digest = save_occlusion_network(model, file, about)
        run.tags({"occlusion": digest})
        run.artifact(file)
    return file
