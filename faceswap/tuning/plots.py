"""The search as a picture: width against quality, speed against quality with the Pareto front."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image as Pillow

from faceswap.tuning.plan import SearchPlan, TrialRecord
from faceswap.tuning.results import by_first_dimension, pareto_front, winner
from faceswap.tuning.search_space import Choice

_FRONT, _WON, _LINE = "#d1495b", "#edae49", "#00798c"


def plot(records: Sequence[TrialRecord], plan: SearchPlan) -> NDArray[np.uint8]:
    """Two panels as a picture.

    Left: the first dimension (the bottleneck) against quality, coloured by speed; the line joins the best trial of
    each value, the band is as good as the best. Right: speed against quality; the red line is the Pareto front.
    A star is the winner, crosses at the bottom are trials that failed.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    figure = Figure(figsize=(11, 4.4), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _against_width(left, records, plan)
    _against_speed(right, records, plan)
    figure.suptitle(
        f"{len(records)} trials of {_budget(plan)} on {' + '.join(plan.digests)}, preset {plan.preset.name}",
        fontsize=11,
    )
    memory = io.BytesIO()
    canvas.print_png(memory)
    return np.asarray(Pillow.open(memory).convert("RGB"))


def _budget(plan: SearchPlan) -> str:
    given = {k: v for k, v in plan.budget.model_dump().items() if v is not None}
    name, value = next(iter(given.items()))
    return f"{value:g} {name}"


def _against_width(axes: Axes, records: Sequence[TrialRecord], plan: SearchPlan) -> None:
    first = plan.space.dimensions[0]
    place = _places(records, plan)
    done = [r for r in records if r.completed]
    best = [record for _, record in by_first_dimension(records, plan)]
    axes.plot([place[r.trial_id] for r in best], [r.quality for r in best], color=_LINE, alpha=0.5, zorder=1)
    points = axes.scatter(
        [place[r.trial_id] for r in done],
        [r.quality for r in done],
        c=[r.result.images_per_second for r in done],
        s=[30 + 22 * r.rung for r in done],
        cmap="viridis",
        zorder=2,
    )
    if done:
        axes.figure.colorbar(points, ax=axes, label="images trained per second")
    _marks(axes, records, plan, place)
    unit = f" ({first.unit})" if first.unit else ""
    axes.set(xlabel=f"{first.field}{unit}", ylabel="quality (0..1)")
    known = {r.values[first.field]: place[r.trial_id] for r in records}
    if isinstance(first, Choice) or len(known) <= 10:
        values = sorted(known, key=lambda v: known[v])
        axes.set_xticks([known[v] for v in values], [str(first.decode(v)) for v in values], minor=False)
    elif first.log:
        axes.set_xscale("log")


def _places(records: Sequence[TrialRecord], plan: SearchPlan) -> dict[str, float]:
    """Trial -> where its value lies on the axis: few values stand side by side, many by their size."""
    first = plan.space.dimensions[0]
    values = {r.trial_id: r.values[first.field] for r in records}
    if isinstance(first, Choice):
        return {i: float(first.encoded.index(value)) for i, value in values.items()}
    if len(set(values.values())) <= 10:
        order = sorted(set(map(float, values.values())))
        return {i: float(order.index(float(value))) for i, value in values.items()}
    return {i: float(value) for i, value in values.items()}


def _against_speed(axes: Axes, records: Sequence[TrialRecord], plan: SearchPlan) -> None:
    done = [r for r in records if r.completed]
    place = {r.trial_id: r.result.images_per_second for r in done}
    axes.scatter(list(place.values()), [r.quality for r in done], color="0.6", s=30, zorder=2)
    front = pareto_front(records)
    axes.plot(
        [place[r.trial_id] for r in front],
        [r.quality for r in front],
        "o-",
        color=_FRONT,
        label="Pareto front",
        zorder=3,
    )
    first = plan.space.dimensions[0]
    for record in front:
        axes.annotate(
            f"{first.decode(record.values[first.field])}",
            (place[record.trial_id], record.quality),
            textcoords="offset points",
            xytext=(6, 5),
            fontsize=8,
        )
    _marks(axes, done, plan, place)
    axes.set(xlabel="images trained per second", ylabel="quality (0..1)")
    axes.margins(x=0.12, y=0.12)
    if done:
        axes.legend(fontsize=8, loc="best")
    axes.grid(alpha=0.25)


def _marks(axes: Axes, records: Sequence[TrialRecord], plan: SearchPlan, place: dict[str, float]) -> None:
    chosen = winner(records, plan.tolerance)
    if chosen:
        axes.scatter(
            [place[chosen.trial_id]],
            [chosen.quality],
            marker="*",
            s=260,
            color=_WON,
            edgecolor="black",
            zorder=4,
            label=f"winner: trial {chosen.trial_id}",
        )
        best = max(r.quality for r in records if r.completed)
        low, high = axes.get_ylim()
        axes.axhspan(
            best - plan.tolerance, best, color=_WON, alpha=0.15, zorder=0, label="as good as the best"
        )
        # Noise must not fill the whole height.
        axes.set_ylim(min(low, best - 4 * plan.tolerance), max(high, best + plan.tolerance))
    failed = [r for r in records if not r.completed]
    low = min((r.quality for r in records if r.completed), default=0.0)
    axes.scatter([place[r.trial_id] for r in failed], [low] * len(failed), marker="x", color="0.3", zorder=2)
    axes.grid(alpha=0.25)
