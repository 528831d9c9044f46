"""A swap in several processes of this machine: of one, Python computes in a single thread at a time.

On two cores one process makes 23 frames/s of a video with one face (1280x720) and leaves a quarter of them idle, two
make 33 together (docs/measurements/video-speed.md).
"""

import math
import multiprocessing
import os
import tempfile
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import psutil

from faceswap.errors import ClusterError, UnreadableMedia
from faceswap.jobs.swap_crews.recipe import Recipe, swapper_of
from faceswap.media.sources import MediaItem
from faceswap.media.video.reading import probe
from faceswap.provenance.metadata import Provenance
from faceswap.registry import LoadedVersion
from faceswap.settings import settings
from faceswap.swap.batch.pieces import PICTURES, Piece, Result, work_on
from faceswap.swap.batch.spread import Crew
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.chunks import SECONDS

_AHEAD = 2
"""Pieces that are given out for each process: one is done, one waits."""
_MEMORY, _FRAMES = 500_000_000, 30
"""Bytes that a process takes, and frames that it holds besides: 0.51 GB with frames of 1280x720."""
_WORTH = 4.0
"""Pieces below which one process does them: another one takes some seconds to start."""


@dataclass(frozen=True)
class _Work:
    """What is the same for all pieces; ``stop`` is a file that is there once nobody waits for them any more."""

    recipe: Recipe
    metadata: Provenance
    stop: Path

    def __call__(self, piece: Piece) -> Result:
        """Do a piece in a process of its own."""
        return work_on(piece, swapper_of(self.recipe), self.metadata, self.stop.exists)


def _begin(environment: dict[str, str], scratch: str) -> None:
    """Make a process what its parent is now: the one it was forked from may have begun with other settings."""
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    tempfile.tempdir = scratch  # what a killed one leaves goes with the folder
    cv2.setNumThreads(1)  # the other cores have processes of their own


def process_crew(
    count: int, versions: Sequence[LoadedVersion], swapper: Swapper, metadata: Provenance
) -> Crew:
    """So many processes of this machine, as a crew that swaps as ``swapper`` does.

    Args:
        count: of processes.
        versions: the swapper's references.
        swapper: of this process.
        metadata: what the results say of their origin.

    Raises:
        SettingsError: a version is not in the registry.
    """
    recipe = Recipe.of(versions, swapper)

    def crew(pieces: Iterable[Piece]) -> Generator[tuple[Piece, Result], None, None]:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["faceswap.jobs.swap_crews.preload"])
        waiting, tasks = iter(pieces), dict[Future[Result], Piece]()
        with tempfile.TemporaryDirectory(prefix="faceswap-swap-") as scratch:
            work = _Work(recipe, metadata, Path(scratch, "stop"))
            pool = ProcessPoolExecutor(
                count, mp_context=context, initializer=_begin, initargs=(dict(os.environ), scratch)
            )
            try:
                while True:
                    while len(tasks) < _AHEAD * count and (piece := next(waiting, None)) is not None:
                        tasks[pool.submit(work, piece)] = piece
                    if not tasks:
                        return
                    for task in wait(tasks, return_when=FIRST_COMPLETED).done:
                        yield tasks.pop(task), task.result()
            except BrokenProcessPool as error:
                raise ClusterError(
                    "A process that swaps was killed, perhaps for want of memory",
                    "run the same command again: it goes on; FACESWAP_WORKERS=1 needs less memory",
                ) from error
            finally:
                work.stop.touch()
                pool.shutdown(cancel_futures=True)

    return crew


def processes_for(
    planned: Sequence[tuple[MediaItem, Path]], start: float | None = None, end: float | None = None
) -> int:
    """How many processes to swap some files in.

    ``FACESWAP_WORKERS``, or one a core if there is memory for them; and no more than is worth it.

    Args:
        planned: the files and their results.
        start, end: in seconds, for videos.
    """
    pieces, largest = 0.0, 0
    for item, _ in planned:
        if item.kind == "image":
            pieces += 1 / PICTURES
            continue
        with suppress(UnreadableMedia):  # it is said where it is swapped
            video = probe(item.path)
            until = min(video.duration or 0.0, math.inf if end is None else end)
            pieces += max(0.0, until - (start or 0.0)) / SECONDS
            largest = max(largest, 3 * video.width * video.height)
    if pieces < _WORTH:
        return 1
    room = psutil.virtual_memory().available // (_MEMORY + _FRAMES * largest)
    most = settings().workers or min(os.cpu_count() or 1, room)
    return max(1, min(most, math.floor(pieces / 2)))
