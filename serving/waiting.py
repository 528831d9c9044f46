"""What the page says while something is worked on: the step it is at, and for a video how long it will take."""

import time
from collections.abc import Callable

import gradio as gr

from faceswap.swap.video.stream import Progress

_SETTLED = 1.0
"""Seconds of work, and"""
_ENOUGH = 5
"""frames, after which a rate is told: the first frames are slower than the rest."""


class Steps:
    """Tells one step after the other in Gradio's progress bar.

    Args:
        progress: of the event.
        count: of steps that there will be.
    """

    def __init__(self, progress: gr.Progress, count: int) -> None:
        self._progress, self._count, self._done = progress, count, 0

    def __call__(self, step: str) -> None:
        """The next step begins."""
        self._progress(min(0.95, (self._done + 0.5) / self._count), desc=step)
        self._done += 1


def frames_told(progress: gr.Progress, clock: Callable[[], float] = time.monotonic) -> Progress:
    """What a video's work calls: the bar, frames a second and the time left."""
    began: list[float] = []
    first = 0

    def tell(done: int, total: int | None, _: str) -> None:
        nonlocal first
        if not began:
            began.append(clock())
            first = done
        passed = clock() - began[0]
        rate = (done - first) / passed if passed >= _SETTLED and done - first >= _ENOUGH else 0.0
        progress((done, total), unit="frames", desc=said(done, total, rate))

    return tell


def said(done: int, total: int | None, rate: float) -> str:
    """The line beside the bar.

    Args:
        done, total: frames; None: nobody knows how many there will be.
        rate: frames a second; 0: not known yet.
    """
    if not rate:
        return "swapping"
    line = f"swapping, {rate:.1f} frames/s" if rate < 10 else f"swapping, {rate:.0f} frames/s"
    return f"{line}, {duration((total - done) / rate)} left" if total and total >= done else line


def duration(seconds: float) -> str:
    """A time to wait, as people say it: ``about 40 s``, ``about 3 min``."""
    if seconds < 55:
        return f"about {max(5, 5 * round(seconds / 5))} s" if seconds > 5 else "a few seconds"
    if seconds < 3300:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.1f} h"
