"""Progress bars on a terminal, a line now and then elsewhere (logs, Prefect)."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from faceswap.output.console import err, printable, remark

logger = logging.getLogger(__name__)
Report = Callable[[int, int | None, str], None]
"""Called as (done, total or None, what is going on)."""
_LINE_SECONDS = 15.0
_SPEED_SECONDS = 60.0
"""Rate and time left follow the last so many seconds: a training's first steps compile and say nothing of the rest."""


@contextmanager
def bar(title: str, unit: str = "") -> Iterator[Report]:
    """Show how far a long piece of work is.

    Args:
        title: what the work is.
        unit: what is counted ("frames"), for the rate; empty: no rate is shown.

    Yields:
        a function that takes (done, total, message); cheap to call often.
    """
    if err().is_interactive:
        yield from _terminal(title, unit)
    else:
        with lines(title, remark) as report:
            yield report


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        """Of a task; empty where nothing is counted or nothing is known yet."""
        unit, speed = task.fields["unit"], task.finished_speed or task.speed
        if not unit or not speed:
            return Text("")
        return Text(f"{speed:.{0 if speed >= 10 else 1}f} {unit}/s", style="progress.data.speed")


class _Left(ProgressColumn):
    """The time left; until it can be told, and at the end, the time that the work has taken."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Of a task."""
        if task.finished or task.time_remaining is None:
            return Text(clock(task.finished_time or task.elapsed or 0), style="progress.elapsed")
        return Text(f"{clock(task.time_remaining)} left", style="progress.remaining")


def clock(seconds: float) -> str:
    """``0:07``, ``12:30`` or ``1:02:03``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _terminal(title: str, unit: str) -> Iterator[Report]:
    console = err()
    narrow = console.width < 100
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=28)),
        BarColumn(10 if narrow else 30),
        TextColumn("{task.percentage:>3.0f} %", "progress.percentage", markup=False),
        _Rate(table_column=Column(no_wrap=True)),
        _Left(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[message]}", "dim", markup=False, table_column=Column(no_wrap=True, ratio=1)),
    )
    with Progress(*columns, console=console, expand=True, speed_estimate_period=_SPEED_SECONDS) as progress:
        task = progress.add_task(printable(title), total=None, message="", unit=unit)

        def report(done: int, total: int | None, message: str) -> None:
            progress.update(task, completed=done, total=total, message=printable(message))

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
            say(f"{title}: {told(done, total, last - started)}; {message}")

    yield report
    say(f"{title}: done in {clock(time.monotonic() - started)}")


def told(done: int, total: int | None, seconds: float) -> str:
    """How far a work is, in words: ``40 % after 1:20, 2:00 left``.

    Args:
        done, total: as they are reported.
        seconds: since it began.
    """
    if not total:
        return f"{done} after {clock(seconds)}"
    left = f", {clock(seconds * (total - done) / done)} left" if 0 < done < total else ""
    return f"{100 * done / total:.0f} % after {clock(seconds)}{left}"
