"""Evaluate: registered versions measured on held-out faces of targets they can be put on."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap import registry, tracking
from faceswap.errors import SettingsError
from faceswap.evaluation.grading.findings import in_words
from faceswap.evaluation.means import frames_of, mean_measures
from faceswap.evaluation.protocol import PairResult, evaluate_pair
from faceswap.evaluation.rendering.sheets import case_sheet
from faceswap.evaluation.true_swap import truth_for
from faceswap.faces.faceset import FaceSet
from faceswap.faces.faceset import find as find_face_set
from faceswap.faces.finding.finder import finder_named, measuring_finder
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import EvaluateParameters
from faceswap.provenance.consent.life import Purpose
from faceswap.provenance.label import stamp
from faceswap.registry import LoadedVersion, Version, consents
from faceswap.registry.cards.origin import provenance
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper

logger = logging.getLogger(__name__)


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
        ConsentError: the consent of one that was asked for does not allow it; by default such are passed over.
    """
    people = {name: e["uri"] for one in loaded for name, e in one.card.face_sets.items()}
    still = consents.without_withdrawn(people, Purpose.SWAPPING)
    if not parameters.targets and len(still) < len(people):
        gone = ", ".join(sorted(set(people) - set(still)))
        logger.warning("Passed over as targets, since their consent does not allow it: %s", gone)
    uris = parameters.targets or sorted({people[name] for name in still})
    found: dict[str, FaceSet] = {}
    for faces in map(find_face_set, uris):
        consents.require(faces.identity, Purpose.SWAPPING, faces.consent)
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
    monitor: Monitor = TERMINAL,
) -> list[Evaluated]:
    """One version put on every target that is not its own identity.

    Args:
        loaded: the version.
        targets: identity -> face set.
        frames: held-out frames of each target.
        reference: real faces to compare with; by default those the version was trained on.
        identities: identity -> (128,) mean embedding, to recognise among; by default those of its run.
        monitor: is told the progress.
    """
    detector, card = settings().detector, loaded.card
    finder = measuring_finder(detector)
    assert loaded.version is not None
    swapper = Swapper(loaded.network, finder_named(detector), SwapOptions(label=False))  # as users swap
    reference = reference or find_face_set(card.face_sets[card.identity]["uri"])
    identities = identities or {name: card.embedding(name) for name in card.identities}
    others = {name: faces for name, faces in targets.items() if name != card.identity}
    found = []
    with monitor.progress(f"evaluate {loaded.version}", "frames") as report:
        for done, (name, faces) in enumerate(others.items()):

            def measured(count: int, of: int | None, _: str, before: int = done, target: str = name) -> None:
                report(before * (of or 0) + count, len(others) * (of or 0), f"on {target}")

            result = evaluate_pair(
                swapper.swap_face_masked,
                target=faces,
                reference=reference,
                identities={**identities, name: identities.get(name, faces.mean_embedding)},
                finder=finder,
                reconstruct=loaded.network,
                limit=frames,
                progress=measured,
                truth=truth_for(reference, faces),
            )
            found.append(
                Evaluated(loaded.version, result, stamp(case_sheet(result, swapper, faces, reference)))
            )
    return found


def measure(
    run: tracking.Run, spec: str, parameters: EvaluateParameters, monitor: Monitor = TERMINAL
) -> list[Evaluated]:
    """All pairs of one version; numbers go to the run and to the registered version."""
    loaded = registry.load(spec)
    targets = target_sets(parameters, [loaded])
    found = evaluate_one(loaded, targets, parameters.frames, monitor=monitor)
    if not found:
        raise SettingsError(f"There is no target for {spec!r} but itself", "name another person's face set")
    for one in found:
        name = f"{one.result.reference}-on-{one.result.target}"
        run.picture(one.picture, f"cases/{name}.png", provenance(loaded, {}))
        monitor.picture(
            f"cases-{run.run_id[:12]}-{name}", one.picture, f"{name}: typical, best and worst swaps"
        )
        run.metrics({f"{name}.{k}": v for k, v in one.result.metrics().items()})
    results = [one.result for one in found]
    registry.record_metrics(found[0].version, mean_measures(results), frames_of(results), run.run_id)
    return found


def _note(found: list[Evaluated]) -> str:
    """What was found, in words, a paragraph for each version."""
    versions = dict.fromkeys(one.version for one in found)
    return "\n\n".join(
        f"**{version}**: " + " ".join(in_words([one.result for one in found if one.version == version]))
        for version in versions
    )[:8000]


def evaluate(parameters: EvaluateParameters, monitor: Monitor = TERMINAL) -> list[Evaluated]:
    """Versions measured by the protocol on held-out frames; the numbers are written to the versions."""
    name = f"evaluate {' + '.join(parameters.references)}, {parameters.frames} frames"
    with tracking.run(name, "evaluate", tags=monitor.tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        found = [
            one
            for spec in parameters.references
            for one in monitor.step("measure a version", measure, run, spec, parameters, monitor)
        ]
        table = [one.result.to_report() for one in found]
        run.document(table, "evaluation.json")
        run.tags({"mlflow.note.content": _note(found)})
        monitor.table(table, f"evaluation-{run.run_id[:12]}", f"{name}; {run.link}")
    return found
