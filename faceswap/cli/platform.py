"""up, status, doctor: the servers of one machine, and whether an installation works."""

import json
import sys
from typing import Annotated

import typer
from rich.table import Table

from faceswap.cli.common import console, errors, quiet_imports, spoken_errors
from faceswap.settings import settings

AsJson = Annotated[bool, typer.Option("--json", help="as JSON")]
_MARKS = {"good": "[green]✓[/]", "warning": "[yellow]![/]", "bad": "[red]✗[/]"}


def up(verbose: Annotated[bool, typer.Option(help="print what the servers print")] = False) -> None:
    """Start MLflow, Prefect, the process that runs flows, and the app; Ctrl-C stops them."""
    with spoken_errors():
        from infra.services import services
        from infra.up import up as run_servers

        said: list[str] = []

        def waiting(names: list[str]) -> None:
            if names != said:
                said[:] = names
                titles = [services()[name].title if name in services() else "the flows" for name in names]
                errors.print(f"Waiting for {', '.join(titles)} …", style="dim")

        def ready() -> None:
            console.print(_addresses(dict.fromkeys(services(), "answers")))
            console.print(f"State: {settings().home_path}, logs in its folder logs. Ctrl-C stops everything.")
            console.print(
                "Next: start a training in Prefect (Deployments), or `faceswap demo` in another terminal."
            )

        run_servers(ready, waiting, verbose)
        console.print("Stopped.")


def _addresses(states: dict[str, str]) -> Table:
    from infra.services import services

    table = Table()
    for title in ("server", "address", "state", "for"):
        table.add_column(title)
    purposes = {"mlflow": "runs and models", "prefect": "start and watch flows", "app": "swap faces"}
    for name, one in services().items():
        table.add_row(one.title, one.url, states[name], purposes[name])
    return table


def status(as_json: AsJson = False) -> None:
    """Show which servers answer and which flows run."""
    with spoken_errors():
        from infra.services import running_environment, services

        states = {name: "answers" if one.healthy() else "does not answer" for name, one in services().items()}
        flows = []
        if states["prefect"] == "answers":
            from infra.flow_runs import unfinished

            flows = unfinished(services()["prefect"].url)
        if as_json:
            servers = {n: {"url": one.url, "state": states[n]} for n, one in services().items()}
            sys.stdout.write(json.dumps({"servers": servers, "flows": flows}, indent=1) + "\n")
            return
        console.print(_addresses(states))
        if not running_environment():
            console.print(f"`faceswap up` does not run on {settings().home_path}.")
        table = Table(title="Flow runs that have not ended")
        for title in ("run", "state", "since", "page"):
            table.add_column(title, overflow="fold")
        for row in flows:
            table.add_row(row["name"], row["state"], row["since"], row["url"])
        console.print(table if flows else "No flow runs.")


def doctor(as_json: AsJson = False) -> None:
    """Check the installation, the servers, the registry, the device and the folders; each with its fix."""
    with spoken_errors():
        with quiet_imports():
            from infra.doctor import examine

        found = examine()
        if as_json:
            sys.stdout.write(json.dumps([vars(one) for one in found], indent=1) + "\n")
        else:
            for one in found:
                console.print(
                    f"{_MARKS[one.grade]} [bold]{one.what}[/]: {one.finding}", soft_wrap=True, highlight=False
                )
                if one.fix:
                    console.print(f"    → {one.fix}", soft_wrap=True, highlight=False)
        if any(one.grade == "bad" for one in found):
            raise typer.Exit(1)
