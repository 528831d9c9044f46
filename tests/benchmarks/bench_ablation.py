"""What each ingredient of a preset is worth: leave one out, train for the same time, measure the swaps.

``python -m tests.benchmarks.bench_ablation [--minutes 2 | --steps 1500] [--seeds 0 1] [--people NAME=VIDEO …]
[--variants NAME …] [--render 640] [--frames 40] [--out DIR]``: on two of the cast, where the true swap is known, or on
videos of one's own. A Markdown table of the seeds' means in DIR; started again, it goes on where it was. Minutes are
wall time: nothing else should run on the machine. Another prior: in FACESWAP_HOME/priors/lite.npz.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

import numpy as np

from faceswap.evaluation.crispness_calibration import crispness_on
from faceswap.evaluation.fine_detail_making import fine_detail_of
from faceswap.evaluation.model_decoder import ModelDecoder, OwnCrops
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.protocol import evaluate_pair
from faceswap.evaluation.true_swap import truth_for
from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.faces.faceset import FaceSet
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.model.options import TrainingOptions
from faceswap.model.presets import Preset, preset
from faceswap.model.priors.prior import prior_file, take_prior
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.more_views import ONLY_PICTURES, MoreViews
from faceswap.model.training.result import TrainingResult
from faceswap.model.training.schedule import Budget
from faceswap.model.training.trainer import Trainer
from faceswap.model.weights import digest
from faceswap.provenance.consent.record import Consent
from faceswap.swap.masks.visibility import seen_in_crops
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.benchmarks.bench_bottleneck import face_sets
from tests.benchmarks.bench_training import Silent

CAST, SECONDS = ("emeric", "bram"), 12.0
VARIANTS: dict[str, dict[str, Any]] = {
    "lite": {},
    "no prior": {"prior": False},
    "96 px": {"size": 96, "code_grid": 12, "code_columns": 8, "prior": False},
    "inner face": {
        "size": 96,
        "coverage": 1.5,
        "centre": 0.0,
        "encoder_coverage": 0.0,
        "code_grid": 12,
        "code_columns": 0,
        "augmentation": {"shift": 0.02, "warp": 0.08, "warp_rest": 0.02},
    },
    "no gradient term": {"loss": {"gradient": 0}},
    "no SSIM term": {"loss": {"dssim": 0}},
    "eyes and mouth as the rest": {"loss": {"features": 1}},
    "eyes and mouth fourteen times": {"loss": {"features": 14}},
    "background as the face": {"loss": {"background": 1}, "augmentation": {"surroundings": 0}},
    "no shape term": {"loss": {"shape": 0}},
    "no prior, no ICNR": {"prior": False, "icnr": False},
    "no residual block": {"residual": (), "prior": False},
    "no standardized input": {"normalize_input": False},
    "inputs not disguised": {"augmentation": {"tint": 0, "surroundings": 0}},
    "more disguise": {"augmentation": {"tint": 0.4, "surroundings": 1}},
    "more rotation, zoom and shift": {"augmentation": {"rotation": 10, "zoom": 0.1, "shift": 0.05}},
    "no warp": {"augmentation": {"warp": 0}},
    "no warp after a third": {"augmentation": {"warp_rest": 0}},
    "no finish": {"finish": 0},
    "warp for four fifths": {"augmentation": {"warp_end": 0.8, "warp_rest": 0}},
    "warp to the end": {"augmentation": {"warp_end": 0}},
    "falling learning rate": {"final_decay": 0.1},
    "twice the learning rate": {"learning_rate": 2e-3},
    "hd128": {"preset": "hd128"},
    "hd256": {"preset": "hd256"},
    "hd256, decoders from nothing": {"preset": "hd256", "prior": "encoder"},
    "hd256, larger decoders": {
        "preset": "hd256",
        "prior": "encoder",
        "decoder_filters": (128, 64, 32),
        "residual": (2, 1, 1),
    },
    "hd256, twice the gradient term": {"preset": "hd256", "loss": {"gradient": 2}},
    "hd256, three times the SSIM term": {"preset": "hd256", "loss": {"dssim": 1.5}},
    "original": {"preset": "original", "prior": False},
}
"""Changes of ``lite``, or of ``preset``; ``prior``: True, False, or "encoder", whose decoders start from nothing."""
SHOWN = ("identity_distance", "lip_gap_correlation", "sharpness", "truth_ssim", "truth_ssim_unswapped")


def network_of(
    model: Autoencoders, index: int, faces: FaceSet, views: MoreViews = ONLY_PICTURES
) -> ModelDecoder:
    """What a registered version of a decoder would draw with: crispness, fine detail and range of codes measured."""
    network = ModelDecoder(model, index, OwnCrops.of(faces, model.preset.geometry, views))
    network.crispness = crispness_on(network, faces)
    network.fine_detail = fine_detail_of(network, faces)
    return network


def trained(
    recipe: Preset,
    prior: bool | Literal["encoder"],
    sets: Mapping[str, FaceSet],
    budget: Budget,
    seed: int = 0,
) -> TrainingResult:
    """A training without tracking."""

    def start(model: Autoencoders) -> None:
        file = prior_file(recipe)
        fresh = [decoder.get_weights() for decoder in model.decoders]
        if file is None or (take_prior(model, file).share < 0.99 and prior != "encoder"):
            raise ValueError(f"the prior does not fit {recipe.name}")
        if prior == "encoder":
            for decoder, own in zip(model.decoders, fresh, strict=True):
                decoder.set_weights(own)

    options = TrainingOptions(budget=budget, seed=seed, validate_seconds=1e9, checkpoint_seconds=1e9)
    with tempfile.TemporaryDirectory() as scratch:
        return Trainer(
            TrainingData(sets, recipe, seen_in_crops),  # as `faceswap train` does
            recipe,
            options,
            Path(scratch),
            Silent(),
            initialize=start if prior else None,
        ).train()


def measured(
    name: str, seed: int, sets: Mapping[str, FaceSet], conditions: Mapping[str, Any]
) -> dict[str, Any]:
    """A variant's row: the measures of every ordered pair, under ``conditions`` (minutes or steps, people)."""
    changes = dict(VARIANTS[name])
    recipe, prior = preset(changes.pop("preset", "lite")), changes.pop("prior", True)
    budget = Budget(minutes=conditions["minutes"], steps=conditions["steps_given"])
    result = trained(recipe.with_(**changes), prior, sets, budget, seed)
    finder, pairs = FaceFinder(careful=True), {}
    means = {identity: faces.mean_embedding for identity, faces in sets.items()}
    for reference, target in permutations(sets, 2):
        swapper = Swapper(
            network_of(result.model, list(sets).index(reference), sets[reference], result.views[reference]),
            FaceFinder(),
            SwapOptions(label=False),
        )
        found: PairResult = evaluate_pair(
            swapper.swap_face,
            sets[target],
            sets[reference],
            means,
            finder,
            limit=conditions["frames"],
            truth=truth_for(sets[reference], sets[target]),
        )
        pairs[f"{reference} on {target}"] = {
            key: value for key in SHOWN if (value := getattr(found, key, None)) is not None
        }
    return {
        **conditions,
        "variant": name,
        "seed": seed,
        "steps": result.steps,
        "images/s": result.images_per_second,
        "pairs": pairs,
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    """One line a variant: the means over its seeds of each pair; below, how far the seeds of a variant differ."""
    keys = [key for key in SHOWN if any(key in pair for row in rows for pair in row["pairs"].values())]
    pairs = list(rows[0]["pairs"])
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    lines = [
        f"Cells: {' / '.join(pairs)}",
        "",
        f"| variant | steps | {' | '.join(key.replace('_', ' ') for key in keys)} |",
        f"|{'---|' * (2 + len(keys))}",
    ]
    spreads: dict[str, list[float]] = {key: [] for key in keys}
    for variant in variants:
        own = [row for row in rows if row["variant"] == variant]
        cells = []
        for key in keys:
            values = np.array([[row["pairs"][pair].get(key, np.nan) for pair in pairs] for row in own])
            cells.append(" / ".join(f"{value:.2f}" for value in values.mean(axis=0)))
            spreads[key] += np.ptp(values, axis=0).tolist()
        steps = " ".join(str(row["steps"]) for row in own)
        lines.append(f"| {variant} | {steps} | {' | '.join(cells)} |")
    if len(rows) > len(variants):
        apart = ", ".join(f"{key.replace('_', ' ')} {np.nanmedian(spreads[key]):.3f}" for key in keys)
        lines += ["", f"Median difference between seeds: {apart}"]
    return "\n".join(lines)


def main() -> None:
    """Train and measure what is missing; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, help="training time of each variant; default: 2")
    parser.add_argument("--steps", type=int, help="the same steps for each variant, instead of the same time")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="each variant is trained with each")
    parser.add_argument("--people", nargs="+", default=[], metavar="NAME=VIDEO", help="instead of the cast")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument(
        "--render", type=int, default=256, help="side of the cast's frames, px: 640 for hd256"
    )
    parser.add_argument("--frames", type=int, default=40, help="held-out frames of each pair")
    parser.add_argument("--out", type=Path, default=Path("bench-ablation"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    drawn = [preset(VARIANTS[name].get("preset", "lite")).geometry for name in options.variants]
    fitting = ExtractionOptions().fitting(max(drawn, key=lambda geometry: geometry.size))
    sets: dict[str, FaceSet] = {}
    for name, path in (word.split("=", 1) for word in options.people):
        consent = Consent(subject=name, statement="measured only, nothing is kept")
        root = str(options.out / "face-sets")
        sets[name] = extract([path], name, consent=consent, options=fitting, root=root)
    if not sets:
        cast = face_sets(options.out, list(CAST), SECONDS, fitting, options.render)
        sets = {faces.identity: faces for faces in cast}
    prior = prior_file(preset("lite"))
    key = {
        "minutes": None if options.steps else options.minutes or 2.0,
        "steps_given": options.steps,
        "people": {name: faces.digest for name, faces in sets.items()},
        "frames": options.frames,
        "prior": prior and digest(prior)[:16],
    }
    log = options.out / "rows.jsonl"
    known = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    rows = {(row["variant"], row["seed"]): row for row in known if {k: row.get(k) for k in key} == key}
    wanted = [(name, seed) for name in options.variants for seed in options.seeds]
    for name, seed in wanted:
        if (name, seed) not in rows:
            rows[name, seed] = measured(name, seed, sets, key)
            with log.open("a") as file:
                file.write(json.dumps(rows[name, seed]) + "\n")
            sys.stderr.write(f"{name}, seed {seed}: {rows[name, seed]['pairs']}\n")
    table = markdown([rows[one] for one in wanted])
    (options.out / "ablation.md").write_text(table + "\n")
    sys.stdout.write(table + "\n")


if __name__ == "__main__":
    main()
