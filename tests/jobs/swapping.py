"""What tests of swaps by others share."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from faceswap.jobs.monitor import Terminal
from faceswap.jobs.parameters import SwapParameters
from faceswap.jobs.swap_job import load_all, origin_of, swapper_for
from faceswap.media.images import read_image
from faceswap.media.video.reading import VideoReader
from faceswap.output.progress import Report
from faceswap.provenance import content_credentials
from faceswap.swap.batch.media_swap import swap_media
from faceswap.swap.batch.pieces import Piece, Result, work_on

SECONDS = 12
"""Of the video: two spans."""


class Watched(Terminal):
    """Calls a function when the first of the work is done."""

    def __init__(self, first: Callable[[], object]) -> None:
        self.first: Callable[[], object] | None = first

    @contextmanager
    def progress(self, title: str, unit: str = "") -> Iterator[Report]:
        def report(done: int, total: int | None, what: str) -> None:
            first, self.first = self.first, None
            if first is not None:
                first()

        yield report


def one_machine(parameters: SwapParameters, out: Path) -> Path:
    """The same pieces, one after the other in this process, with as many threads as workers have."""
    versions = load_all(parameters)
    swapper = swapper_for(versions[0], parameters)
    origin = origin_of(versions, parameters.options.model_dump(mode="json"))

    def crew(pieces: Iterable[Piece]) -> Generator[tuple[Piece, Result], None, None]:
        yield from ((piece, work_on(piece, swapper, origin, lambda: False)) for piece in pieces)

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        swap_media(parameters.target, out, swapper, origin, crew=crew)
    finally:
        cv2.setNumThreads(before)
    return out


def assert_the_same(written: Iterable[Path], here: Path) -> None:
    """Signed, and pixel for pixel what :func:`one_machine` made."""
    for one in written:
        assert content_credentials.read(one), f"{one} is signed"
        if one.suffix == ".png":
            np.testing.assert_array_equal(read_image(one), read_image(here / one.name))
            continue
        with VideoReader(one) as ours, VideoReader(here / one.name) as theirs:
            pairs = list(zip(ours.frames(), theirs.frames(), strict=True))
        assert len(pairs) == SECONDS * 10
        for a, b in pairs:
            assert a.time == b.time
            np.testing.assert_array_equal(a.image, b.image)
