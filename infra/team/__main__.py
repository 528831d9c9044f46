"""``python -m infra.team mlflow|prefect|worker|app|setup|secrets FILE|user NAME|forget NAME|health URL|run|visit``."""

import argparse
import getpass
import os
import sys
import urllib.request
from pathlib import Path

from faceswap.errors import FaceswapError
from infra.team.services import SERVICES, Started, become, client_environment
from infra.team.settings import team
from infra.team.setup import add_user, forget_user, setup, write_secrets

_PROGRAMS = {"faceswap": "faceswap.cli", "prefect": "prefect", "mlflow": "mlflow", "pools": "flows.pools"}
"""name -> its module."""


def main(words: list[str] | None = None) -> None:
    """Do what the words say; errors are told in a line, with the status 1."""
    parser = argparse.ArgumentParser(prog="python -m infra.team", description="The servers of a team.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in SERVICES:
        commands.add_parser(name, help=f"become the {name}")
    commands.add_parser("setup", help="make databases, bucket, and the proxy's configuration")
    commands.add_parser("secrets", help="write a file of random secrets").add_argument("file", type=Path)
    user = commands.add_parser(
        "user", help="let a person in; asks for the password, or takes TEAM_NEW_PASSWORD"
    )
    user.add_argument("name")
    user.add_argument("--admin", action="store_true", help="may do all in MLflow")
    commands.add_parser("forget", help="let a person in no more").add_argument("name")
    health = commands.add_parser("health", help="end with 0 if an address answers")
    health.add_argument("url")
    run = commands.add_parser("run", help="a command of faceswap on the team's servers: run -- preprocess …")
    run.add_argument("--program", choices=_PROGRAMS, default="faceswap", help="whose command it is")
    run.add_argument("words", nargs="*")
    swap = commands.add_parser("visit", help="swap a picture in the app as the person TEAM_TRY_LOGIN")
    swap.add_argument("url", help="the app as the proxy shows it")
    swap.add_argument("picture", type=Path)
    swap.add_argument("identity")
    given = parser.parse_args(words)
    try:
        if given.command == "secrets":
            write_secrets(given.file)
        elif given.command == "health":
            with urllib.request.urlopen(given.url, timeout=5) as answer:
                sys.exit(answer.status != 200)
        elif given.command == "setup":
            setup(team())
        elif given.command == "user":
            password = os.environ.get("TEAM_NEW_PASSWORD") or getpass.getpass(f"Password of {given.name}: ")
            add_user(team(), given.name, password, given.admin)
        elif given.command == "forget":
            forget_user(team(), given.name)
        elif given.command == "visit":
            from infra.team.visit import visit

            file, version = visit(given.url, given.picture, given.identity)
            sys.stdout.write(f"{version} drew {file} ({file.stat().st_size / 1e3:.0f} kB)\n")
        elif given.command == "run":
            own = client_environment(team())
            become(Started([sys.executable, "-m", _PROGRAMS[given.program], *given.words], own), keep=True)
        else:
            become(SERVICES[given.command](team()))
    except (FaceswapError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
