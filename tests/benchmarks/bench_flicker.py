"""Does a swapped video flicker: how much the face changes from frame to frame, as a share of the target's own change.

``python -m tests.benchmarks.bench_flicker VIDEO --reference NAME [--seconds 4]`` with a registered version
(``FACESWAP_HOME`` says where), through the whole converter, encoding included. ``face``: within the target's outline;
``around``: a ring of a quarter of the face's height outside of it, which reshaping moves. 1 is as calm as the target.
"""

import argparse
import sys
import tempfile
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap import registry
from faceswap.evaluation.metrics import unit
from faceswap.evaluation.protocol import face_area
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.media.video.reading import VideoReader
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import swap_video

Picture = NDArray[np.uint8]


def frames_of(path: Path, count: int) -> list[Picture]:
    """The first frames of a video."""
    with VideoReader(path) as reader:
        return [frame.image.copy() for frame in islice(reader.frames(), count)]


def outlines(frames: list[Picture]) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Of each frame the face of the target, and the ring around it, (H, W) each; nothing where none is found."""
    finder, found = FaceFinder(), []
    for frame in frames:
        inside = np.zeros(frame.shape[:2], bool)
        for face in finder.find(frame)[:1]:
            whole = face_area(face.landmarks, max(frame.shape[:2]))
            inside = whole[: frame.shape[0], : frame.shape[1]]
        width = max(3, int(np.ptp(np.nonzero(inside)[0]) / 4) if inside.any() else 3)
        wide = cv2.dilate(inside.astype(np.uint8), np.ones((2 * width + 1, 2 * width + 1))) > 0
        found.append((inside, wide & ~inside))
    return found


def change(frames: list[Picture], areas: list[NDArray[np.bool_]]) -> float:
    """Mean absolute change from frame to frame, 0..1, where an area covers both frames."""
    moved = [
        np.abs(unit(frames[i][where]) - unit(frames[i - 1][where])).mean()
        for i in range(1, len(frames))
        if (where := areas[i] & areas[i - 1]).any()
    ]
    return float(np.mean(moved))


def main() -> None:
    """Print a line for the swap as it is by default, and without reshaping."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--reference", required=True, help="NAME, NAME@alias or NAME/version")
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    network = registry.load(options.reference).network
    with VideoReader(options.video) as reader:
        count = round(options.seconds * reader.info.fps)
    target = frames_of(options.video, count)
    areas = outlines(target)
    with tempfile.TemporaryDirectory() as folder:
        for reshape in (1.0, 0.0):
            out = Path(folder) / f"{reshape}.mp4"
            swapper = Swapper(network, FaceFinder(), SwapOptions(label=False, reshape=reshape))
            swap_video(options.video, out, swapper, None, end=options.seconds)
            swapped = frames_of(out, count)
            kept = target[: len(swapped)]
            face, around = (
                change(swapped, [pair[i] for pair in areas]) / change(kept, [pair[i] for pair in areas])
                for i in (0, 1)
            )
            sys.stdout.write(f"reshape {reshape:g}: face {face:.2f}, around {around:.2f}\n")


if __name__ == "__main__":
    main()
