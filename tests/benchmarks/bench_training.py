"""How fast pairs are made, against how fast a step uses them: the step must never wait.

``python -m tests.benchmarks.bench_training [PRESET]``: on faces made of numbers, so that it runs anywhere.
"""

import sys
import tempfile
import time
from pathlib import Path

from faceswap.model.device import device
from faceswap.model.presets import preset
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.schedule import Budget
from faceswap.model.training.trainer import Trainer, TrainingOptions
from tests.model.fakes import FakeFaces


class Silent:
    """An observer that says nothing."""

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """Nothing."""

    def validated(self, step: int, model: Autoencoders) -> None:
        """Nothing."""

    def progress(self, share: float, message: str) -> None:
        """Nothing."""


def main(name: str) -> None:
    """Print pairs a second of one thread, images a second of the training, and their ratio."""
    recipe = preset(name)
    data = TrainingData({n: FakeFaces(n, (150, 120, 90), count=200) for n in ("one", "two")}, recipe)
    steps = 20
    began = time.perf_counter()
    for step in range(steps):
        data.batch(0, step, 0.0)
    pairs = steps * 2 * recipe.batch_size / (time.perf_counter() - began)
    options = TrainingOptions(budget=Budget(minutes=0.5), validate_seconds=1e9, checkpoint_seconds=1e9)
    with tempfile.TemporaryDirectory() as scratch:
        result = Trainer(data, recipe, options, Path(scratch), Silent()).train()
    print(
        f"{name} on {device()}: {pairs:.0f} pairs/s of one thread, {result.images_per_second:.0f} images/s trained"
    )
    print(f"ratio {pairs / result.images_per_second:.1f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "lite")
