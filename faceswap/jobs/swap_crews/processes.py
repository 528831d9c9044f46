"""A swap in several processes of this machine: of one, Python computes in a single thread at a time.

On two cores one process makes 21 to 22 frames/s of a video of two minutes (1280x720, one face) and leaves a quarter of
them idle, two processes 27 (docs/measurements/video-speed.md).
"""

import math
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from faceswap.errors import ClusterError, MediaError
from faceswap.inference.onnx_graph import providers
from faceswap.jobs.swap_crews.recipe import Recipe, swapper_of
from faceswap.media.sources import MediaItem
from faceswap.media.video.reading import VideoReader
from faceswap.process.machine import cores, free_memory
from faceswap.provenance.metadata import Provenance
from faceswap.registry import LoadedVersion
from faceswap.settings import settings
from faceswap.swap.batch.pieces import PICTURES, Pictures, Piece, Result, work_on
from faceswap.swap.batch.spread import Crew
from faceswap.swap.swapper import Swapper

SPAN = 20.0
"""Length of a video's pieces, seconds: each costs a process some two seconds, for the frames before it that are
followed once more, and until all stages are busy. Two processes on two cores: 25 frames/s with ten, 27 with twenty."""
_AHEAD = 2
"""Pieces that are given out for each process: one is done, one waits."""
_MEMORY, _FRAMES = 500_000_000, 30
"""Bytes that a process takes, and frames that it holds besides: 0.51 GB with frames of 1280x720."""
_PICTURE = 0.4
"""Work of a picture, in that of a second of video."""
_WORTH = 40.0
"""Seconds of video below which one process does all: others take some six seconds to start, and"""
_EACH = 20.0
"""seconds for each process at least."""


@dataclass(frozen=True)
class _Work:
    """What is the same for all pieces; ``wanted`` is a file that is there as long as somebody waits for them."""

    recipe: Recipe
    metadata: Provenance
    wanted: Path

    def __call__(self, piece: Piece) -> Result:
        """Do a piece in a process of its own, on files that lie on this machine."""
        if isinstance(piece, Pictures):
            piece = Pictures(tuple(replace(target, origin="") for target in piece.targets))
        else:
            piece = replace(piece, target=replace(piece.target, origin=""))
        return work_on(piece, swapper_of(self.recipe), self.metadata, lambda: not self.wanted.exists())


def _begin(environment: dict[str, str], scratch: str) -> None:
    """Make a process what its parent is now: the one it was forked from may have begun with other settings."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to the group; the parent says when to stop
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    tempfile.tempdir = scratch  # what a killed one leaves goes with the folder
    cv2.setNumThreads(1)  # the other cores have processes of their own


def _end_with_parent() -> None:
    """Nobody is left to give work, or to take results, once the parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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
            work = _Work(recipe, metadata, Path(scratch, "wanted"))
            work.wanted.touch()
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
                    "run the same command again: it goes on; FACESWAP_WORKERS=1 needs less memory. (A script of your "
                    'own that swaps needs `if __name__ == "__main__":`)',
                ) from error
            finally:
                work.wanted.unlink(missing_ok=True)
                pool.shutdown(cancel_futures=True)

    return crew


def processes_for(
    planned: Sequence[tuple[MediaItem, Path]], start: float | None = None, end: float | None = None
) -> int:
    """Among how many processes some files are to be split.

    ``FACESWAP_WORKERS``, or one a core if there is memory for them; one where there is little to do, where a graphics
    card swaps, and in a process that can have no others.

    Args:
        planned: the files and their results.
        start, end: in seconds, for videos.
    """
    work, pieces, largest = 0.0, 0.0, 0
    for item, _ in planned:
        if item.kind == "image":
            work, pieces = work + _PICTURE, pieces + 1 / PICTURES
            continue
        with suppress(MediaError, OSError), VideoReader(item.path) as reader:  # told where it is swapped
            until = min(reader.info.duration or 0.0, math.inf if end is None else end)
            seconds = max(0.0, until - (start or 0.0))
            work += seconds
            pieces += max(1.0, seconds / SPAN) if reader.jumps else 1.0
            largest = max(largest, 3 * reader.info.width * reader.info.height)
    if work < _WORTH or providers()[0] != "CPUExecutionProvider" or multiprocessing.current_process().daemon:
        return 1
    most = settings().workers or min(cores(), free_memory() // (_MEMORY + _FRAMES * largest))
    return int(max(1, min(most, work // _EACH, pieces)))
