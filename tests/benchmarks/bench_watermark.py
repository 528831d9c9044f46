"""What the mark in the pixels survives, what it costs, and how often it is seen where it is not.

``python -m tests.benchmarks.bench_watermark VIDEO … [--frames 3] [--unmarked 200] [--pictures FOLDER …] [--jobs 2]``:
frames of the videos are marked and attacked; then unmarked pictures are looked through at all scales, of several kinds
in turn: frames, the pictures of each folder, fictional people, smooth noise, grain; each is cut, scaled and compressed
at random. ``--no-attacks`` does the second half only.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceswapError
from faceswap.media.images import read_image
from faceswap.media.video.reading import VideoReader
from faceswap.media.video.writing import VideoWriter
from faceswap.provenance import watermark
from faceswap.synthetic import CAST, HARD_CAST, random_scene, render

Image = NDArray[np.uint8]
HERE = Path("watermark-benchmark.mp4")


def jpeg(image: Image, quality: int) -> Image:
    """Compressed and read again."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def sized(image: Image, factor: float) -> Image:
    """Scaled, as browsers do."""
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=method))


def quarter(image: Image, corner: int = 3) -> Image:
    """One of the four quarters."""
    height, width = (side // 2 for side in image.shape[:2])
    top, left = (corner // 2) * height, (corner % 2) * width
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def screenshot(image: Image) -> Image:
    """On a page, smaller, with something round it, compressed."""
    shown = sized(image, 0.87)
    page = np.full((shown.shape[0] + 160, shown.shape[1] + 240, 3), 244, np.uint8)
    page[61 : 61 + shown.shape[0], 87 : 87 + shown.shape[1]] = shown
    return jpeg(page, 85)


def as_video(image: Image, crf: int) -> Image:
    """A frame of a video of it."""
    with VideoWriter(HERE, width=image.shape[1], height=image.shape[0], fps=25, crf=crf) as writer:
        for _ in range(5):
            writer.write(image)
    with VideoReader(HERE) as reader:
        found = [frame.image for frame in reader.frames()][-1]
    HERE.unlink()
    return found


ATTACKS: dict[str, Callable[[Image], Image]] = {
    "none": lambda image: image,
    "JPEG, quality 70": lambda image: jpeg(image, 70),
    "JPEG, quality 50": lambda image: jpeg(image, 50),
    "half the size, quality 70": lambda image: jpeg(sized(image, 0.5), 70),
    "a quarter cut out": quarter,
    "a quarter cut out, half the size, quality 70": lambda image: jpeg(sized(quarter(image), 0.5), 70),
    "a screenshot at 87 %": screenshot,
    "twice the size": lambda image: sized(image, 2.0),
    "mirrored, quality 80": lambda image: jpeg(np.ascontiguousarray(image[:, ::-1]), 80),
    "brighter and flatter": lambda image: np.clip(image * 0.8 + 40, 0, 255).astype(np.uint8),
    "H.264, crf 23": lambda image: as_video(image, 23),
    "H.264, crf 30": lambda image: as_video(image, 30),
}


def frames_of(videos: list[Path], count: int) -> Iterator[Image]:
    """Frames spread over each video."""
    for video in videos:
        with VideoReader(video) as reader:
            total = reader.info.frames or count
            wanted = {round((index + 0.5) * total / count) for index in range(count)}
            for number, frame in enumerate(reader.frames()):
                if number in wanted:
                    yield frame.image


def disturbed(image: Image, rng: np.random.Generator) -> Image:
    """Cut, scaled and compressed at random."""
    share = rng.uniform(0.5, 1)
    height, width = (int(side * share) for side in image.shape[:2])
    top, left = (
        int(rng.integers(0, side - part + 1))
        for side, part in zip(image.shape, (height, width), strict=False)
    )
    cut = np.ascontiguousarray(image[top : top + height, left : left + width])
    return jpeg(sized(cut, rng.uniform(0.4, 1.3)), int(rng.integers(50, 96)))


def smooth_noise(rng: np.random.Generator) -> Image:
    """Structure at one random scale and all coarser ones, as in clouds."""
    total = np.zeros((512, 512, 3), np.float32)
    finest = int(rng.integers(3, 40))
    for side in (finest, 2 * finest, 4 * finest):
        coarse = rng.uniform(-1, 1, (512 // side + 2, 512 // side + 2, 3)).astype(np.float32)
        total += cv2.resize(coarse, (512, 512), interpolation=cv2.INTER_CUBIC) * side
    return np.asarray(cv2.normalize(total, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8))  # type: ignore[call-overload]


def grain(rng: np.random.Generator) -> Image:
    """Noise of a camera on a plain wall, the fineness of which is random."""
    noise = cv2.GaussianBlur(rng.standard_normal((512, 512)).astype(np.float32), (0, 0), rng.uniform(0.3, 3))
    grey = rng.uniform(60, 200) + noise / noise.std() * rng.uniform(2, 25)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, 2)


def fictional(rng: np.random.Generator) -> Image:
    """Somebody of the cast in a random scene."""
    people = (*CAST, *HARD_CAST)
    return render(people[int(rng.integers(len(people)))], random_scene(rng), size=512).image


MADE: dict[str, Callable[[np.random.Generator], Image]] = {
    "the cast": fictional,
    "smooth noise": smooth_noise,
    "grain": grain,
}


@lru_cache(maxsize=1)
def given_pictures(videos: tuple[Path, ...], folders: tuple[Path, ...]) -> dict[str, list[Image]]:
    """Kind -> pictures that are cut and scaled anew each time; what is no picture is passed over."""
    found = {"footage": list(frames_of(list(videos), 12))}
    for folder in folders:
        images = []
        for path in sorted(folder.iterdir()):
            try:
                image = read_image(path)
            except FaceswapError:
                continue
            side = max(image.shape[:2])
            images.append(image if side <= 1600 else sized(image, 1600 / side))
        found[f"pictures of {folder.name}"] = images
    return found


def one_unmarked(number: int, videos: tuple[Path, ...], folders: tuple[Path, ...]) -> tuple[str, float, str]:
    """Kind, strength and scale of what is seen in one picture without a mark."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(number)
    given = given_pictures(videos, folders)
    kinds = [*given, *MADE]
    kind, turn = kinds[number % len(kinds)], number // len(kinds)
    image = MADE[kind](rng) if kind in MADE else given[kind][turn % len(given[kind])]
    reading = watermark.read([disturbed(image, rng)])
    return kind, reading.strength, f"{turn}, scale {reading.scale:.3f}"


def false_alarms(count: int, videos: list[Path], folders: list[Path], jobs: int) -> None:
    """Print how strong the mark seems to be in pictures that have none."""
    found: dict[str, list[float]] = {}
    with ProcessPoolExecutor(jobs, initializer=os.nice, initargs=(15,)) as pool:
        many = [(tuple(videos),) * count, (tuple(folders),) * count]
        for number, (kind, strength, about) in enumerate(
            pool.map(one_unmarked, range(count), *many, chunksize=10)
        ):
            found.setdefault(kind, []).append(strength)
            if strength >= watermark.THRESHOLD - 0.6:
                sys.stdout.write(f"high: {strength:.2f}, {kind} {about}\n")
            if number % 100 == 99 or number == count - 1:
                highest = [one for strengths in found.values() for one in strengths if one]  # 0: too small
                if not highest:
                    continue
                mean, spread = np.mean(highest), np.std(highest) * np.sqrt(6) / np.pi  # a Gumbel distribution
                place = mean - 0.5772 * spread
                chance = 1 - np.exp(-np.exp(-(watermark.THRESHOLD - place) / spread))
                seen = sum(one >= watermark.THRESHOLD for one in highest)
                sys.stdout.write(
                    f"unmarked: {seen} of {len(highest)} taken for marked; strength {mean:.2f} on average, "
                    f"99 % below {np.quantile(highest, 0.99):.2f}, at most {max(highest):.2f}; "
                    f"chance of {watermark.THRESHOLD} by a Gumbel distribution: {chance:.1e}\n"
                )
                sys.stdout.flush()
    for kind, strengths in found.items():
        seen = sum(one >= watermark.THRESHOLD for one in strengths)
        sys.stdout.write(
            f"{kind}: {seen} of {len(strengths)}, {np.mean(strengths):.2f} on average, at most {max(strengths):.2f}\n"
        )


def survival(images: list[Image]) -> None:
    """Print what marking costs, shows, and outlives."""
    marked = [watermark.mark(image) for image in images]
    errors = [((one.astype(float) - two) ** 2).mean() for one, two in zip(images, marked, strict=True)]
    ratios = [10 * np.log10(255**2 / error) for error in errors]
    sys.stdout.write(f"{len(images)} frames; PSNR {min(ratios):.1f} to {max(ratios):.1f} dB\n")
    large = cv2.resize(images[0], (1280, 720))
    watermark.mark(large)
    costs = []
    for _ in range(15):
        began = time.process_time()
        watermark.mark(large)
        costs.append(time.process_time() - began)
    sys.stdout.write(f"1280x720: {1000 * min(costs):.1f} ms of one core to mark a frame\n")
    for name, attack in ATTACKS.items():
        strengths = [watermark.read([attack(one)]).strength for one in marked]
        found = sum(one >= watermark.THRESHOLD for one in strengths)
        sys.stdout.write(
            f"{name}: found in {found} of {len(marked)}, strength {min(strengths):.1f} to {max(strengths):.1f}\n"
        )
        sys.stdout.flush()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--unmarked", type=int, default=200)
    parser.add_argument("--pictures", nargs="*", type=Path, default=[], help="folders")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--no-attacks", action="store_true")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    if not given.no_attacks:
        survival(list(frames_of(given.videos, given.frames)))
    false_alarms(given.unmarked, given.videos, given.pictures, given.jobs)


if __name__ == "__main__":
    main()
