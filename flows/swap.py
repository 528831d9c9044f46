"""Swap: a picture, a folder or a video in, the same with the reference's face out."""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from faceswap import registry, tracking
from faceswap.errors import NoFaceFound
from faceswap.faces.detection import FaceFinder
from faceswap.media.images import read_image
from faceswap.provenance.metadata import Provenance
from faceswap.registry import LoadedVersion
from faceswap.swap.swapper import Swapper
from faceswap.swap.video import SwapReport, swap_media
from flows import runtime
from flows.parameters import SwapParameters


def provenance(loaded: LoadedVersion, options: dict[str, object]) -> Provenance:
    """What every output says of itself."""
    return Provenance(
        reference=loaded.card.identity,
        model=loaded.version.name if loaded.version else "",
        version=str(loaded.version.version) if loaded.version else "",
        run_id=loaded.card.run_id,
        options=options,
    )


def swapper_for(loaded: LoadedVersion, parameters: SwapParameters) -> Swapper:
    """The swapper that the parameters ask for.

    Raises:
        NoFaceFound: the photo of ``match`` shows no face.
    """
    finder = FaceFinder()
    match = None
    if parameters.match:
        photo = read_image(Path(parameters.match))
        faces = finder.find(photo)
        if not faces:
            raise NoFaceFound(
                f"No face is in the photo {parameters.match}", "choose a photo that shows the face"
            )
        match = finder.embed(photo, faces[0].landmarks)
    return Swapper(loaded.network, finder, parameters.options, match=match)


@task(name="swap", cache_policy=NO_CACHE)
def swap_files(loaded: LoadedVersion, parameters: SwapParameters) -> SwapReport:
    """Swap all files of the target; what can't be read is skipped and counted."""
    with runtime.progress(f"put {loaded.card.identity} on {Path(parameters.target).name}") as report:
        return swap_media(
            parameters.target,
            Path(parameters.out),
            swapper_for(loaded, parameters),
            provenance(loaded, parameters.options.model_dump(mode="json")),
            start=parameters.start,
            end=parameters.end,
            progress=report,
        )


@flow(name="swap", flow_run_name="swap-{parameters.reference}")
def swap(parameters: SwapParameters) -> SwapReport:
    """A picture, a folder or a video with the reference's face put on; labelled, with its origin in the file."""
    loaded = registry.load(parameters.reference)
    with tracking.run(f"swap {parameters.reference}", "swap", tags=runtime.prefect_tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        run.tags({"version": str(loaded.version)})
        report = swap_files(loaded, parameters)
        run.metrics(report.numbers())
        run.document(report.model_dump(mode="json"), "swap.json")
        lines = "\n".join(f"- {key}: {value:g}" for key, value in report.numbers().items())
        create_markdown_artifact(f"# {parameters.out}\n\n{lines}\n\n{runtime.mlflow_link(run)}")
    return report
