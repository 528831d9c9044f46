"""Evaluate: registered versions measured on held-out faces of targets they can be put on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from faceswap import registry, tracking
from faceswap.errors import SettingsError
from faceswap.evaluation.protocol import PairResult, evaluate_pair
from faceswap.evaluation.rendering.pictures import case_sheet
from faceswap.faces.detection import FaceFinder
from faceswap.faces.faceset import FaceSet
from faceswap.faces.faceset import find as find_face_set
from faceswap.provenance.label import stamp
from faceswap.registry import LoadedVersion, Version
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from flows import runtime
from flows.parameters import EvaluateParameters


@dataclass
class Evaluated:
    """One ordered pair: the version, its numbers and its picture of typical, best and worst cases."""

    version: Version
    result: PairResult
    picture: NDArray[np.uint8]


def target_sets(parameters: EvaluateParameters, loaded: list[LoadedVersion]) -> dict[str, FaceSet]:
    """The face sets that are swapped by identity: those asked for, or those the versions were trained with.

    Raises:
        SettingsError: two of them are of the same person.
    """
    uris = parameters.targets or sorted({e["uri"] for one in loaded for e in one.card.face_sets.values()})
    found: dict[str, FaceSet] = {}
    for faces in map(find_face_set, uris):
        if (other := found.setdefault(faces.identity, faces)) is not faces:
            raise SettingsError(
                f"Two face sets are of {faces.identity!r}: {other.uri} and {faces.uri}",
                "give one target per identity",
            )
    return found


def evaluate_one(
    loaded: LoadedVersion,
    targets: dict[str, FaceSet],
    frames: int,
    reference: FaceSet | None = None,
    identities: dict[str, NDArray[np.float64]] | None = None,
) -> list[Evaluated]:
    """One version put on every target that is not its own identity.

    Args:
        loaded: the version.
        targets: identity -> face set.
        frames: held-out frames of each target.
        reference: real faces to compare with; by default those the version was trained on.
        identities: identity -> (128,) mean embedding, to recognise among; by default those of its run.
    """
    detector, card = settings().detector, loaded.card
    finder = FaceFinder(detector, careful=True)
    assert loaded.version is not None
    swapper = Swapper(loaded.network, FaceFinder(detector), SwapOptions(label=False))  # as users swap
    reference = reference or FaceSet.load(card.face_sets[card.identity]["uri"])
    identities = identities or {name: card.embedding(name) for name in card.identities}
    others = {name: faces for name, faces in targets.items() if name != card.identity}
    found = []
    with runtime.progress(f"evaluate {loaded.version}") as report:
        for done, (name, faces) in enumerate(others.items()):
            report(done * frames, len(others) * frames, f"on {name}")
            result = evaluate_pair(
                swapper.swap_face,
                target=faces,
                reference=reference,
                identities={**identities, name: identities.get(name, faces.mean_embedding)},
                finder=finder,
                reconstruct=loaded.network,
                limit=frames,
            )
            found.append(
                Evaluated(loaded.version, result, stamp(case_sheet(result, swapper, faces, reference)))
            )
    return found


@task(name="measure a version", cache_policy=NO_CACHE)
def measure(run: tracking.Run, spec: str, parameters: EvaluateParameters) -> list[Evaluated]:
    """All pairs of one version; numbers go to the run and to the registered version."""
    loaded = registry.load(spec)
    targets = target_sets(parameters, [loaded])
    found = evaluate_one(loaded, targets, parameters.frames)
    if not found:
        raise SettingsError(f"There is no target for {spec!r} but itself", "name another person's face set")
    for one in found:
        name = f"{one.result.reference}-on-{one.result.target}"
        run.picture(one.picture, f"cases/{name}.png")
        runtime.Picture(f"cases-{run.run_id[:12]}-{name}").show(
            one.picture, f"{name}: typical, best and worst swaps"
        )
        run.metrics({f"{name}.{k}": v for k, v in one.result.metrics().items()})
    measured = [one.result.metrics() for one in found]
    shared = set.intersection(*(set(m) for m in measured))
    means = {k: float(np.mean([m[k] for m in measured])) for k in sorted(shared)}
    registry.record_metrics(found[0].version, means)
    return found


@flow(name="evaluate")
def evaluate(parameters: EvaluateParameters) -> list[Evaluated]:
    """Versions measured by the protocol on held-out frames; the numbers are written to the versions."""
    name = f"evaluate {' + '.join(parameters.references)}"
    with tracking.run(name, "evaluate", tags=runtime.prefect_tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        found = [one for spec in parameters.references for one in measure(run, spec, parameters)]
        table = [one.result.to_report() for one in found]
        run.document(table, "evaluation.json")
        create_table_artifact(
            table, key=f"evaluation-{run.run_id[:12]}", description=f"{name}; {runtime.mlflow_link(run)}"
        )
    return found
