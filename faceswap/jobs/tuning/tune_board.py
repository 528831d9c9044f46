"""What a search shows while it runs, in MLflow and to the monitor: after every trial the table, the plot, the best."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from faceswap import tracking
from faceswap.jobs.monitor import Monitor
from faceswap.jobs.tuning import trial_runs
from faceswap.output.progress import Report
from faceswap.tuning.oracles import expected_trials
from faceswap.tuning.plan import SearchPlan, TrialRecord, read_records
from faceswap.tuning.plots import plot
from faceswap.tuning.results import table, winner

_COLUMNS = ("trial", "mark", "quality", "images_per_second", "parameters", "status")


class Board:
    """Keeps the search's MLflow run, and what the monitor shows, up to date.

    Args:
        run: the search's run; the trials are nested in it.
        plan: what is searched.
        folder: of the search.
        report: the progress.
        monitor: shows table, plot and the best.
    """

    def __init__(
        self, run: tracking.Run, plan: SearchPlan, folder: Path, report: Report, monitor: Monitor
    ) -> None:
        self.run, self.plan, self.folder = run, plan, folder
        self.report, self.monitor = report, monitor
        self._key = f"tune-{run.run_id[:12]}"

    def told(self, record: TrialRecord) -> None:
        """A trial is over."""
        if not record.completed:
            trial_runs.record_failure(record, self.plan, self.folder)
        records = read_records(self.folder)
        best = winner(records, self.plan.tolerance)
        values = {"best_quality": max((r.quality for r in records if r.completed), default=float("nan"))}
        if record.completed:
            values["quality"] = record.quality
        self.run.metrics(values, len(records))
        self._show(records, best)
        message = f"best {best.quality:.3f}: {_said(best)}" if best else record.status
        self.report(len(records), expected_trials(self.plan), message)

    def finish(self, best: TrialRecord) -> None:
        """The search is over: the winner's settings, its measures and its run."""
        records = read_records(self.folder)
        self._show(records, best)
        file = trial_runs.run_file(self.folder / "trials" / best.trial_id)
        preset = self.plan.variant(best.values)
        self.run.document({**best.model_dump(mode="json"), "preset": preset.model_dump()}, "winner.json")
        self.run.metrics({f"winner.{k}": v for k, v in best.result.measures.items()}, len(records))
        self.run.metrics({"winner.quality": best.quality}, len(records))
        self.run.tags(
            {
                "winner.trial": best.trial_id,
                "winner.changes": str(best.changes),
                "winner.run_id": file.read_text() if file.exists() else "",
            }
        )

    def _show(self, records: Sequence[TrialRecord], best: TrialRecord | None) -> None:
        rows = table(records, self.plan)
        picture = plot(records, self.plan)
        self.run.picture(picture, "search.png", None)
        self.run.document(rows, "trials.json")
        searched = [d.field for d in self.plan.space.dimensions]
        short = [{key: _plain(row[key]) for key in (*_COLUMNS[:2], *searched, *_COLUMNS[2:])} for row in rows]
        text = _markdown(short, best)
        self.run.text(text, "trials.md")
        self.monitor.table(short, self._key, f"{len(records)} trials, best first")
        self.monitor.note(f"{text}\n\n{self.run.link}", f"{self._key}-summary")
        self.monitor.picture(f"{self._key}-plot", picture, "quality and speed", None)


def _said(record: TrialRecord) -> str:
    return ", ".join(f"{k} {v}" for k, v in record.changes.items())


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return str(value) if isinstance(value, list | tuple) else value


def _markdown(rows: Sequence[Mapping[str, Any]], best: TrialRecord | None) -> str:
    head = (
        f"Winner: trial {best.trial_id}, quality {best.quality:.3f}: {_said(best)}"
        if best
        else "No winner yet"
    )
    lines = [f"| {' | '.join(rows[0])} |", f"|{'---|' * len(rows[0])}"] if rows else []
    lines += [f"| {' | '.join(str(value) for value in row.values())} |" for row in rows]
    return "\n".join([f"# {head}", "", *lines])
