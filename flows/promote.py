"""Promote: champion and challenger measured on the same frames, gates, the record, and the way back."""

from dataclasses import dataclass
from typing import Annotated, cast

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.settings import PREFECT_API_URL
from prefect.states import Failed
from pydantic import Field, StringConstraints

from faceswap import registry, tracking
from faceswap.errors import PromotionRefused, SettingsError
from faceswap.evaluation.gates import Decision, Gate, check_override, decide, gates_from
from faceswap.evaluation.rendering.comparison import over_targets, promotion_report, side_by_side
from faceswap.evaluation.result import PairResult
from faceswap.faces.faceset import FaceSet
from faceswap.provenance.label import stamp
from faceswap.registry import Stage, Version, promotion
from faceswap.registry.promotion import Record
from faceswap.settings import settings
from flows import runtime
from flows.evaluate import evaluate_one, target_sets
from flows.parameters import Destination, EvaluateParameters, PromoteParameters, RollbackParameters

Pairs = dict[str, tuple[PairResult, PairResult | None]]
"""Target -> the challenger's and the champion's numbers."""


class Approval(RunInput):
    """What a person says in Prefect's UI."""

    approved: bool = Field(False, description="may it go to production?")
    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="who says so"
    )
    reason: str = Field("", description="why; it is recorded")


@dataclass(frozen=True)
class Promoted:
    """What became of a promotion: nothing is decided where the version was in production or only nominated."""

    version: Version
    replaced: Version | None = None
    decision: Decision | None = None
    run_id: str = ""


@task(name="measure champion and challenger", cache_policy=NO_CACHE)
def compare(
    run: tracking.Run, challenger: Version, champion: Version | None, parameters: PromoteParameters
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
    reference = FaceSet.load(card.face_sets[card.identity]["uri"])
    for faces in (reference, *targets.values()):
        run.face_set(faces.identity, faces.digest, faces.uri, faces.count("heldout"))
    identities = {name: one.card.embedding(name) for one in loaded[::-1] for name in one.card.identities}
    found = [evaluate_one(one, targets, parameters.frames, reference, identities) for one in loaded]
    return {
        pairs[0].result.target: (pairs[0].result, pairs[1].result if champion else None)
        for pairs in zip(*found, strict=True)
    }


def numbers(pairs: Pairs) -> tuple[dict[str, float], dict[str, float] | None]:
    """Means over the targets: the challenger's, and the champion's where there is one."""
    others = [old for _, old in pairs.values() if old is not None]
    return over_targets([new for new, _ in pairs.values()]), over_targets(others) if others else None


def ask(decision: Decision, text: str, hours: float) -> Decision:
    """Wait for a person's answer in Prefect's UI; no answer is a no."""
    try:
        answer = pause_flow_run(
            wait_for_input=Approval.with_initial_data(description=text), timeout=round(hours * 3600)
        )
    except FlowPauseTimeout:
        return decision.declined(f"nobody answered within {hours:g} hours")
    said = " ".join(f"by {answer.by}: {answer.reason}".split()).rstrip(":")
    return decision.approved(f"approved {said}") if answer.approved else decision.declined(f"declined {said}")


def show(run: tracking.Run, pairs: Pairs, versions: tuple[Version, Version | None]) -> None:
    """Pictures and numbers in MLflow, before anybody is asked; the means at the versions."""
    for target, (new, old) in pairs.items():
        run.picture(stamp(side_by_side(new, old)), f"pictures/{target}.png")
        run.metrics({f"challenger.{target}.{k}": v for k, v in new.metrics().items()})
        run.metrics({f"champion.{target}.{k}": v for k, v in (old.metrics() if old else {}).items()})
    for version, values in zip(versions, numbers(pairs), strict=True):
        if version and values:
            registry.record_metrics(version, values)


def write_down(
    run: tracking.Run,
    record: Record,
    decision: Decision,
    pairs: Pairs,
    versions: tuple[Version, Version | None],
) -> None:
    """The report in MLflow and in Prefect."""
    challenger, champion = versions
    facts = {
        "by": record.by,
        "at": record.at.isoformat(timespec="seconds"),
        "MLflow run": run.url or run.run_id,
        **runtime.prefect_tags(),
    }
    text = promotion_report(decision, str(challenger), str(champion or ""), pairs, facts)
    run.text(text, "promotion.md")
    run.document(decision.model_dump(mode="json"), "decision.json")
    run.tags({**record.tags(), "mlflow.note.content": text[:8000]})
    create_markdown_artifact(text, key=f"promotion-{run.run_id[:12]}", description=run.url or run.run_id)


def settle(
    run: tracking.Run,
    challenger: Version,
    champion: Version | None,
    gates: tuple[Gate, ...],
    parameters: PromoteParameters,
) -> Decision:
    """Measure, decide, write it down, and only then move the aliases."""
    pairs = compare(run, challenger, champion, parameters)
    show(run, pairs, (challenger, champion))
    decision = decide(gates, *numbers(pairs), override=parameters.override)
    if parameters.approval and decision.allowed:
        question = f"{challenger} to production? Pictures: MLflow run {run.url or run.run_id}"
        decision = ask(decision, f"{question}\n\n{decision.markdown()}", parameters.approval_hours)
    record = Record(
        outcome=decision.outcome,
        by=promotion.who(parameters.by),
        reasons=decision.reasons,
        override=decision.override,
        run_id=run.run_id,
        url=run.url,
    )
    write_down(run, record, decision, pairs, (challenger, champion))
    if decision.allowed:
        promotion.promote(challenger, champion, record)
    else:
        promotion.refuse(challenger, record)
    return decision


@flow(name="promote", flow_run_name="promote-{parameters.version}")
def promote(parameters: PromoteParameters) -> Promoted:
    """A version into production, if the gates let it pass; who, when and why is written to the version.

    Raises:
        PromotionRefused: a gate or a person said no; the record says so too.
        SettingsError: the gates can't be used, an override has no reason, an approval has no Prefect server.
        RegistryError: there is no such version, or production changed meanwhile.
    """
    challenger = promotion.candidate(parameters.version)
    if parameters.to is Destination.CHALLENGER:
        promotion.nominate(challenger, Record(outcome="nominated", by=promotion.who(parameters.by)))
        return Promoted(challenger)
    gates = gates_from(settings().gates)
    check_override(parameters.override)
    if parameters.approval and not PREFECT_API_URL.value():
        raise SettingsError(
            "An approval needs a Prefect server to answer in", "start one and set PREFECT_API_URL"
        )
    champion = registry.at(challenger.name, Stage.PRODUCTION)
    if champion == challenger:
        promotion.repair(challenger.name)
        return Promoted(challenger)
    name = f"promote {challenger}"
    tags = {"version": str(challenger), "champion": str(champion or ""), **runtime.prefect_tags()}
    with tracking.run(name, "promote", tags=tags) as run:
        run.parameters(parameters.model_dump(mode="json") | {"gates": [gate.model_dump() for gate in gates]})
        decision = settle(run, challenger, champion, gates, parameters)
    if not decision.allowed:
        error = PromotionRefused(
            f"{challenger} does not go to production ({decision.outcome}):\n  "
            + "\n  ".join(decision.reasons),
            f"see promotion.md and the pictures in MLflow run {run.run_id}; "
            'train on, change FACESWAP_GATES, or --override "reason"',
        )
        # Prefect raises it where the flow was called; raised here, it would leave a traceback in the log as well.
        return cast(Promoted, Failed(message=str(error), data=error))
    return Promoted(challenger, champion, decision, run.run_id)


@flow(name="rollback", flow_run_name="rollback-{parameters.name}")
def rollback(parameters: RollbackParameters) -> Promoted:
    """The version before into production again, in one step; recorded with both versions and as an MLflow run."""
    name = f"rollback {parameters.name}"
    with tracking.run(name, "rollback", tags=runtime.prefect_tags()) as run:
        run.parameters(parameters.model_dump(mode="json"))
        record = Record(
            outcome="rolled back",
            by=promotion.who(parameters.by),
            reasons=(parameters.reason,) if parameters.reason else (),
            run_id=run.run_id,
            url=run.url,
        )
        left, now = promotion.roll_back(parameters.name, record)
        run.tags({**record.tags(), "version": str(left), "back to": str(now)})
        create_markdown_artifact(
            f"# {parameters.name}: production is {now} again\n\n{record.note()}",
            key=f"rollback-{run.run_id[:12]}",
        )
    return Promoted(now, replaced=left, run_id=run.run_id)
