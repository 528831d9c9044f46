"""up, status, doctor: the servers of one machine, and whether an installation works."""

import json
import sys
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from faceswap.cli.common import quiet_imports, spoken_errors
from faceswap.output.console import out, printable, remark, say
from faceswap.tracking.pages import page

AsJson = Annotated[bool, typer.Option("--json", help="as JSON")]
_MARKS = {"good": ("✓", "green"), "warning": ("!", "yellow"), "bad": ("✗", "red")}


def up(verbose: Annotated[bool, typer.Option(help="print what the servers print")] = False) -> None:
    """Start MLflow, Prefect, the process that runs flows, and the app; Ctrl-C stops them."""
    with spoken_errors():
        from faceswap.settings import settings
        from infra.logins import login_file, prefect_login
        from infra.services import services
        from infra.up import up as run_servers

        login = prefect_login()

        said: list[str] = []

        def waiting(names: list[str]) -> None:
            if names != said:
                said[:] = names
                titles = [services()[name].title if name in services() else "the flows" for name in names]
                remark(f"Waiting for {', '.join(titles)} …", style="dim")

        def ready() -> None:
            out().print(_addresses(dict.fromkeys(services(), "answers")))
            say(f"Prefect's login: {login}  (kept in {login_file()}, which only you can read)")
            say(f"State: {settings().home_path}, logs in its folder logs. Ctrl-C stops everything.")
            say("Next: start a training in Prefect (Deployments), or `faceswap demo` in another terminal.")

        def happened(line: str) -> None:
            remark(line, style="yellow")

        run_servers(ready, waiting, happened, verbose)
        say("Stopped.")


def _addresses(states: dict[str, str]) -> Table:
    from infra.services import services

    table = Table()
    for title in ("server", "address", "state", "for"):
        table.add_column(title)
    purposes = {"mlflow": "runs and models", "prefect": "start and watch flows", "app": "swap faces"}
    for name, one in services().items():
        address = page("experiments", one.url) if name == "mlflow" else one.url
        table.add_row(one.title, address, states[name], purposes[name])
    return table


def status(as_json: AsJson = False) -> None:
    """Show which servers answer and which flows run."""
    with spoken_errors():
        from faceswap.settings import settings
        from infra.environments import running_environment
        from infra.logins import login_file
        from infra.services import services

        states = {name: "answers" if one.healthy() else "does not answer" for name, one in services().items()}
        flows = []
        if states["prefect"] == "answers":
            from infra.flow_runs import unfinished

            flows = unfinished(services()["prefect"].url)
        if as_json:
            servers = {n: {"url": one.url, "state": states[n]} for n, one in services().items()}
            sys.stdout.write(json.dumps({"servers": servers, "flows": flows}, indent=1) + "\n")
            return
        out().print(_addresses(states))
        if running_environment():
            say(f"Prefect's login: in {login_file()}")
        else:
            say(f"`faceswap up` does not run on {settings().home_path}.")
        table = Table(title="Flow runs that have not ended")
        for title in ("run", "state", "since", "page"):
            table.add_column(title, overflow="fold")
        for row in flows:
            table.add_row(row["name"], row["state"], row["since"], row["url"])
        out().print(table if flows else "No flow runs.")


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
                mark = Text.assemble(
                    _MARKS[one.grade], " ", (one.what, "bold"), f": {printable(one.finding)}"
                )
                out().print(mark)
                if one.fix:
                    say(f"    → {one.fix}")
        if any(one.grade == "bad" for one in found):
            raise typer.Exit(1)
