"""Swapping a video of 1280x720 with one face: frames a second, and what each stage costs.

``python -m tests.benchmarks.bench_swap [VIDEO] [--occlusion none]``; without a video a fictional person is rendered.
The network has the architecture of ``lite`` with fresh weights: its speed does not depend on them. It runs in ONNX
Runtime, as users' swaps do. ``--keras``: also in Keras, in turn, so that the load of the machine is the same for both.
``--threads 1,2,0``: sessions with so many threads (0: ONNX Runtime's choice), in turn.
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
import keras
import numpy as np

from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.faces.finding.finder import finder_named
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry
from faceswap.faces.tracking.search import FaceSearch
from faceswap.inference.decoder_network import DecoderNetwork, joined
from faceswap.inference.graph_export import write_graph
from faceswap.inference.onnx_graph import Graph, OnnxNetwork
from faceswap.jobs.fictional.fictional_media import write_people
from faceswap.media.video.reading import VideoReader, VideoWriter
from faceswap.model.networks.architecture import build_decoder, build_encoder
from faceswap.model.presets import preset
from faceswap.swap import swapper as swapping
from faceswap.swap.face_network import FaceNetwork
from faceswap.swap.options import Occlusion, SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import VideoReport, swap_video

WIDTH, HEIGHT = 1280, 720
FRAMES = 300


def widescreen(source: Path, out: Path, frames: int = FRAMES) -> None:
    """The source's frames, 560 px high, on a grainy background of 1280x720, as often as fills the clip."""
    with VideoReader(source) as reader:
        pictures = [cv2.resize(f.image, (560, 560), interpolation=cv2.INTER_CUBIC) for f in reader.frames()]
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 200, (10, 17, 3)).astype(np.uint8)
    background = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    there_and_back = pictures + pictures[::-1]
    with VideoWriter(out, width=WIDTH, height=HEIGHT, fps=25, crf=14) as writer:
        for i in range(frames):
            frame = background.copy()
            frame[80:640, 360:920] = there_and_back[i % len(there_and_back)]
            frame += rng.normal(0, 1.5, (HEIGHT, WIDTH, 1)).astype(np.int16)
            writer.write(np.clip(frame, 0, 255).astype(np.uint8))


def lite(folder: Path, threads: str) -> FaceNetwork:
    """The network of ``lite``, untrained: a graph with so many threads, or for ``keras`` the Keras model."""
    recipe = preset("lite")
    keras.utils.set_random_seed(0)
    encoder, decoder = build_encoder(recipe), build_decoder(recipe, "a")
    if threads == "keras":
        return DecoderNetwork(encoder, decoder, recipe.geometry)
    path = folder / "swap.onnx"
    if not path.exists():
        write_graph(joined(encoder, decoder), path)
    given = {"threads": int(threads)} if threads else {}
    return OnnxNetwork(Graph(path, **given), recipe.geometry, fine_detail=any_detail(recipe.geometry))


def any_detail(geometry: Geometry) -> FineDetail:
    """Fine detail of as many photos and pixels as a version's from face sets of the usual size, of noise."""
    rng = np.random.default_rng(0)
    fine = round(ExtractionOptions().geometry.unit * geometry.coverage)
    generated = [cv2.GaussianBlur(rng.random((geometry.size,) * 2, np.float32), (0, 0), 4) for _ in range(32)]
    return FineDetail(
        np.rint(255 * np.stack(generated)).astype(np.uint8),
        rng.integers(-9, 10, (32, fine, fine)).astype(np.int8),
        np.ones((32, geometry.size, geometry.size), bool),
        np.zeros((32, geometry.size, geometry.size), bool),
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
        patch.object(OnnxNetwork, "__call__", timed("network", OnnxNetwork.__call__)),
        patch.object(
            swapping, "transfer_expression", timed("landmarks, lips, lids", swapping.transfer_expression)
        ),
        patch.object(swapping, "reshape_target", timed("reshape", swapping.reshape_target)),
        patch.object(swapping, "composite", timed("mask, colour, blend", swapping.composite)),
        patch.object(VideoWriter, "write", timed("encode", VideoWriter.write)),
    ):
        yield


def table(report: VideoReport, seconds: dict[str, float], busy: float) -> None:
    """What each stage of one swap cost."""
    print(f"{'stage':<36}{'ms a frame':>10}{'share':>7}")
    seconds["rest (threads of the libraries)"] = busy - sum(seconds.values())
    for name, spent in sorted(seconds.items(), key=lambda entry: -entry[1]):
        print(f"{name:<36}{1e3 * spent / report.frames:>8.1f}{spent / busy:>9.0%}")
    print(f"{'processor time':<36}{1e3 * busy / report.frames:>8.1f}")


def main() -> None:
    """Print frames a second and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--occlusion", choices=get_args(Occlusion), default="learned")
    parser.add_argument("--keras", action="store_true", help="compare with Keras")
    parser.add_argument("--threads", default="", help="of the sessions to compare: 1,2,0")
    parser.add_argument("--detectors", default="", help="to compare: hog,mediapipe")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--repeat", type=int, default=0, help="swaps with each; default 1, or 3 to compare")
    given = parser.parse_args()
    kinds = given.threads.split(",") + ["keras"] * given.keras
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        source = given.video or write_people(scratch, ["emeric"], "video", seconds=4.0, seed=0)["emeric"]
        clip = scratch / "clip.mp4"
        widescreen(source, clip, given.frames)
        options = SwapOptions(occlusion=given.occlusion)
        swappers = {kind: Swapper(lite(scratch, kind), finder_named("hog"), options) for kind in kinds}
        if given.detectors:
            kinds = given.detectors.split(",")
            network = lite(scratch, "")
            swappers = {name: Swapper(network, finder_named(name), options) for name in kinds}  # type: ignore[arg-type]
        for swapper in swappers.values():
            swap_video(clip, scratch / "warm.mp4", swapper, None, end=0.5)
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(given.repeat or (3 if len(kinds) > 1 else 1)):
            for kind, swapper in swappers.items():
                seconds: dict[str, float] = defaultdict(float)
                busy = time.process_time()
                with measured(seconds):
                    report = swap_video(clip, scratch / "out.mp4", swapper, None)
                busy = time.process_time() - busy
                size = (scratch / "out.mp4").stat().st_size / report.frames / 1e3
                found[kind].append((report.fps, 1e3 * busy / report.frames))
                print(
                    f"{kind or 'graph':<6} {report.frames} frames, {report.swapped} swapped: "
                    f"{report.fps:.1f} frames/s, {1e3 * busy / report.frames:.1f} ms of the processor each; "
                    f"{size:.0f} kB a frame; "
                    f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
                    flush=True,
                )
        if len(kinds) == 1:
            table(report, seconds, busy)
            return
    first = np.array(found[kinds[0]])
    print(f"{'median of the pairs':<22}{'frames/s':>10}{'processor':>11}")
    for kind in kinds:
        ratios = np.median(np.array(found[kind]) / first, axis=0)
        print(f"{(kind or 'graph') + ' / ' + (kinds[0] or 'graph'):<22}{ratios[0]:>10.2f}{ratios[1]:>11.2f}")


if __name__ == "__main__":
    main()
