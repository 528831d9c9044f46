"""Preprocessing and swapping of one video by 1, 2 and 4 workers of a Dask cluster on this machine.

``python -m tests.benchmarks.bench_fan_out [VIDEO] [--workers 1,2,4] [--seconds 40] [--price 0.04]``; without a video a
fictional person is rendered. The network is ``lite`` with the weights of its prior. Each worker is a process of one
thread that shares this machine's cores with the others, so that more workers than cores show nothing but their cost.

Prints the seconds and the processor's seconds of each, as ratios to one worker; from these the core hours of 1,000
hours of such video, and with ``--price`` (money for a core hour, which you know) what they cost; and how far frames of
spans are from those of one pass.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import psutil

from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.faces.finding.finder import finder_named
from faceswap.fan_out import fan_out, nobody_waits
from faceswap.inference.onnx_graph import Graph, OnnxNetwork
from faceswap.jobs.fictional.fictional_media import cast_consent, write_people
from faceswap.media.video.reading import VideoReader, probe
from faceswap.model.presets import preset
from faceswap.settings import settings
from faceswap.swap.batch.media_swap import swap_media
from faceswap.swap.batch.pieces import Piece, Result, work_on
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.chunks import SECONDS
from tests.benchmarks.bench_swap import widescreen
from tests.cluster import Cluster, cluster

HOURS = 1000


def write_network(path: Path) -> None:
    """The network of ``lite`` as trainings start with it, as a graph."""
    from faceswap.inference.decoder_network import joined
    from faceswap.inference.graph_export import write_graph
    from faceswap.model.priors.prior import prior_file, take_prior
    from faceswap.model.training.autoencoders import Autoencoders

    recipe = preset("lite")
    model = Autoencoders(recipe, ["ada", "ben"])
    file = prior_file(recipe)
    assert file is not None
    take_prior(model, file)
    write_graph(joined(model.encoder, model.decoders[0]), path)


@lru_cache(maxsize=1)
def swapper(path: str) -> Swapper:
    """With the network of a file; a worker keeps it."""
    return Swapper(OnnxNetwork(Graph(Path(path)), preset("lite").geometry), finder_named("hog"))


def load(path: str) -> None:
    """What a worker needs, before it is measured."""
    swapper(path)


def swapped(path: str, piece: Piece) -> Result:
    """A piece on a worker."""
    return work_on(piece, swapper(path), None, nobody_waits())


def crew(address: str, path: str, pieces: Iterable[Piece]) -> Generator[tuple[Piece, Result], None, None]:
    """The workers."""
    return fan_out(address, partial(swapped, path), pieces)


def warm(team: Cluster, path: str, count: int) -> None:
    """Let all workers join and load what they need."""
    from distributed import Client

    with Client(team.address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=300)
        client.run(load, path)


def processor_seconds(team: Cluster) -> float:
    """Of all workers so far."""
    total = 0.0
    for worker in team.workers:
        for process in psutil.Process(worker.pid).children(recursive=True):
            used = process.cpu_times()
            total += used.user + used.system
    return total


def timed(team: Cluster, work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of the workers' processors."""
    began, busy = time.perf_counter(), processor_seconds(team)
    work()
    return time.perf_counter() - began, processor_seconds(team) - busy


def images(path: Path) -> list[np.ndarray]:
    """All frames, at a quarter of their size."""
    with VideoReader(path) as reader:
        return [
            cv2.resize(f.image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) for f in reader.frames()
        ]


def apart(spans: Path, one: Path) -> str:
    """How far frames of spans are from those of one pass, after a border and elsewhere."""
    pairs = zip(images(spans), images(one), strict=True)
    far = np.array([np.abs(a.astype(np.int16) - b).max(axis=-1) for a, b in pairs])
    worst = np.percentile(far.reshape(len(far), -1), 99.9, axis=1)
    rate = float(probe(one).fps)
    times = np.arange(len(far)) / rate
    first = times < SECONDS
    after = ~first & (times % SECONDS < 1.0)
    return (
        f"frames of spans against one pass, grey levels of the pixels that differ most (99.9 %), mean of the frames: "
        f"first span {worst[first].mean():.1f}, first second of the others {worst[after].mean():.1f}, "
        f"their rest {worst[~first & ~after].mean():.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--workers", default="1,2,4", help="in turn; 1,2,1,2 shows how steady the machine is")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--every", type=int, default=1, help="frames that preprocessing takes: each N-th")
    parser.add_argument("--price", type=float, help="money for a core hour")
    given = parser.parse_args()
    counts = [int(count) for count in given.workers.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        os.environ["FACESWAP_HOME"] = str(scratch / "home")
        settings.cache_clear()
        source = given.video or write_people(scratch, ["emeric"], "video", seconds=4.0, seed=0)["emeric"]
        clip, network = scratch / "clip.mp4", scratch / "swap.onnx"
        widescreen(source, clip, round(25 * given.seconds))
        write_network(network)
        hours = given.seconds / 3600
        found: dict[str, list[tuple[float, float]]] = {"preprocess": [], "swap": []}
        print(f"{given.seconds:g} s of 1280x720 at 25 frames/s, {os.cpu_count()} cores")
        print(f"{'':<12}{'workers':>8}{'s':>8}{'ratio':>7}{'cpu s':>8}{'ratio':>7}{'load':>6}", flush=True)
        for number, count in enumerate(counts):
            place = scratch / f"{number}"
            place.mkdir()
            with cluster(place, count) as team:
                warm(team, str(network), count)
                os.environ["FACESWAP_DASK_SCHEDULER"] = team.address
                settings.cache_clear()
                jobs: dict[str, Callable[[], object]] = {
                    "preprocess": partial(
                        extract,
                        [str(clip)],
                        "emeric",
                        consent=cast_consent("emeric"),
                        options=ExtractionOptions(every=given.every),
                        root=str(place / "sets"),
                        workers=8,
                    ),
                    "swap": partial(
                        swap_media,
                        clip,
                        place / "out.mp4",
                        swapper(str(network)),
                        None,
                        crew=partial(crew, team.address, str(network)),
                    ),
                }
                for name, work in jobs.items():
                    found[name].append(timed(team, work))
                    (seconds, busy), (first, first_busy) = found[name][-1], found[name][0]
                    print(
                        f"{name:<12}{count:>8}{seconds:>8.1f}{seconds / first:>7.2f}{busy:>8.1f}"
                        f"{busy / first_busy:>7.2f}{os.getloadavg()[0]:>6.1f}",
                        flush=True,
                    )
        for name, runs in found.items():
            core_hours = runs[0][1] / 3600 / hours * HOURS
            cost = "" if given.price is None else f", at {given.price:g} each {core_hours * given.price:,.0f}"
            print(f"{name}: {HOURS:,} hours of such video take {core_hours:,.0f} core hours{cost}")
        os.environ["FACESWAP_DASK_SCHEDULER"] = ""
        settings.cache_clear()
        swap_media(clip, scratch / "one.mp4", swapper(str(network)), None)
        print(apart(scratch / "0" / "out.mp4", scratch / "one.mp4"))


if __name__ == "__main__":
    from tests.benchmarks.bench_fan_out import main as imported  # workers find the functions under this name

    imported()
