"""tune: search the settings that suit these faces and this time."""

from typing import Annotated

import typer
from rich.table import Table

from faceswap.cli.common import PresetOption, Seed, console, pairs, quiet_imports, spoken_errors
from faceswap.errors import SettingsError


def tune(
    face_sets: Annotated[list[str] | None, typer.Argument(help="face sets, one per identity")] = None,
    preset: PresetOption = "lite",
    space: Annotated[
        str, typer.Option(help="bottleneck, widths, everything, or a JSON or YAML file")
    ] = "bottleneck",
    algorithm: Annotated[str, typer.Option(help="bayesian or hyperband")] = "bayesian",
    minutes: Annotated[float | None, typer.Option(min=0.01, help="of one whole training; default 2")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="of one whole training, in steps")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="at most so many; default 12")] = None,
    total_minutes: Annotated[
        float | None, typer.Option(min=0.01, help="no trial begins later than this")
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            help="TERM=NUMBER of the objective: identity, lips, eyes, sharpness, structure, pose, detection",
        ),
    ] = None,
    frames: Annotated[int, typer.Option(min=2, help="held-out frames a pair is measured on")] = 12,
    tolerance: Annotated[
        float, typer.Option(min=0, help="of qualities that differ by less, the smallest network wins")
    ] = 0.01,
    rungs: Annotated[int, typer.Option(min=1, max=6, help="hyperband: comparisons")] = 3,
    factor: Annotated[int, typer.Option(min=2, max=10, help="hyperband: one in so many goes on")] = 3,
    workers: Annotated[
        int | None, typer.Option(min=1, help="trials at the same time on this machine; default 1")
    ] = None,
    then_train: Annotated[
        float | None, typer.Option(min=0.01, help="minutes to train the winner for; it is registered")
    ] = None,
    seed: Seed = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="forget an earlier search of the same input")
    ] = False,
    resume: Annotated[str, typer.Option(help="MLflow run id of an interrupted search")] = "",
) -> None:
    """How wide should the bottleneck be, and what else matters? Trials on your faces answer it."""
    with spoken_errors():
        if not face_sets and not resume:
            raise SettingsError("No face sets are given", "name two or more, or --resume RUN_ID")
        with quiet_imports():
            from flows.parameters_tune import TuneParameters
            from flows.tune import tune as flow

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
        parameters = parameters.checked()  # before Prefect's server is started

        done = flow(parameters)
        if done is None:
            console.print("The chief's search is over.")
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
        console.print(shown)
        console.print(f"Winner: trial {done.winner.trial_id}, {done.winner.changes}", soft_wrap=True)
        console.print(f"MLflow run {done.run_id}; state and logs: {done.folder}", soft_wrap=True)
        for version in done.versions.values():
            console.print(f"Registered: {version}")
