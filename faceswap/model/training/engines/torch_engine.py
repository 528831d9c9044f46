"""PyTorch, step by step: the pairs are made on the device, the rest is Keras' own step."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.engines.keras_step import KerasStepEngine
from faceswap.model.training.engines.supply import Supply
from faceswap.model.training.pairs.device_pairs import DevicePairs
from faceswap.model.training.schedule import Step


class TorchEngine(KerasStepEngine):
    """See :class:`faceswap.model.training.engines.engine.Engine`."""

    wanted = 1

    def __init__(self, model: Autoencoders, data: TrainingData, seed: int) -> None:
        super().__init__(model)
        self._preset = data.preset
        self._supply = Supply(data, seed, ops.convert_to_tensor, _memory())
        self._pairs = DevicePairs(data, self._supply.faces.side)

    def run(self, plan: Sequence[Step]) -> tuple[int, dict[str, Any]]:
        """Train the first step of the plan."""
        first = plan[0]
        self._optimizer.learning_rate.assign(first.learning_rate)
        faces, rows, draws = self._supply.of(plan[:1])
        rows, draws = keras.tree.map_structure(lambda array: ops.convert_to_tensor(array[0]), (rows, draws))
        warp = self._preset.augmentation.warp_at(first.progress, first.number)
        x, y = self._pairs(faces, rows, draws, warp)
        return 1, self.model.train_on_batch(x, y, return_dict=True)

    def restart(self) -> None:
        """Forget the draws."""
        self._supply.forget()

    def close(self) -> None:
        """Release the device's memory."""
        self._supply.close()


def _memory() -> int | None:
    import torch

    # what others leave; the weights are there already
    return torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
