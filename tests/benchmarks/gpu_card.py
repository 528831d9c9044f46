"""What a card did while something ran: operations, kernels, memory, load and power. Needs JAX and NumPy only."""

import contextlib
import gzip
import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def flops_an_image(model: Any) -> float:
    """Floating-point operations by which an image is trained: forward, and twice that backward; convolutions and dense
    layers of the encoder and of one decoder."""
    total = 0.0
    for network in (model.encoder, model.decoders[0]):
        for layer in network.layers:
            if hasattr(layer, "kernel"):
                places = np.prod(layer.output.shape[1:-1]) if len(layer.output.shape) == 4 else 1
                total += 2.0 * np.prod(layer.kernel.shape) * places
    return 3 * total


def kernels_of(work: Callable[[], int]) -> dict[str, Any]:
    """What the card did in ``work``, which says how many steps it did: the longest kernels, us and calls a step."""
    import jax

    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            steps = work()
        (file,) = Path(folder).rglob("*.trace.json.gz")
        events = json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e.get("name") == "process_name"}
    lines = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e.get("name") == "thread_name"}
    totals: dict[str, list[float]] = {}
    for event in events:
        where = event.get("pid"), event.get("tid")
        if event.get("ph") == "X" and "GPU" in names.get(where[0], "") and "Stream" in lines.get(where, ""):
            times = totals.setdefault(event["name"], [])
            times.append(event["dur"] / steps)
    longest = sorted(totals.items(), key=lambda item: -sum(item[1]))
    return {
        "kernels_a_step": round(sum(map(len, totals.values())) / steps),
        "kernel_us_a_step": round(sum(sum(times) for times in totals.values())),
        "longest": {name[:60]: [round(sum(t), 1), round(len(t) / steps, 1)] for name, t in longest[:40]},
    }


def peak_memory() -> dict[str, float]:
    """Of this process on the card, GB, as XLA counts it."""
    import jax

    stats = jax.devices()[0].memory_stats() or {}
    return {"peak_gb": round(stats["peak_bytes_in_use"] / 1e9, 2)} if "peak_bytes_in_use" in stats else {}


@contextlib.contextmanager
def watched() -> Any:
    """Yields a dictionary that holds the card's mean utilization (0..1) and power (W) after the block."""
    found: dict[str, float] = {}
    try:
        import pynvml

        pynvml.nvmlInit()
        card = pynvml.nvmlDeviceGetHandleByIndex(0)
    except Exception:  # no card, no driver, no library: then there is nothing to tell
        yield found
        return
    busy: list[float] = []
    power: list[float] = []
    end = threading.Event()

    def look() -> None:
        while not end.wait(0.1):
            busy.append(pynvml.nvmlDeviceGetUtilizationRates(card).gpu / 100)
            power.append(pynvml.nvmlDeviceGetPowerUsage(card) / 1000)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        end.set()
        watcher.join(2)
        if busy:
            found |= {"busy": round(float(np.mean(busy)), 3), "watts": round(float(np.mean(power)))}
            found["busy_while_working"] = round(float(np.mean([b for b in busy if b > 0] or [0])), 3)
