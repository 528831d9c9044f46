"""Swap: a picture, a folder or a video in, the same with the reference's face out."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from faceswap import registry, tracking
from faceswap.evaluation.rendering.option_sheet import comparison_sheet, first_frame
from faceswap.faces.finding.finder import finder_named
from faceswap.faces.identity import photo_embeddings
from faceswap.jobs.delivery import deliver, workplace
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import SwapParameters
from faceswap.jobs.swap_crews.cluster import cluster_crew
from faceswap.jobs.swap_crews.processes import SPAN, process_crew, processes_for
from faceswap.media.images import write_image
from faceswap.media.sources import local_copy
from faceswap.provenance import audit
from faceswap.provenance.consent.target_consent import require_target_consent
from faceswap.provenance.metadata import Provenance
from faceswap.registry import LoadedVersion
from faceswap.registry.cards.origin import provenance
from faceswap.settings import settings
from faceswap.storage import is_s3
from faceswap.swap.assignment import Reference
from faceswap.swap.batch.media_swap import SwapReport, swap_media
from faceswap.swap.batch.output_paths import file_for, plan
from faceswap.swap.batch.spread import Crew
from faceswap.swap.swapper import Swapper


def swapper_for(
    loaded: LoadedVersion, parameters: SwapParameters, others: Sequence[LoadedVersion] = ()
) -> Swapper:
    """The swapper that the parameters ask for.

    Args:
        loaded: the first reference.
        parameters: with photos, where a reference is for one person.
        others: the versions of ``parameters.others``, in their order.

    Raises:
        NoFaceFound: a photo shows no face.
    """
    finder = finder_named(settings().detector, parameters.options.min_face)
    people = [parameters.match, *(casting.photo for casting in parameters.others)]
    found = [photo_embeddings([str(local_copy(one))], finder)[0] if one else None for one in people]
    references = [Reference(one.network, match) for one, match in zip(others, found[1:], strict=True)]
    return Swapper(loaded.network, finder, parameters.options, match=found[0], others=references)


def origin_of(
    versions: Sequence[LoadedVersion], options: dict[str, object], target_consent: str = ""
) -> Provenance:
    """What an output says of itself, with all references that may be in it."""
    first = provenance(versions[0], options)
    rest = [provenance(one, {}) for one in versions[1:]]
    joined: dict[str, Any] = {
        key: " + ".join([getattr(first, key), *(getattr(one, key) for one in rest)])
        for key in ("reference", "model", "version", "run_id", "consent")
    }
    return replace(first, target_consent=" ".join(target_consent.split()), **joined)


def load_all(parameters: SwapParameters) -> list[LoadedVersion]:
    """All references, each loaded once."""
    names = [parameters.reference, *(casting.reference for casting in parameters.others)]
    loaded = {name: registry.load(name) for name in dict.fromkeys(names)}
    return [loaded[name] for name in names]


def _name(what: str, parameters: SwapParameters, versions: list[LoadedVersion]) -> str:
    """Of an MLflow run: ``swap ada/3 on holiday.mp4``."""
    names = " + ".join(dict.fromkeys(str(one.version) for one in versions))
    return f"{what} {names} on {parameters.target.rstrip('/').rsplit('/', 1)[-1]}"


def swap_files(versions: list[LoadedVersion], parameters: SwapParameters, monitor: Monitor) -> SwapReport:
    """Swap all files of the target, here or on the workers; what can't be read is skipped and counted."""
    names = " + ".join(dict.fromkeys(one.card.identity for one in versions))
    swapper = swapper_for(versions[0], parameters, versions[1:])
    origin = origin_of(versions, parameters.options.model_dump(mode="json"), parameters.target_consent)
    crew, span = _crew(versions, parameters, swapper, origin)
    with monitor.progress(f"put {names} on {Path(parameters.target).name}") as report:
        return swap_media(
            parameters.target,
            workplace(parameters.out),
            swapper,
            origin,
            start=parameters.start,
            end=parameters.end,
            progress=report,
            resume=parameters.resume,
            crew=crew,
            span=span,
        )


def _crew(
    versions: list[LoadedVersion], parameters: SwapParameters, swapper: Swapper, origin: Provenance
) -> tuple[Crew | None, float | None]:
    """Who swaps the files, and how long a video's pieces are, seconds.

    Workers of a cluster; processes of this machine; or, where there is little to do, nobody but this process.
    """
    if address := settings().dask_scheduler:
        return cluster_crew(address, versions, swapper, origin), None
    if any(one.version is None for one in versions):
        return None, None  # others could not load it
    planned = plan(parameters.target, workplace(parameters.out))
    count = processes_for(planned, parameters.start, parameters.end)
    return (None, None) if count == 1 else (process_crew(count, versions, swapper, origin), SPAN)


def swap(parameters: SwapParameters, monitor: Monitor = TERMINAL) -> SwapReport:
    """A picture, a folder or a video with the reference's face put on; labelled, with its origin in the file."""
    plan(
        parameters.target, workplace(parameters.out)
    )  # what is wrong there is said before anything is loaded
    require_target_consent(parameters.target_consent)
    versions = load_all(parameters)
    with tracking.run(_name("swap", parameters, versions), "swap", tags=monitor.tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        run.tags({"version": " + ".join(str(one.version) for one in versions)})
        report = monitor.step("swap", swap_files, versions, parameters, monitor)
        run.metrics(report.numbers())
        run.document(report.model_dump(mode="json"), "swap.json")
        facts = {
            "versions": [str(one.version) for one in versions],
            "target": parameters.target,
            "target_consent": parameters.target_consent,
            "out": parameters.out,
            "run": run.run_id,
        }
        act = audit.record("swapped", [one.card.identity for one in versions], facts, report.written)
        with (
            monitor.progress(f"send to {parameters.out}")
            if is_s3(parameters.out)
            else nullcontext() as sending
        ):
            places = deliver(report.written, parameters.out, sending, act)
            report = report.model_copy(update={"places": places})
        lines = "\n".join(f"- {key}: {value:g}" for key, value in report.numbers().items())
        lines += "".join(f"\n- {remark}" for remark in report.remarks)
        monitor.note(f"# {parameters.out}\n\n{lines}\n\n{run.link}")
    return report


def sheet(parameters: SwapParameters, monitor: Monitor = TERMINAL) -> str:
    """One frame of the target under all masks and colour transfers, as a labelled picture to choose from."""
    out = file_for(workplace(parameters.out), "image", "The sheet")
    require_target_consent(parameters.target_consent)
    versions = load_all(parameters)
    swapper = swapper_for(versions[0], parameters, versions[1:])
    frame = first_frame(local_copy(parameters.target), swapper.finder, parameters.start)
    picture = comparison_sheet(frame, swapper)
    origin = origin_of(versions, parameters.options.model_dump(mode="json"), parameters.target_consent)
    write_image(out, picture, metadata=origin)
    people = [one.card.identity for one in versions]
    act = audit.record("swapped", people, {"target": parameters.target}, [out])
    with tracking.run(_name("sheet", parameters, versions), "swap", tags=monitor.tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        run.picture(picture, "sheet.png", origin)
    return deliver([out], parameters.out, act=act)[0]
