"""How well skin, hair, glasses and other things are told apart, on rendered and on real faces.

``python -m tests.benchmarks.bench_masks [VIDEO …] [--sheet FILE]``: the intersection over union (IoU) of each segment
with the renderer's truth, on the casts and on people whom the network was not taught with. On real videos bare fingers
with the face's own skin and thin glasses are laid over every 10th frame, by other means than the network was taught
with: shares of the pixels. The sheet shows frames of the videos with what was found.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.inference.segmentation import segmentation_network
from faceswap.media.images import write_image
from faceswap.media.video.reading import VideoReader
from faceswap.model.segmentation_view import SEGMENTS, VIEW
from faceswap.synthetic import CAST, HARD_CAST, Person, random_scene, random_styling, render, side_light
from tests.swap.covering import fingers, grown, hidden_in, thin_glasses, within

_EVERY = 10
_UNSEEN = 30_000
"""First seed of people whom no network was taught with."""
_COLOURS = np.array([(0, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 0)], np.float32)
"""Of the segments, laid over a frame."""


def rendered() -> None:
    """Print the IoU of each segment for each group of people."""
    unseen = [
        Person(seed, "", random_styling(np.random.default_rng(seed))) for seed in range(_UNSEEN, _UNSEEN + 12)
    ]
    for name, people in (("cast", CAST), ("hard cast", HARD_CAST), ("unseen", unseen)):
        both, either = np.zeros(len(SEGMENTS)), np.zeros(len(SEGMENTS))
        for number, who in enumerate(people):
            rng = np.random.default_rng([77, number])
            for index in range(3):
                scene = replace(random_scene(rng, max_yaw=25, max_pitch=12), zoom=0.85)
                scene = replace(scene, light=side_light(rng)) if index == 1 else scene
                made = render(who, scene, 256)
                matrix = VIEW.matrix(made.landmarks.astype(np.float64))
                truth = VIEW.crop(np.rint(made.segments * 255).astype(np.uint8), matrix).argmax(-1)
                found = segmentation_network()(VIEW.crop(np.asarray(made.image, np.uint8), matrix)[None])[0]
                for segment in range(len(SEGMENTS)):
                    one, other = truth == segment, found.argmax(-1) == segment
                    both[segment] += (one & other).sum()
                    either[segment] += (one | other).sum()
        parts = ", ".join(
            f"{s} {b / e:.3f}" if e else f"{s} -" for s, b, e in zip(SEGMENTS, both, either, strict=True)
        )
        sys.stdout.write(f"IoU {name}: {parts}\n")


def main() -> None:
    """Print a line for every group of rendered people and for every video."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--sheet", type=Path, help="picture to write, of the videos' frames with the masks")
    given = parser.parse_args()
    rendered()
    finder, rows = FaceFinder(), []
    for video in given.videos:
        with VideoReader(video) as reader:
            frames = [frame.image for number, frame in enumerate(reader.frames()) if number % _EVERY == 0]
        counts = {"fingers": np.zeros(2), "thin glasses": np.zeros(2)}
        bare, false, row = [], [], []
        for number, frame in enumerate(frames):
            faces = finder.find(frame)
            if not faces:
                continue
            points = faces[0].landmarks
            if len(row) < 12:
                row += [overlaid(frame, points)]
            inside, before = within(points, frame.shape), hidden_in(frame, points)
            bare.append(before[inside].mean())
            for kind, cover in (("fingers", fingers), ("thin glasses", thin_glasses)):
                image, covered = cover(frame, points, number)
                hidden = hidden_in(image, points)
                counts[kind] += (hidden & covered & inside).sum(), (covered & inside).sum()
                false.append((hidden & ~grown(covered, 15) & ~grown(before, 9))[inside].mean())
        rows.append(np.hstack(row))
        found = ", ".join(f"{kind} found {hit / total:.2f}" for kind, (hit, total) in counts.items())
        sys.stdout.write(
            f"{video.stem}: {found}; of the bare face {np.mean(bare):.3f} taken for covered, "
            f"beside what covers it {np.mean(false):.3f} ({len(bare)} frames)\n"
        )
    if given.sheet and rows:
        width = max(row.shape[1] for row in rows)
        even = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
        write_image(given.sheet, np.vstack(even))


def overlaid(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The network's view of a face, and under it the same in the colours of what it shows."""
    crop = VIEW.crop(frame, VIEW.matrix(points))
    found = segmentation_network()(crop[None])[0]
    painted = cv2.addWeighted(crop.astype(np.float32), 0.5, found @ _COLOURS, 0.5, 0)
    return np.vstack([crop, np.clip(painted, 0, 255).astype(np.uint8)])


if __name__ == "__main__":
    main()
