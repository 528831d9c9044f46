"""backup, restore, gc: everything in one file and back, and what nobody needs any more."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from faceswap.cli.common import spoken_errors
from faceswap.cli.options import at_home
from faceswap.output.console import out, remark, say
from faceswap.output.progress import bar

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


def gc(
    delete: Annotated[bool, typer.Option("--delete", help="remove it; else it is only listed")] = False,
    days: Annotated[float, typer.Option(min=0, help="what is younger stays")] = 30.0,
    keep: Annotated[int, typer.Option(min=0, help="newest versions of each identity that stay")] = 3,
) -> None:
    """List old versions, runs, face sets and checkpoints that nobody uses; never what has an alias."""
    with spoken_errors("the rest stays, the same command goes on"):
        from faceswap.jobs.upkeep.gc_job import collect, find_garbage
        from faceswap.registry.retention import Retention

        found = find_garbage(Retention(days, keep))
        table = Table(title="Removed" if delete else "Would be removed")
        for title in ("what", "which", "MB", "why"):
            table.add_column(title, overflow="fold")
        for one in found:
            size = f"{one.size / 1e6:.1f}" if one.size else "–"
            table.add_row(one.kind, one.name, size, one.why)
        if not found:
            say("There is nothing to remove.")
            return
        out().print(table)
        if not delete:
            say("Nothing was changed. With --delete these go; take a backup before.")
            return
        done, failed = collect(found)
        say(f"{done} of {len(found)} removed.")
        for line in failed:
            remark(line, style="yellow")
        if failed:
            raise typer.Exit(1)
