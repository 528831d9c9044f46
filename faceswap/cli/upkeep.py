"""backup, restore: everything in one file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from faceswap.cli.common import spoken_errors
from faceswap.cli.options import at_home
from faceswap.console import say
from faceswap.progress import bar

BackupFile = Annotated[Path, typer.Argument(help="tar file", callback=at_home)]


def backup(file: BackupFile) -> None:
    """Write databases, artifacts and face sets into one file; the servers may run."""
    with spoken_errors("nothing was written"):
        from infra.backup import backup as write

        with bar("back up", "files") as report:
            counts = write(file, report)
        say(
            f"Written: {file}, {counts['bytes'] / 1e6:.1f} MB: {counts['databases']} databases, "
            f"{counts['artifacts']} files of artifacts, {counts['face-sets']} of face sets"
        )
        say("It holds likenesses of people: only you can read it; keep it so.")


def restore(file: BackupFile) -> None:
    """Bring a backup back, into an empty home or empty servers."""
    with spoken_errors("give the same command again, into an empty home"):
        from faceswap.settings import settings
        from infra.backup import restore as bring

        with bar("restore", "files") as report:
            counts = bring(file, report)
        say(
            f"Restored to {settings().home_path}: {counts['databases']} databases, "
            f"{counts['artifacts']} files of artifacts, {counts['face-sets']} of face sets"
        )
