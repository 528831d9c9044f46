"""Swapping a video of 1280x720 with one face: frames a second, and what each stage costs.

``python -m tests.benchmarks.bench_swap [VIDEO] [--occlusion learned]``; without a video a fictional person is rendered.
The network has the architecture of ``lite`` with fresh weights: its speed does not depend on them.
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import cv2
import numpy as np

from faceswap.faces.detection import FaceFinder
from faceswap.faces.geometry import Geometry
from faceswap.faces.tracking.search import FaceSearch
from faceswap.inference.decoder_network import DecoderNetwork
from faceswap.jobs.fictional_media import write_people
from faceswap.media.video.reading import VideoReader, VideoWriter
from faceswap.model.networks.architecture import build_decoder, build_encoder
from faceswap.model.presets import preset
from faceswap.swap import swapper as swapping
from faceswap.swap.options import Occlusion, SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import swap_video

WIDTH, HEIGHT = 1280, 720
FRAMES = 300


def widescreen(source: Path, out: Path) -> None:
    """The source's frames, 560 px high, on a grainy background of 1280x720, as often as fills the clip."""
    with VideoReader(source) as reader:
        pictures = [cv2.resize(f.image, (560, 560), interpolation=cv2.INTER_CUBIC) for f in reader.frames()]
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 200, (10, 17, 3)).astype(np.uint8)
    background = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    there_and_back = pictures + pictures[::-1]
    with VideoWriter(out, width=WIDTH, height=HEIGHT, fps=25, crf=14) as writer:
        for i in range(FRAMES):
            frame = background.copy()
            frame[80:640, 360:920] = there_and_back[i % len(there_and_back)]
            frame += rng.normal(0, 1.5, (HEIGHT, WIDTH, 1)).astype(np.int16)
            writer.write(np.clip(frame, 0, 255).astype(np.uint8))


def lite() -> DecoderNetwork:
    """The network of ``lite``, untrained."""
    recipe = preset("lite")
    return DecoderNetwork(
        build_encoder(recipe), build_decoder(recipe, "a"), Geometry(recipe.size, recipe.coverage)
    )


@contextmanager
def measured(seconds: dict[str, float]) -> Iterator[None]:
    """Count the processor time of the stages, each in its thread; the libraries have more threads."""

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return work(*args, **kwargs)
            finally:
                seconds[name] += time.thread_time() - began

        return call

    def decode(self: VideoReader, *args: Any, **kwargs: Any) -> Iterator[Any]:
        frames = original(self, *args, **kwargs)
        step = timed("decode", lambda: next(frames, None))
        while (frame := step()) is not None:
            yield frame

    original = VideoReader.frames
    with (
        patch.object(VideoReader, "frames", decode),
        patch.object(FaceSearch, "faces", timed("find and follow", FaceSearch.faces)),
        patch.object(DecoderNetwork, "__call__", timed("network", DecoderNetwork.__call__)),
        patch.object(
            swapping, "transfer_expression", timed("landmarks, lips, lids", swapping.transfer_expression)
        ),
        patch.object(swapping, "reshape_target", timed("reshape", swapping.reshape_target)),
        patch.object(swapping, "composite", timed("mask, colour, blend", swapping.composite)),
        patch.object(VideoWriter, "write", timed("encode", VideoWriter.write)),
    ):
        yield


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--occlusion", choices=get_args(Occlusion), default="none")
    given = parser.parse_args()
    source: Path | None = given.video
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if source is None:
            source = write_people(scratch, ["emeric"], "video", seconds=4.0, seed=0)["emeric"]
        clip = scratch / "clip.mp4"
        widescreen(source, clip)
        swapper = Swapper(lite(), FaceFinder(), SwapOptions(occlusion=given.occlusion))
        swap_video(clip, scratch / "warm.mp4", swapper, None, end=0.5)
        seconds: dict[str, float] = defaultdict(float)
        busy = time.process_time()
        with measured(seconds):
            report = swap_video(clip, scratch / "out.mp4", swapper, None)
        busy = time.process_time() - busy
        size = (scratch / "out.mp4").stat().st_size / report.frames / 1e3
    print(
        f"{report.frames} frames, {report.swapped} swapped: {report.fps:.1f} frames/s; {size:.0f} kB a frame; "
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"{'stage':<36}{'ms a frame':>10}{'share':>7}")
    seconds["rest (threads of the libraries)"] = busy - sum(seconds.values())
    for name, spent in sorted(seconds.items(), key=lambda entry: -entry[1]):
        print(f"{name:<36}{1e3 * spent / report.frames:>8.1f}{spent / busy:>9.0%}")
    print(f"{'processor time':<36}{1e3 * busy / report.frames:>8.1f}")


if __name__ == "__main__":
    main()
