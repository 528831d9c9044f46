"""Many steps a call on TensorFlow: a loop in one graph, compiled by XLA where there is a GPU."""

import time
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import keras
import tensorflow as tf

from faceswap.model.device import device
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.engines.keras_step import KerasStepEngine
from faceswap.model.training.engines.supply import Pace, Supply, padded
from faceswap.model.training.pairs.device_pairs import DevicePairs
from faceswap.model.training.schedule import Step
from faceswap.process.cards import free_memory


class TensorflowEngine(KerasStepEngine):
    """See :class:`faceswap.model.training.engines.engine.Engine`. Keras' own step trains the variables themselves."""

    def __init__(self, model: Autoencoders, data: TrainingData, seed: int) -> None:
        super().__init__(model)
        self._preset = data.preset
        self._supply = Supply(data, seed, tf.constant, _memory())
        self._pairs = DevicePairs(data, self._supply.faces.side)
        self._pace = Pace(self._supply.most)

    @property
    def wanted(self) -> int:
        """Steps of half a second."""
        return self._pace.steps

    def use(self, optimizer: keras.optimizers.Optimizer) -> None:
        """A graph for what is trained now."""
        super().use(optimizer)
        self._compiled = False
        self._loop = tf.function(self._train, reduce_retracing=True, jit_compile=device().accelerated)

    def prepare(self) -> float:
        """Make and compile the graph by a call of no steps."""
        if self._compiled:
            return 0.0
        started = time.monotonic()
        self._loop(tf.constant(0), *self._told([Step(0, 0.0, 0.0)]))
        self._compiled = True
        return time.monotonic() - started

    def run(self, plan: Sequence[Step]) -> tuple[int, dict[str, Any]]:
        """Train all steps of the plan in one call."""
        self.prepare()
        started, count = time.monotonic(), len(plan)
        told = self._told(plan)
        self._supply.prepare(plan[-1].number + 1, self._pace.likely)
        self._loop(tf.constant(count), *told)
        logs = {metric.name: float(metric.result()) for metric in self.model.metrics}
        self._pace.took(count, time.monotonic() - started)
        return count, logs

    def _told(self, plan: Sequence[Step]) -> tuple[Any, ...]:
        """Faces, and what a call's steps are told."""
        faces, rows, draws = self._supply.of(plan)
        warps = [self._preset.augmentation.warp_at(step.progress, step.number) for step in plan]
        rates = [step.learning_rate for step in plan]
        told = (padded(rates, self._supply.most), padded(warps, self._supply.most), rows, draws)
        return faces, *keras.tree.map_structure(tf.constant, told)

    def _train(self, count: Any, faces: Any, rates: Any, warps: Any, rows: Any, draws: Any) -> None:
        for index in tf.range(count):
            own_rows, own_draws = keras.tree.map_structure(itemgetter(index), (rows, draws))
            self._optimizer.learning_rate.assign(rates[index])
            x, y = self._pairs(faces, own_rows, own_draws, warps[index])
            self.model.train_step((x, y))

    def restart(self) -> None:
        """Forget the draws."""
        self._supply.forget()

    def close(self) -> None:
        """Release the device's memory."""
        self._supply.close()


def _memory() -> int | None:
    """What is free on the first GPU; where the driver does not tell, half of a card of 16 GB errs on the safe side."""
    return (free_memory() or 8 * 2**30) if tf.config.list_physical_devices("GPU") else None
