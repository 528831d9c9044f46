"""How much of what lies over real faces is found, and how much of bare faces is taken for covered.

``python -m tests.benchmarks.bench_occlusion VIDEO …``: bare fingers with the face's own skin and thin glasses are laid
over every 10th frame, by other means than the network was taught with. A line for each video; shares of the pixels.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from faceswap.faces.detection import FaceFinder
from faceswap.media.video.reading import VideoReader
from tests.swap.covering import fingers, grown, hidden_in, thin_glasses, within

_EVERY = 10


def main() -> None:
    """Print a line for every video."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    finder = FaceFinder()
    for video in parser.parse_args().videos:
        with VideoReader(video) as reader:
            frames = [frame.image for number, frame in enumerate(reader.frames()) if number % _EVERY == 0]
        counts = {"fingers": np.zeros(2), "thin glasses": np.zeros(2)}
        bare, false = [], []
        for number, frame in enumerate(frames):
            faces = finder.find(frame)
            if not faces:
                continue
            points = faces[0].landmarks
            inside, before = within(points, frame.shape), hidden_in(frame, points)
            bare.append(before[inside].mean())
            for kind, cover in (("fingers", fingers), ("thin glasses", thin_glasses)):
                image, covered = cover(frame, points, number)
                hidden = hidden_in(image, points)
                counts[kind] += (hidden & covered & inside).sum(), (covered & inside).sum()
                false.append((hidden & ~grown(covered, 15) & ~grown(before, 9))[inside].mean())
        found = ", ".join(f"{kind} found {hit / total:.2f}" for kind, (hit, total) in counts.items())
        sys.stdout.write(
            f"{video.stem}: {found}; of the bare face {np.mean(bare):.3f} taken for covered, "
            f"beside what covers it {np.mean(false):.3f} ({len(bare)} frames)\n"
        )


if __name__ == "__main__":
    main()
