"""The floor of the identity distance: what real pixels of the reference measure, laid on the target as a swap is.

``python -m tests.benchmarks.bench_floor NAME=VIDEO NAME=VIDEO … [--preset hd128] [--out DIR]``: for every ordered
pair, each held-out face of the target gets the reference's training face of the most similar pose and expression,
through the same mask, colours and detail as a network's drawing. The target keeps its head, jaw and hair, so that no
network can be expected to get far below.
"""

import argparse
import sys
import tempfile
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation.protocol import evaluate_pair
from faceswap.faces.crispness import Crispness
from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.faces.faceset import FaceSet
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry, Points, apply
from faceswap.faces.landmarks import INNER
from faceswap.model.presets import preset
from faceswap.provenance.consent.record import Consent
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper


class RealFaces:
    """A network that draws the reference's own training faces: the one that was chosen last."""

    crispness = Crispness(0.0)
    fine_detail: FineDetail | None = None

    def __init__(self, faces: FaceSet, geometry: Geometry) -> None:
        self.geometry = geometry
        landmarks = faces.landmarks("train")
        pairs = zip(faces.images("train"), landmarks, strict=True)
        crops = [self.geometry.crop(image, self.geometry.matrix(points)) for image, points in pairs]
        self._crops = np.stack(crops).astype(np.float32) / 255
        self.shapes = self.shapes_of(landmarks)
        self._chosen = 0

    def shapes_of(self, landmarks: Points) -> Points:
        """(n, 51, 2) inner landmarks (n, 68, 2) in the crop."""
        return np.stack([apply(self.geometry.matrix(points), points) for points in landmarks])[:, INNER]

    def choose(self, offsets: Points) -> None:
        """Take the face whose (51, 2) offsets from the reference's mean are most like these."""
        own = self.shapes - self.shapes.mean(axis=0)
        self._chosen = int(np.abs(own - offsets).sum((1, 2)).argmin())

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(1, s, s, 3) uint8 RGB -> (1, s, s, 3) float32 in 0..1."""
        return self._crops[self._chosen][None]


def main() -> None:
    """Print a line for every ordered pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("people", nargs="+", metavar="NAME=VIDEO")
    parser.add_argument("--out", type=Path, help="where face sets are kept; default: nowhere")
    parser.add_argument("--preset", default="lite", help="whose crops are laid on")
    options = parser.parse_args()
    geometry = preset(options.preset).geometry
    fitting = ExtractionOptions().fitting(geometry)
    with tempfile.TemporaryDirectory() as scratch:
        sets: dict[str, FaceSet] = {}
        for name, path in (word.split("=", 1) for word in options.people):
            consent = Consent(subject=name, statement="measured only, nothing is kept")
            sets[name] = extract(
                [path], name, consent=consent, options=fitting, root=str(options.out or scratch)
            )
        finder = FaceFinder(careful=True)
        means = {identity: faces.mean_embedding for identity, faces in sets.items()}
        for reference, target in permutations(sets, 2):
            network = RealFaces(sets[reference], geometry)
            neutral = network.shapes_of(sets[target].landmarks("train")).mean(axis=0)
            swapper = Swapper(network, FaceFinder(), SwapOptions(label=False))

            def swap(
                frame: NDArray[np.uint8],
                landmarks: Points,
                network: RealFaces = network,
                neutral: Points = neutral,
                swapper: Swapper = swapper,
            ) -> NDArray[np.uint8]:
                network.choose(network.shapes_of(landmarks[None])[0] - neutral)
                return swapper.swap_face(frame, landmarks)

            found = evaluate_pair(swap, sets[target], sets[reference], means, finder)
            sys.stdout.write(f"{reference} on {target}: identity distance {found.identity_distance:.3f}\n")


if __name__ == "__main__":
    main()
