"""promote, rollback: which version is in production."""

from typing import Annotated

import typer
from rich.table import Table

from faceswap.cli.checks import face_sets_exist, identities_exist
from faceswap.cli.common import spoken_errors
from faceswap.cli.options import at_home, one_of
from faceswap.cli.running import run as run_job
from faceswap.output.console import out, say


def _destinations() -> list[str]:
    return ["production", "challenger"]


By = Annotated[str, typer.Option(help="who does it; default: the user of this machine")]


def promote(
    version: Annotated[str, typer.Argument(help="NAME/3 or NAME@alias; NAME alone: its challenger")],
    to: Annotated[
        str,
        typer.Option(
            help="production; or challenger: only nominate it",
            callback=one_of(_destinations),
            autocompletion=_destinations,
        ),
    ] = "production",
    targets: Annotated[
        list[str] | None,
        typer.Option("--target", help="face set that both are put on; repeatable", callback=at_home),
    ] = None,
    frames: Annotated[int, typer.Option(min=2, help="held-out frames of each target")] = 40,
    override: Annotated[
        str | None, typer.Option(help="the reason why it goes to production even if a gate refuses")
    ] = None,
    approval: Annotated[bool, typer.Option("--approval", help="wait for a yes in Prefect's UI")] = False,
    by: By = "",
) -> None:
    """Put a version into production, if it holds against the one that is there."""
    with spoken_errors():
        from faceswap.jobs.parameters import PromoteParameters

        parameters = PromoteParameters(
            version=version,
            to=to,
            targets=targets or [],
            frames=frames,
            override=override,
            approval=approval,
            by=by,
        )
        face_sets_exist(*parameters.targets)
        identities_exist(version)
        done = run_job("promote", parameters)
        if done.decision is None:
            say(f"{done.version} is {'in production already' if to == 'production' else to}.")
            return
        table = Table(title=f"{done.version}: {done.decision.outcome}")
        for title in ("gate", "limit", "against the champion", "challenger", "champion", "verdict"):
            table.add_column(title)
        for check in done.decision.table:
            values = ("–" if v is None else f"{v:.3f}" for v in (check.challenger, check.champion))
            gate = check.gate
            table.add_row(gate.metric, gate.limit, gate.allowance, *values, check.verdict)
        out().print(table)
        before = f"; {done.replaced} is kept as previous" if done.replaced else ""
        say(f"In production: {done.version}{before}. Report: MLflow run {done.run_id}")


def rollback(
    name: Annotated[str, typer.Argument(help="the identity")],
    reason: Annotated[str, typer.Option(help="why; it is recorded")] = "",
    by: By = "",
) -> None:
    """Put the version before into production again."""
    with spoken_errors():
        from faceswap.jobs.parameters import RollbackParameters

        parameters = RollbackParameters(name=name, reason=reason, by=by)
        identities_exist(name)
        done = run_job("rollback", parameters)
        say(f"In production: {done.version}; {done.replaced} was rolled back.")
