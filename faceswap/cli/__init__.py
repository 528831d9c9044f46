"""The command line: thin, it checks the words and runs the jobs, as flows where a Prefect API is.

A command's module is imported when the command is called, so that help and trivial errors come at once.
"""

import gc
import importlib
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import faceswap
from faceswap.output.console import make_streams_lenient, say

_HELP = """Swap faces of consenting or fictional people: train, compare, promote and serve the models.

Begin with `faceswap demo`: the whole job on people who do not exist."""
_WHOLE, _STEPS, _VERSIONS = "The whole job", "Its steps, one by one", "Versions"
_TRUST = "Consent, marks and the log"
_MEDIA, _SERVERS, _NETWORKS = "Media", "Servers", "Networks that come with the package, made anew"
_COMMANDS = {
    "demo": (_WHOLE, "whole_job", "The whole job on fictional people; no media needed."),
    "run": (_WHOLE, "whole_job", "The whole job on your own media of consenting people."),
    "preprocess": (_STEPS, "steps", "Media of one person in, a face set out."),
    "train": (_STEPS, "steps", "Face sets in, registered decoder versions out."),
    "tune": (_STEPS, "tune", "Search the settings that suit these faces and this time."),
    "evaluate": (_STEPS, "steps", "Measure registered versions on held-out faces."),
    "swap": (_STEPS, "swap", "Put the reference's face on a picture, a folder or a video."),
    "models": (_VERSIONS, "listing", "List the registered versions."),
    "promote": (_VERSIONS, "promotion", "Put a version into production, if it holds against the one there."),
    "rollback": (_VERSIONS, "promotion", "Put the version before into production again."),
    "consent": (_TRUST, "consent", "Show, record, extend or withdraw a person's consent."),
    "verify": (_TRUST, "trust", "Tell what a file's signature, pixels and metadata say of its origin."),
    "credentials": (_TRUST, "trust", "Show or change the certificate that signs outputs."),
    "audit": (_TRUST, "trust", "Check or list the log of who did what."),
    "people": (_MEDIA, "listing", "Write pictures or a video of each fictional person."),
    "inspect": (_MEDIA, "listing", "Print what a file says of its origin."),
    "up": (_SERVERS, "platform", "Start MLflow, Prefect, the flows' process and the app."),
    "serve": (_SERVERS, "serve", "Start the app alone: swaps in a browser."),
    "worker": (_SERVERS, "worker", "Look for faces for others: join a Dask scheduler."),
    "status": (_SERVERS, "platform", "Show which servers answer and which flows run."),
    "doctor": (_SERVERS, "platform", "Check the installation; every finding with its fix."),
    "backup": (_SERVERS, "upkeep", "Write databases, artifacts and face sets into one file."),
    "gc": (_SERVERS, "upkeep", "List what is old and used by nobody; --delete removes it."),
    "restore": (_SERVERS, "upkeep", "Bring a backup back, into an empty home."),
    "pretrain": (_NETWORKS, "steps", "Make the prior that trainings start from."),
    "learn-masks": (_NETWORKS, "steps", "Make the network that tells faces from hair, glasses and hands."),
}
"""name -> its group in the help, its module in ``faceswap.cli.commands``, what it does."""

_GARBAGE = 50_000
"""Objects made since the last look for cyclic garbage at which the next is due, in place of Python's 700: importing
MLflow makes a million that all stay (of the CPU's time of that import a fifth: docs/measurements/start.md)."""


class _Commands(TyperGroup):
    """Lists all commands, imports the one that is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, (panel, _, text) in _COMMANDS.items():
            self.add_command(TyperCommand(name, help=text, rich_help_panel=panel))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """As the base does, with the real command in place of what stands for it in the list."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and _load(str(name)), rest

    def main(self, *args: Any, **settings: Any) -> Any:
        """As the base does, on terminals that lack characters, too."""
        make_streams_lenient()
        gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])
        return super().main(*args, **settings)


def _load(name: str) -> Any:
    module = importlib.import_module(f"faceswap.cli.commands.{_COMMANDS[name][1]}")
    found = getattr(module, name.replace("-", "_"))
    if isinstance(found, typer.Typer):  # a command with commands of its own
        return typer.main.get_group(found)
    single = typer.Typer(add_completion=False)
    single.command(name)(found)
    return typer.main.get_command(single)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"faceswap {faceswap.__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What every command shares."""
