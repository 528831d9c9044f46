"""tune: search the settings that suit these faces and this time."""

from typing import Annotated, Any

import typer
from rich.table import Table

from faceswap.cli.checks import face_sets_exist
from faceswap.cli.common import MachinesPreset, pairs, spoken_errors
from faceswap.cli.options import Shown, at_home, takes_fields_of
from faceswap.cli.running import run as run_job
from faceswap.errors import SettingsError
from faceswap.jobs.parameters import OF_THE_RUN
from faceswap.jobs.tuning.tune_parameters import TuneParameters
from faceswap.output.console import out, say

_SEARCH, _BUDGET, _JUDGE, _AGAIN = (
    "What is searched",
    "How long",
    "What counts as good",
    "Go on, or begin anew",
)


@takes_fields_of(
    TuneParameters,
    {
        "space": Shown("bottleneck, widths, everything, or a JSON or YAML file", _SEARCH),
        "algorithm": Shown("how the next trial is chosen", _SEARCH),
        "rungs": Shown("hyperband: comparisons", _SEARCH),
        "factor": Shown("hyperband: one in so many goes on", _SEARCH),
        "seed": Shown("of the values that are tried, of batches and initial weights", _SEARCH),
        "minutes": Shown("of one whole training; default: 2", _BUDGET),
        "steps": Shown("of one whole training, in optimizer steps", _BUDGET),
        "trials": Shown("at most so many; default: 12", _BUDGET),
        "total_minutes": Shown("no trial begins later than this", _BUDGET),
        "workers": Shown("trials at the same time on this machine; default: 1", _BUDGET),
        "then_train_minutes": Shown(
            "minutes to train the winner for; it is registered", _BUDGET, "then_train"
        ),
        "frames": Shown("held-out frames a pair is measured on", _JUDGE),
        "tolerance": Shown("of qualities that differ by less, the smallest network wins", _JUDGE),
        "fresh": Shown("forget an earlier search of the same input", _AGAIN),
        "resume": Shown("MLflow run id of an interrupted search", _AGAIN),
    },
)
def tune(
    face_sets: Annotated[
        list[str] | None, typer.Argument(help="face sets, one per identity", callback=at_home)
    ] = None,
    preset: MachinesPreset = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            help="TERM=NUMBER of the objective: identity, lips, eyes, sharpness, structure, pose, detection",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    *,
    options: dict[str, Any],
) -> None:
    """How wide should the bottleneck be, and what else matters? Trials on your faces answer it."""
    with spoken_errors():
        if not face_sets and not options.get("resume"):
            raise SettingsError("No face sets are given", "name two or more, or --resume RUN_ID")
        parameters = TuneParameters(
            face_sets=face_sets or [OF_THE_RUN],
            preset=preset,
            objective=pairs(weights or [], "NUMBER"),
            **options,
        )
        parameters = parameters.checked()  # before anything heavy is imported
        face_sets_exist(*face_sets or [])
        done = run_job("tune", parameters)
        if done is None:
            say("The chief's search is over.")
            return
        shown = Table(title=f"{len(done.table)} trials, best first")
        searched = list(done.winner.values)
        for column in ("trial", "", *searched, "quality", "images/s", "status"):
            shown.add_column(column)
        for row in done.table:
            quality = "–" if row["quality"] is None else f"{row['quality']:.3f}"
            values = [f"{v:.4g}" if isinstance(v := row[name], float) else str(v) for name in searched]
            speed = f"{row['images_per_second']:.0f}"
            shown.add_row(row["trial"], row["mark"], *values, quality, speed, row["status"])
        out().print(shown)
        for sentence in done.findings:
            say(sentence)
        say(f"MLflow run {done.run_id}; state and logs: {done.folder}")
        for version in done.versions.values():
            say(f"Registered: {version}")
        following = "faceswap models; faceswap promote NAME" if done.versions else done.following
        say(f"Next: {following}")
