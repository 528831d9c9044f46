"""Champion and challenger on the same frames: their pictures, the report of a promotion."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation.grading.gates import Decision
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.rendering.sheets import Tile, chosen, sheet

Image = NDArray[np.uint8]


def side_by_side(
    challenger: PairResult, champion: PairResult | None, count: int = 4, side: int = 200
) -> Image:
    """The same frames, a row each: ``target | champion | challenger``; typical ones, then the challenger's worst.

    Args:
        challenger, champion: results of the same target's same frames; no champion: two columns.
        count: typical rows; half as many of the worst.
        side: of each picture in pixels.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    typical = chosen(challenger, "typical", count)
    worst = [i for i in chosen(challenger, "worst", count) if i not in typical][: max(1, count // 2)]
    rows = []
    for i in [*typical, *worst]:
        kind = "worst" if i in worst else "typical"
        row = [Tile(challenger.originals[i], f"{kind}: {challenger.target}")]
        if champion is not None:
            row.append(Tile(champion.swaps[i], _caption("champion", champion, i)))
        rows.append([*row, Tile(challenger.swaps[i], _caption("challenger", challenger, i))])
    return sheet(rows, side)


def promotion_report(
    decision: Decision,
    challenger: str,
    champion: str,
    results: Mapping[str, tuple[PairResult, PairResult | None]],
    facts: Mapping[str, str],
) -> str:
    """The record of a decision in Markdown.

    Args:
        decision: of the gates and of people.
        challenger, champion: versions in words; an empty champion: there is none.
        results: target -> challenger's and champion's numbers.
        facts: more lines: who, when, runs.
    """
    title = f"{challenger} against {champion}" if champion else f"{challenger}, the first in production"
    lines = [f"# {title}: {decision.outcome}", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += [f"- override: {decision.override}"] if decision.override else []
    lines += [f"- {reason}" for reason in decision.reasons]
    lines += ["", "## Gates", "", "Means over the targets.", "", decision.markdown()]
    for target, (new, old) in results.items():
        lines += ["", f"## On {target}", ""]
        lines += [f"{new.frames} held-out frames, the same for both: `pictures/{target}.png`", ""]
        lines += ["| metric | challenger | champion |", "|---|---|---|"]
        values, others = new.to_report(), old.to_report() if old else {}
        for key, value in values.items():
            if isinstance(value, float) or value is None:
                lines.append(f"| {key} | {_shown(value)} | {_shown(others.get(key))} |")
    return "\n".join(lines) + "\n"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _caption(who: str, result: PairResult, i: int) -> str:
    frame = result.table.iloc[i]
    return f"{who}: {frame['identity_distance']:.2f}" if frame["detected"] else f"{who}: no face found"
