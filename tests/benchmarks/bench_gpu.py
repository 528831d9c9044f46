"""How much of a GPU the training uses, and how soon a model is trained; at most six minutes.

``python -m tests.benchmarks.bench_gpu --faces FOLDER --out FOLDER [--tiny]``: on packed face sets
(:mod:`tests.benchmarks.carry_gpu` makes them). It needs JAX, Keras and OpenCV only. Each part runs in a process of its
own with a time limit, and its results are written when it is done: whatever fails, the rest is measured. The second one
trains hd256 and writes its weights; ``python -m tests.benchmarks.measure_gpu`` measures them where dlib is.
``--tiny``: small networks and few steps, to prove the script on a CPU.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.gpu_card import flops_an_image, kernels_of, peak_memory, watched

STARTED = time.monotonic()
_OF_A_TRAINING = ("until_compiling_s", "compile_s", "training_s", "end_to_end_s", "rollbacks", "heldout_mae")
_LEAST = 15.0
"""Seconds without which no part is begun."""
_TINY: dict[str, Any] = {
    "encoder_filters": (8, 16, 16, 16),
    "bottleneck": 16,
    "code_filters": 8,
    "decoder_filters": (8, 8),
    "residual": (0, 0),
    "warmup": 0,
}


def parts(tiny: bool) -> list[dict[str, Any]]:
    """What is measured, in this order: name, time limit in seconds, and what :func:`measure` needs."""
    if tiny:
        small = {"preset": "lite", "changes": _TINY, "people": 2, "seconds": 2}
        return [
            {"name": "ceiling", "limit": 120, "kind": "ceiling", "side": 256},
            {"name": "lite tiny", "limit": 300, "kind": "rate", **small},
            {"name": "lite tiny, from the cache", "limit": 300, "kind": "rate", **small},
            {"name": "lite tiny, pairs on the host", "limit": 300, "kind": "rate", "pairs": "host", **small},
            {"name": "trained", "limit": 600, "kind": "train", **small, "steps": 60, "write": True},
            {"name": "both", "limit": 600, "kind": "both", **small, "steps": 20},
        ]
    rate = {"kind": "rate", "seconds": 4, "limit": 100}
    both = {**rate, "kind": "both", "steps": 2000}
    return [
        {"name": "ceiling", "limit": 40, "kind": "ceiling", "side": 8192},
        {
            "name": "hd256 3 x 4, 10,000 steps",
            "limit": 130,
            "kind": "train",
            "preset": "hd256",
            "people": 3,
            "steps": 10_000,
            "write": True,
        },
        {"name": "hd256 3 x 4, from the cache", **rate, "preset": "hd256", "people": 3},
        {"name": "hd256 3 x 16", **rate, "preset": "hd256", "people": 3, "changes": {"batch_size": 16}},
        {"name": "lite 2 x 64", **both, "preset": "lite", "people": 2, "changes": {"batch_size": 64}},
        {"name": "hd128 3 x 4", **both, "preset": "hd128", "people": 3},
        {"name": "hd512 3 x 4", **both, "preset": "hd512", "people": 3, "enlarge": 2},
        {"name": "hd256 3 x 4, pairs on the host", **rate, "preset": "hd256", "people": 3, "pairs": "host"},
    ]


def main() -> None:
    """Measure all parts, each in its own process; print and write a line of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--parts", type=Path, help="other parts, a JSON list")
    parser.add_argument("--minutes", type=float, help="for all parts; 6, or 40 with --tiny")
    parser.add_argument("--part", help="measure this one here")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.part:
        part = json.loads(options.part)
        try:
            found = measure(part, options.faces, options.out)
        except Exception as error:
            traceback.print_exc(limit=8)
            found = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:500]}
        line = json.dumps({"name": part["name"], **found})
        with (options.out / "rows.jsonl").open("a") as file:
            file.write(line + "\n")
        sys.stdout.write(line + "\n")
        return
    chosen = json.loads(options.parts.read_text()) if options.parts else parts(options.tiny)
    rows = options.out / "rows.jsonl"
    rows.unlink(missing_ok=True)
    ends = STARTED + 60 * (options.minutes or (40 if options.tiny else 6))
    with tempfile.TemporaryDirectory() as home:
        for part in chosen:
            run_part(part, options, home, ends)
    sys.stdout.write(table([json.loads(line) for line in rows.read_text().splitlines()]))


def run_part(part: dict[str, Any], options: argparse.Namespace, home: str, ends: float) -> None:
    """One part in its own process; where that leaves no row, one says why."""
    rows = options.out / "rows.jsonl"
    known = rows.read_text() if rows.exists() else ""
    limit = min(part["limit"], ends - time.monotonic())
    where = {"FACESWAP_HOME": os.environ.get("FACESWAP_HOME", home), **part.get("env", {})}
    command = [sys.executable, "-m", "tests.benchmarks.bench_gpu", "--part", json.dumps(part)]
    command += ["--faces", str(options.faces), "--out", str(options.out)]
    began, reason = time.monotonic(), "no time was left"
    if limit > _LEAST:
        try:
            done = subprocess.run(command, env=os.environ | where, timeout=limit, check=False)
            reason = f"ended with code {done.returncode}"
        except subprocess.TimeoutExpired:
            reason = f"not done within {limit:.0f} s"
    sys.stdout.write(f"# {part['name']}: {time.monotonic() - began:.1f} s in all\n")
    if not rows.exists() or rows.read_text() == known:
        with rows.open("a") as file:
            file.write(json.dumps({"name": part["name"], "error": reason}) + "\n")


def table(rows: list[dict[str, Any]]) -> str:
    """The figures of all parts in Markdown; the share of the peak is of the ceiling measured in the same run."""
    peak = next((row["bf16_tflops"] for row in rows if "bf16_tflops" in row), None)
    keys = (
        "images_per_s",
        "ms_a_step",
        "compile_s",
        "tflops",
        "busy",
        "peak_gb",
        "training_s",
        "end_to_end_s",
        "error",
    )
    lines = [f"| part | {' | '.join(keys)} | share of {peak} TFLOP/s |", f"|{'---|' * (len(keys) + 2)}"]
    for row in rows:
        share = f"{row['tflops'] / peak:.2%}" if peak and "tflops" in row else ""
        lines.append(f"| {row['name']} | {' | '.join(str(row.get(key, '')) for key in keys)} | {share} |")
    return "\n".join(lines) + "\n"


def measure(part: dict[str, Any], folder: Path, out: Path) -> dict[str, Any]:
    """The part's figures."""
    if part["kind"] == "ceiling":
        return ceiling(part["side"])
    from faceswap.model.presets import preset
    from faceswap.model.training.dataset import TrainingData
    from tests.benchmarks.packed_faces import PackedFaces, seen_of

    recipe = preset(part["preset"]).with_(**part.get("changes", {}))
    files = sorted(folder.glob("*.npz"))[: part["people"]]
    sets = {file.stem: PackedFaces(file, part.get("enlarge", 1)) for file in files}
    data = TrainingData(sets, recipe, seen_of(sets))  # as `faceswap train` does
    loaded = time.monotonic() - STARTED
    found = trained(part, data, out) if part["kind"] in {"train", "both"} else {}
    if part["kind"] == "both":  # its graph is in the cache by now: what it took without is the training's
        found = {**rate(part, data), **{k: found[k] for k in _OF_A_TRAINING}}
    elif part["kind"] == "rate":
        found = rate(part, data)
    return {"until_data_s": round(loaded, 1), **found}


def ceiling(side: int) -> dict[str, Any]:
    """What the card can do: a product of bfloat16 matrices, TFLOP/s."""
    import jax
    import jax.numpy as jnp

    a = jax.random.normal(jax.random.PRNGKey(0), (side, side), jnp.bfloat16)
    product = jax.jit(lambda a, b: a @ b)
    product(a, a).block_until_ready()
    began, times = time.monotonic(), 20
    for _ in range(times):
        found = product(a, a)
    found.block_until_ready()
    seconds = (time.monotonic() - began) / times
    return {"device": jax.devices()[0].device_kind, "bf16_tflops": round(2 * side**3 / seconds / 1e12, 1)}


def rate(part: dict[str, Any], data: Any) -> dict[str, Any]:
    """Images a second of an engine alone."""
    import keras

    from faceswap.model.compiled import keep_compiled
    from faceswap.model.device import device
    from faceswap.model.training.autoencoders import Autoencoders
    from faceswap.model.training.engines.engine import engine_for
    from faceswap.model.training.engines.optimizer import adam
    from faceswap.model.training.schedule import Step

    keep_compiled()
    keras.utils.set_random_seed(0)
    recipe = data.preset
    model = Autoencoders(recipe, data.identities, device().dtype)
    engine = engine_for(model, data, 0, part.get("pairs", "device"))
    engine.use(adam(recipe, model.trainable_variables))
    compiled = engine.prepare()
    done, images = 0, len(data.identities) * recipe.batch_size

    def run(seconds: float) -> tuple[int, float, float]:
        nonlocal done
        first, began, loss = done, time.monotonic(), 0.0
        while time.monotonic() - began < seconds:
            steps = [Step(done + i, 0.5, recipe.learning_rate) for i in range(engine.wanted)]
            trained, logs = engine.run(steps)
            done, loss = done + trained, float(logs["loss"])
        return done - first, time.monotonic() - began, loss

    run(1.5)  # Keras' own step compiles here, and calls reach their length
    with watched() as card:
        steps, seconds, loss = run(part["seconds"])
    kernels = kernels_of(lambda: run(0.3)[0]) if part.get("profile") else {}
    flops = flops_an_image(model)
    return {
        "images_per_s": round(steps * images / seconds),
        "ms_a_step": round(seconds / steps * 1e3, 3),
        "compile_s": round(compiled, 1),
        "gflop_an_image": round(flops / 1e9, 2),
        "tflops": round(flops * images * steps / seconds / 1e12, 2),
        "steps_a_call": engine.wanted,
        "loss": round(loss, 4),
        **card,
        **peak_memory(),
        **kernels,
    }


def trained(part: dict[str, Any], data: Any, out: Path) -> dict[str, Any]:
    """From face sets to trained weights, by the trainer itself."""
    from faceswap.model.priors.prior import prior_file, take_prior
    from faceswap.model.training.schedule import Budget
    from faceswap.model.training.trainer import Trainer, TrainingOptions

    recipe = data.preset
    notes = Notes()
    file = prior_file(recipe)
    options = TrainingOptions(
        budget=Budget(steps=part["steps"]), pairs=part.get("pairs", "device"), validate_seconds=1e9
    )
    with tempfile.TemporaryDirectory() as scratch, watched() as card:
        trainer = Trainer(
            data,
            recipe,
            options,
            Path(scratch),
            notes,
            initialize=lambda model: take_prior(model, file) if file else None,
        )
        ready = time.monotonic() - STARTED
        result = trainer.train()
    seconds = time.monotonic() - STARTED
    if part.get("write"):
        write_weights(result.model, out)
    return {
        "until_compiling_s": round(ready, 1),
        "compile_s": round(result.compile_seconds, 1),
        "training_s": round(result.seconds, 1),
        "end_to_end_s": round(seconds, 1),
        "images_per_s": round(result.images_per_second),
        "rollbacks": result.rollbacks,
        "heldout_mae": result.history[-1][2]["heldout_mae"],
        "losses": notes.losses,
        **card,
        **peak_memory(),
    }


class Notes:
    """An observer that remembers the loss curve."""

    def __init__(self) -> None:
        self.losses: dict[int, float] = {}

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """Keep the loss."""
        if "loss" in values:
            self.losses[step] = round(values["loss"], 4)

    def validated(self, step: int, model: Any) -> None:
        """Nothing."""

    def progress(self, share: float, message: str) -> None:
        """Nothing."""


def write_weights(model: Any, out: Path) -> None:
    """``encoder.npz``, ``decoders.npz`` in float16, as :mod:`tests.benchmarks.measure_gpu` reads them."""
    nets = {"encoder": model.encoder, "shape": model.reader.get_layer("shape")}
    decoders = dict(zip(model.identities, model.decoders, strict=True))
    for name, networks in (("encoder", nets), ("decoders", decoders)):
        arrays = {
            f"{k}/{i:03d}": np.asarray(w, np.float16)
            for k, net in networks.items()
            for i, w in enumerate(net.get_weights())
        }
        np.savez_compressed(out / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main()
