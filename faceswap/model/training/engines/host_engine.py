"""Pairs by OpenCV in threads, Keras' own step: the fastest on a CPU (TensorFlow), and it works on any backend."""

from collections.abc import Sequence
from typing import Any

from faceswap.model.device import device
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import Batches, Feeder
from faceswap.model.training.engines.keras_step import KerasStepEngine
from faceswap.model.training.schedule import Step


class HostEngine(KerasStepEngine):
    """One step a call; see :class:`faceswap.model.training.engines.engine.Engine`."""

    wanted = 4
    """It trains the first step; of the others the batches are prepared meanwhile."""

    def __init__(self, model: Autoencoders, data: Batches, seed: int) -> None:
        super().__init__(model)
        # a CPU that trains has no more to spare
        self._feeder = Feeder(data, seed, self.wanted, threads=4 if device().accelerated else 2)

    def run(self, plan: Sequence[Step]) -> tuple[int, dict[str, Any]]:
        """Train the first step of the plan."""
        first = plan[0]
        self._optimizer.learning_rate.assign(first.learning_rate)
        x, y = self._feeder.get(first.number, [step.progress for step in plan])
        return 1, self.model.train_on_batch(x, y, return_dict=True)

    def restart(self) -> None:
        """Forget the batches."""
        self._feeder.restart()

    def close(self) -> None:
        """Stop the threads."""
        self._feeder.close()
