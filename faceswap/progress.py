"""Progress bars on a terminal, a line now and then elsewhere (logs, Prefect)."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

logger = logging.getLogger(__name__)
console = Console(stderr=True)
Report = Callable[[int, int | None, str], None]
"""Called as (done, total or None, what is going on)."""
_LINE_SECONDS = 15.0


@contextmanager
def bar(title: str) -> Iterator[Report]:
    """Show how far a long piece of work is.

    Args:
        title: what the work is.

    Yields:
        a function that takes (done, total, message); cheap to call often.
    """
    if console.is_terminal:
        yield from _terminal(title)
    else:
        with lines(title, lambda line: console.print(line, highlight=False)) as report:
            yield report


def _terminal(title: str) -> Iterator[Report]:
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[message]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=None, message="")

        def report(done: int, total: int | None, message: str) -> None:
            progress.update(task, completed=done, total=total, message=message)

        yield report
        shown = progress.tasks[0]
        progress.update(task, total=shown.total or 1, completed=shown.total or 1)


@contextmanager
def lines(title: str, say: Callable[[str], object]) -> Iterator[Report]:
    """Say every 15 s how far a long piece of work is, and when it is done; as :func:`bar`.

    Args:
        title: what the work is.
        say: takes a line.
    """
    started = last = time.monotonic()

    def report(done: int, total: int | None, message: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_SECONDS:
            last = time.monotonic()
            share = f"{100 * done / total:.0f} %" if total else str(done)
            say(f"{title}: {share} after {last - started:.0f} s; {message}")

    yield report
    say(f"{title}: done in {time.monotonic() - started:.0f} s")
