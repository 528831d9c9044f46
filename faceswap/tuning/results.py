"""What a search found: the winner, the Pareto front of quality and speed, the table."""

from collections.abc import Sequence
from typing import Any

from faceswap.tuning.plan import SearchPlan, TrialRecord


def winner(records: Sequence[TrialRecord], tolerance: float) -> TrialRecord | None:
    """The cheapest of the best.

    Measured qualities scatter, so the choice would jump between equals: among the completed trials whose quality
    lies within ``tolerance`` of the best, the one with the fewest weights wins, then the better one, then the
    earlier one.
    """
    done = [r for r in records if r.completed]
    if not done:
        return None
    best = max(r.quality for r in done)
    near = [r for r in done if r.quality >= best - tolerance]
    return min(near, key=lambda r: (r.result.parameters, -r.quality, r.trial_id))


def pareto_front(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The completed trials of which no other has at least the same quality and speed, and more of one.

    Speed is images trained per second. Fastest first; of equals in both only the earliest.
    """
    done = sorted(
        (r for r in records if r.completed),
        key=lambda r: (-r.result.images_per_second, -r.quality, r.trial_id),
    )
    front: list[TrialRecord] = []
    for record in done:
        if not front or record.quality > front[-1].quality:
            front.append(record)
    return front


def table(records: Sequence[TrialRecord], plan: SearchPlan) -> list[dict[str, Any]]:
    """One row per trial, best first, failed ones last: plain values for JSON and tables."""
    chosen, front = winner(records, plan.tolerance), pareto_front(records)
    rows = []
    for record in sorted(records, key=lambda r: (not r.completed, -r.quality, r.trial_id)):
        result = record.result
        rows.append(
            {
                "trial": record.trial_id,
                "mark": "winner" if record is chosen else "front" if record in front else "",
                **{d.field: d.decode(record.values[d.field]) for d in plan.space.dimensions},
                "quality": record.quality if record.completed else None,
                **{name: round(value, 4) for name, value in result.measures.items()},
                "images_per_second": result.images_per_second,
                "parameters": result.parameters,
                "steps": result.steps,
                "rung": record.rung,
                "continues": record.continues,
                "wall_seconds": record.wall_seconds,
                "peak_memory_mb": result.peak_memory_mb,
                "status": record.status,
                "message": record.message.splitlines()[0] if record.message else "",
            }
        )
    return rows


def by_first_dimension(records: Sequence[TrialRecord], plan: SearchPlan) -> list[tuple[Any, TrialRecord]]:
    """Of each value of the first dimension the best completed trial, in the dimension's order."""
    first = plan.space.dimensions[0]
    best: dict[Any, TrialRecord] = {}
    for record in (r for r in records if r.completed):
        value = record.values[first.field]
        if value not in best or record.quality > best[value].quality:
            best[value] = record
    return [(first.decode(value), best[value]) for value in sorted(best)]
