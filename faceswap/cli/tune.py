"""tune: search the settings that suit these faces and this time."""

from typing import Annotated

import typer
from rich.table import Table

from faceswap.cli.checks import face_sets_exist
from faceswap.cli.common import PresetOption, Seed, pairs, spoken_errors
from faceswap.cli.options import at_home, one_of
from faceswap.cli.running import run as run_job
from faceswap.console import out, say
from faceswap.errors import SettingsError

_SEARCH, _BUDGET, _JUDGE, _AGAIN = (
    "What is searched",
    "How long",
    "What counts as good",
    "Go on, or begin anew",
)


def _algorithms() -> list[str]:
    return ["bayesian", "hyperband"]


def tune(
    face_sets: Annotated[
        list[str] | None, typer.Argument(help="face sets, one per identity", callback=at_home)
    ] = None,
    preset: PresetOption = "lite",
    space: Annotated[
        str,
        typer.Option(
            help="bottleneck, widths, everything, or a JSON or YAML file",
            callback=at_home,
            rich_help_panel=_SEARCH,
        ),
    ] = "bottleneck",
    algorithm: Annotated[
        str,
        typer.Option(
            help="bayesian or hyperband",
            callback=one_of(_algorithms),
            autocompletion=_algorithms,
            rich_help_panel=_SEARCH,
        ),
    ] = "bayesian",
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, help="of one whole training; default: 2", rich_help_panel=_BUDGET),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="of one whole training, in steps", rich_help_panel=_BUDGET)
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="at most so many; default: 12", rich_help_panel=_BUDGET)
    ] = None,
    total_minutes: Annotated[
        float | None, typer.Option(min=0.01, help="no trial begins later than this", rich_help_panel=_BUDGET)
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            help="TERM=NUMBER of the objective: identity, lips, eyes, sharpness, structure, pose, detection",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    frames: Annotated[
        int, typer.Option(min=2, help="held-out frames a pair is measured on", rich_help_panel=_JUDGE)
    ] = 12,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0,
            help="of qualities that differ by less, the smallest network wins",
            rich_help_panel=_JUDGE,
        ),
    ] = 0.01,
    rungs: Annotated[
        int, typer.Option(min=1, max=6, help="hyperband: comparisons", rich_help_panel=_SEARCH)
    ] = 3,
    factor: Annotated[
        int, typer.Option(min=2, max=10, help="hyperband: one in so many goes on", rich_help_panel=_SEARCH)
    ] = 3,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="trials at the same time on this machine; default: 1", rich_help_panel=_BUDGET
        ),
    ] = None,
    then_train: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="minutes to train the winner for; it is registered", rich_help_panel=_BUDGET
        ),
    ] = None,
    seed: Seed = 0,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="forget an earlier search of the same input", rich_help_panel=_AGAIN),
    ] = False,
    resume: Annotated[
        str, typer.Option(help="MLflow run id of an interrupted search", rich_help_panel=_AGAIN)
    ] = "",
) -> None:
    """How wide should the bottleneck be, and what else matters? Trials on your faces answer it."""
    with spoken_errors():
        if not face_sets and not resume:
            raise SettingsError("No face sets are given", "name two or more, or --resume RUN_ID")
        from faceswap.jobs.tune_parameters import TuneParameters

        parameters = TuneParameters(
            face_sets=face_sets or ["(of the run)"],
            preset=preset,
            space=space,
            algorithm=algorithm,
            minutes=minutes,
            steps=steps,
            trials=trials,
            total_minutes=total_minutes,
            objective=pairs(weights or [], "NUMBER"),
            frames=frames,
            tolerance=tolerance,
            rungs=rungs,
            factor=factor,
            workers=workers,
            then_train_minutes=then_train,
            seed=seed,
            fresh=fresh,
            resume=resume,
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
