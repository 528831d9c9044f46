"""promote, rollback: which version is in production."""

from typing import Annotated

import typer
from rich.table import Table

from faceswap.cli.common import console, quiet_imports, spoken_errors

By = Annotated[str, typer.Option(help="who does it; default: the user of this machine")]


def promote(
    version: Annotated[str, typer.Argument(help="NAME/3 or NAME@alias; NAME alone: its challenger")],
    to: Annotated[str, typer.Option(help="production; or challenger: only nominate it")] = "production",
    targets: Annotated[
        list[str] | None, typer.Option("--target", help="face set that both are put on; repeatable")
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
        with quiet_imports():
            from flows.parameters import PromoteParameters
            from flows.promote import Promoted
            from flows.promote import promote as flow

        done = flow(
            PromoteParameters(
                version=version,
                to=to,
                targets=targets or [],
                frames=frames,
                override=override,
                approval=approval,
                by=by,
            ),
        )
        assert isinstance(done, Promoted)  # a state would have been raised
        if done.decision is None:
            console.print(f"{done.version} is {'in production already' if to == 'production' else to}.")
            return
        table = Table(title=f"{done.version}: {done.decision.outcome}")
        for title in ("gate", "limit", "challenger", "champion", "verdict"):
            table.add_column(title)
        for check in done.decision.table:
            values = ("–" if v is None else f"{v:.3f}" for v in (check.challenger, check.champion))
            table.add_row(check.gate.metric, check.gate.limit, *values, "pass" if check.passed else "fail")
        console.print(table)
        before = f"; {done.replaced} is kept as previous" if done.replaced else ""
        console.print(
            f"In production: {done.version}{before}. Report: MLflow run {done.run_id}", soft_wrap=True
        )


def rollback(
    name: Annotated[str, typer.Argument(help="the identity")],
    reason: Annotated[str, typer.Option(help="why; it is recorded")] = "",
    by: By = "",
) -> None:
    """Put the version before into production again."""
    with spoken_errors():
        with quiet_imports():
            from flows.parameters import RollbackParameters
            from flows.promote import rollback as flow

        done = flow(RollbackParameters(name=name, reason=reason, by=by))
        console.print(f"In production: {done.version}; {done.replaced} was rolled back.")
