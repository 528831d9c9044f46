"""Promote: champion and challenger measured on the same frames, gates, the record, and the way back."""

from dataclasses import dataclass

from faceswap import registry, tracking
from faceswap.errors import PromotionRefused, SettingsError
from faceswap.evaluation.grading.gates import Decision, Gate, check_override, decide, gates_from
from faceswap.evaluation.means import frames_of, mean_measures
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.rendering.comparison import promotion_report, side_by_side
from faceswap.faces.faceset import find as find_face_set
from faceswap.jobs.evaluate_job import evaluate_one, target_sets
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import Destination, EvaluateParameters, PromoteParameters, RollbackParameters
from faceswap.output.notify import notify
from faceswap.provenance import audit
from faceswap.provenance.audit import who
from faceswap.registry import Stage, Version
from faceswap.registry.cards.origin import in_training
from faceswap.registry.production import promotion
from faceswap.registry.production.promotion import Record
from faceswap.settings import settings

Pairs = dict[str, tuple[PairResult, PairResult | None]]
"""Target -> the challenger's and the champion's numbers."""


@dataclass(frozen=True)
class Promoted:
    """What became of a promotion: nothing is decided where the version was in production or only nominated."""

    version: Version
    replaced: Version | None = None
    decision: Decision | None = None
    run_id: str = ""


def compare(
    run: tracking.Run,
    challenger: Version,
    champion: Version | None,
    parameters: PromoteParameters,
    monitor: Monitor,
) -> Pairs:
    """Both on the same held-out frames, against the same real faces, recognised among the same people."""
    loaded = [registry.load(version) for version in (challenger, champion) if version]
    card = loaded[0].card
    targets = target_sets(
        EvaluateParameters(references=[str(challenger)], targets=parameters.targets), loaded[:1]
    )
    targets = {name: faces for name, faces in targets.items() if name != card.identity}
    if not targets:
        raise SettingsError(
            f"There is no target for {challenger} but itself", "name another person's face set"
        )
    reference = find_face_set(card.face_sets[card.identity]["uri"])
    for faces in (reference, *targets.values()):
        run.face_set(faces.identity, faces.digest, faces.uri, faces.count("heldout"))
    identities = {name: one.card.embedding(name) for one in loaded[::-1] for name in one.card.identities}
    found = [evaluate_one(one, targets, parameters.frames, reference, identities, monitor) for one in loaded]
    return {
        pairs[0].result.target: (pairs[0].result, pairs[1].result if champion else None)
        for pairs in zip(*found, strict=True)
    }


def numbers(pairs: Pairs) -> tuple[dict[str, float], dict[str, float] | None]:
    """Means over the targets: the challenger's, and the champion's where there is one."""
    new, old = ([pair[i] for pair in pairs.values()] for i in (0, 1))
    champion = [one for one in old if one is not None]
    challenger = [one for one in new if one is not None]
    return mean_measures(challenger, old), mean_measures(champion, new) if champion else None


def ask(decision: Decision, text: str, hours: float, monitor: Monitor) -> Decision:
    """Wait for a person's answer; no answer is a no."""
    answer = monitor.ask(text, hours)
    if answer is None:
        return decision.declined(f"nobody answered within {hours:g} hours")
    said = " ".join(f"by {answer.by}: {answer.reason}".split()).rstrip(":")
    return decision.approved(f"approved {said}") if answer.approved else decision.declined(f"declined {said}")


def show(run: tracking.Run, pairs: Pairs) -> None:
    """Pictures and numbers in MLflow, before anybody is asked.

    They stay with this run: a version keeps what its own evaluation found, on more frames or other targets.
    """
    for target, (new, old) in pairs.items():
        origin = in_training([new.reference], run.run_id)
        run.picture(side_by_side(new, old), f"pictures/{target}.png", origin)
        run.metrics({f"challenger.{target}.{k}": v for k, v in new.metrics().items()})
        run.metrics({f"champion.{target}.{k}": v for k, v in (old.metrics() if old else {}).items()})
    for role, values in zip(("challenger", "champion"), numbers(pairs), strict=True):
        run.metrics({f"{role}.{k}": v for k, v in (values or {}).items()})


def write_down(
    run: tracking.Run,
    record: Record,
    decision: Decision,
    pairs: Pairs,
    versions: tuple[Version, Version | None],
    monitor: Monitor,
) -> None:
    """The report to MLflow and to the monitor."""
    challenger, champion = versions
    facts = {
        "by": record.by,
        "at": record.at.isoformat(timespec="seconds"),
        "MLflow run": run.url or run.run_id,
        **monitor.tags(),
    }
    text = promotion_report(decision, str(challenger), str(champion or ""), pairs, facts)
    run.text(text, "promotion.md")
    run.document(decision.model_dump(mode="json"), "decision.json")
    run.tags({**record.tags(), "mlflow.note.content": text[:8000]})
    monitor.note(text, f"promotion-{run.run_id[:12]}", run.url or run.run_id)


def settle(
    run: tracking.Run,
    challenger: Version,
    champion: Version | None,
    gates: tuple[Gate, ...],
    parameters: PromoteParameters,
    monitor: Monitor,
) -> Decision:
    """Measure, decide, write it down, and only then move the aliases."""
    pairs = monitor.step(
        "measure champion and challenger", compare, run, challenger, champion, parameters, monitor
    )
    show(run, pairs)
    decision = decide(
        gates, *numbers(pairs), parameters.override, frames_of([new for new, _ in pairs.values()])
    )
    if parameters.approval and decision.allowed:
        question = f"{challenger} to production? Pictures: MLflow run {run.url or run.run_id}"
        decision = ask(decision, f"{question}\n\n{decision.markdown()}", parameters.approval_hours, monitor)
    record = Record(
        outcome=decision.outcome,
        by=who(parameters.by),
        reasons=decision.reasons,
        override=decision.override,
        run_id=run.run_id,
        url=run.url,
    )
    write_down(run, record, decision, pairs, (challenger, champion), monitor)
    if decision.allowed:
        promotion.promote(challenger, champion, record)
        facts = {"version": str(challenger), "replaced": str(champion or ""), "run": run.run_id}
        audit.record("promoted", [challenger.identity], facts | record.tags(), by=parameters.by)
    else:
        promotion.refuse(challenger, record)
    return decision


def promote(parameters: PromoteParameters, monitor: Monitor = TERMINAL) -> Promoted:
    """A version into production, if the gates let it pass; who, when and why is written to the version.

    Raises:
        PromotionRefused: a gate or a person said no; the record says so too.
        SettingsError: the gates can't be used, an override has no reason, there is nobody to ask for an approval.
        RegistryError: there is no such version, or production changed meanwhile.
    """
    challenger = promotion.candidate(parameters.version)
    if parameters.to is Destination.CHALLENGER:
        promotion.nominate(challenger, Record(outcome="nominated", by=who(parameters.by)))
        return Promoted(challenger)
    gates = gates_from(settings().gates)
    check_override(parameters.override)
    if parameters.approval:
        monitor.check_answers()
    champion = registry.at(challenger.name, Stage.PRODUCTION)
    if champion == challenger:
        promotion.repair(challenger.name)
        return Promoted(challenger)
    name = f"promote {challenger}" + (f" over {champion}" if champion else "")
    tags = {"version": str(challenger), "champion": str(champion or ""), **monitor.tags()}
    with tracking.run(name, "promote", tags=tags) as run:
        run.parameters(parameters.model_dump(mode="json") | {"gates": [gate.model_dump() for gate in gates]})
        decision = settle(run, challenger, champion, gates, parameters, monitor)
    if not decision.allowed:
        raise PromotionRefused(
            f"{challenger} does not go to production ({decision.outcome}):\n  "
            + "\n  ".join(decision.reasons),
            f"see promotion.md and the pictures in MLflow run {run.run_id}; "
            'train on, change FACESWAP_GATES, or --override "reason"',
        )
    text = f"{challenger} is in production" + (f" in place of {champion}" if champion else "")
    notify("version.promoted", text, version=str(challenger), run_id=run.run_id)
    return Promoted(challenger, champion, decision, run.run_id)


def rollback(parameters: RollbackParameters, monitor: Monitor = TERMINAL) -> Promoted:
    """The version before into production again, in one step; recorded with both versions and as an MLflow run."""
    name = f"rollback {parameters.name}"
    with tracking.run(name, "rollback", tags=monitor.tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        record = Record(
            outcome="rolled back",
            by=who(parameters.by),
            reasons=(parameters.reason,) if parameters.reason else (),
            run_id=run.run_id,
            url=run.url,
        )
        left, now = promotion.roll_back(parameters.name, record)
        facts = {"from": str(left), "to": str(now), "run": run.run_id, "reason": parameters.reason}
        audit.record("rolled back", [now.identity], facts, by=parameters.by)
        run.tags({**record.tags(), "version": str(left), "back to": str(now)})
        monitor.note(
            f"# {parameters.name}: production is {now} again\n\n{record.note()}",
            f"rollback-{run.run_id[:12]}",
        )
    text = f"{now} is in production again, in place of {left}"
    notify("version.rolled_back", text, version=str(now), run_id=run.run_id)
    return Promoted(now, replaced=left, run_id=run.run_id)
