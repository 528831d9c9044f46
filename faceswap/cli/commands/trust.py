"""verify, credentials, audit: what files tell, what signs them, and the log."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from faceswap.cli.checks import media_exist
from faceswap.cli.common import spoken_errors
from faceswap.cli.options import at_home
from faceswap.output.console import say

_HELP = {"help_option_names": ["-h", "--help"]}
credentials = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Show or change the certificate that signs outputs.",
    context_settings=_HELP,
)
audit = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Check or list the log of acts.", context_settings=_HELP
)
File = Annotated[Path, typer.Argument(help="PEM file", callback=at_home)]


def verify(
    file: Annotated[Path, typer.Argument(help="picture or video", callback=at_home)],
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Tell what a file's signature, pixels and metadata say of its origin."""
    with spoken_errors():
        media_exist(file, recorded=False)
        from faceswap.jobs.verify_job import verify_file

        found = verify_file(file)
        if as_json:
            sys.stdout.write(json.dumps(found.model_dump(mode="json"), indent=1) + "\n")
            return
        say(f"{file}: {found.finding}")
        say(f"  {found.meaning}")
        for line in found.changed:
            say(f"  changed: {line}")
        for line in found.details:
            say(f"  {line}")


@credentials.command("show")
def _show() -> None:
    """Show the certificate that signs outputs, and how long it holds."""
    with spoken_errors():
        from faceswap.provenance import credentials as store

        found = store.current()
        one = found.certificate
        kind = "a development certificate: nobody else knows it" if found.about.development else "your own"
        say(f"Outputs are signed by {found.subject} ({kind}).")
        say(f"  valid from {one.not_valid_before_utc:%Y-%m-%d} until {one.not_valid_after_utc:%Y-%m-%d}")
        say(f"  {found.algorithm}, issued by {one.issuer.rfc4514_string()}")
        say(f"  time stamps: {found.about.timestamps or 'none; no server is asked'}")
        say(f"  in {store.folder()}")


@credentials.command("use")
def _use(
    certificate: Annotated[
        Path, typer.Option(help="PEM: the signing certificate first, then its issuers", callback=at_home)
    ],
    key: Annotated[Path, typer.Option(help="PEM, without a password", callback=at_home)],
    timestamps: Annotated[str, typer.Option(help="address of a time-stamping authority")] = "",
) -> None:
    """Sign with your team's certificate from now on."""
    with spoken_errors():
        from faceswap.provenance import credentials as store

        found = store.use(certificate, key, timestamps)
        say(f"Outputs are signed by {found.subject} from now on.")


@credentials.command("reset")
def _reset() -> None:
    """Sign with a new development certificate from now on."""
    with spoken_errors():
        from faceswap.provenance import credentials as store

        say(f"Outputs are signed by {store.reset().subject} from now on: nobody else knows it.")


@credentials.command("trust")
def _trust(root: File) -> None:
    """Know what another's certificates signed: give the root's."""
    with spoken_errors():
        from faceswap.provenance import credentials as store

        say(f"{store.trust(root)} certificates of {root} are known from now on.")


@audit.command("verify")
def _verify(
    known: Annotated[str, typer.Option(help="hash of an earlier check; it has to be in the log")] = "",
) -> None:
    """Make sure that no line of the log was changed, removed or put in."""
    with spoken_errors():
        from faceswap.provenance import audit as log

        count, head = log.verify(known)
        say(f"{log.log_file()}: {count} acts, and each follows from the one before.")
        say(f"  The last one's hash: {head}")
        say("  Keep it elsewhere, and give it to a later check with --known.")


@audit.command("show")
def _log(last: Annotated[int, typer.Option(min=1, help="how many")] = 20) -> None:
    """List the last acts: who, when, what."""
    with spoken_errors():
        from faceswap.provenance import audit as log

        for one in list(log.entries())[-last:]:
            people = f" {' + '.join(one.identities)}" if one.identities else ""
            files = f", {len(one.files)} files" if one.files else ""
            say(f"{one.number:>5}  {one.at}  {one.by}  {one.what}{people}{files}")
