"""Measures the weights that :mod:`tests.benchmarks.bench_gpu` has trained elsewhere, here, where dlib is.

``python -m tests.benchmarks.measure_gpu RESULTS --face-sets FOLDER … [--preset hd256] [--pictures FOLDER]``: the folder
with ``encoder.npz`` and ``decoders.npz``, and the face sets that were carried. A Markdown row for each pair.
"""

import argparse
import sys
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np

from faceswap.evaluation.protocol import evaluate_pair
from faceswap.evaluation.rendering.sheets import case_sheet
from faceswap.faces.faceset import FaceSet
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.model.presets import Preset, preset
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.benchmarks.bench_ablation import network_of


def read(folder: Path, recipe: Preset, identities: list[str]) -> Autoencoders:
    """The trained model."""
    model = Autoencoders(recipe, identities)
    nets = {"encoder": model.encoder, "shape": model.reader.get_layer("shape")}
    for name, networks in (
        ("encoder", nets),
        ("decoders", dict(zip(identities, model.decoders, strict=True))),
    ):
        with np.load(folder / f"{name}.npz") as stored:
            for key, network in networks.items():
                own = sorted(k for k in stored.files if k.rpartition("/")[0] == key)
                network.set_weights([stored[k].astype(np.float32) for k in own])
    return model


def main() -> None:
    """Print the table; write a sheet of swaps for each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--face-sets", nargs="+", required=True)
    parser.add_argument("--preset", default="hd256")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    sets = {faces.identity: faces for faces in map(FaceSet.load, options.face_sets)}
    sets = dict(sorted(sets.items()))
    model = read(options.results, preset(options.preset), list(sets))
    finder, means = FaceFinder(careful=True), {name: faces.mean_embedding for name, faces in sets.items()}
    sys.stdout.write("| reference on target | identity | lips | sharpness |\n|---|---|---|---|\n")
    for reference, target in permutations(sets, 2):
        network = network_of(model, list(sets).index(reference), sets[reference])
        swapper = Swapper(network, FaceFinder(), SwapOptions(label=False))
        found = evaluate_pair(swapper.swap_face, sets[target], sets[reference], means, finder)
        sys.stdout.write(
            f"| {reference} on {target} | {found.identity_distance:.2f} | {found.lip_gap_correlation:.2f} | "
            f"{found.sharpness:.2f} |\n"
        )
        sys.stdout.flush()
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            sheet = case_sheet(found, swapper, sets[target], sets[reference])
            cv2.imwrite(str(options.pictures / f"{reference}-on-{target}.png"), sheet[..., ::-1])


if __name__ == "__main__":
    main()
