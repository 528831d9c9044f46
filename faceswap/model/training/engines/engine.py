"""What trains steps: one protocol, and the choice of who implements it."""

from collections.abc import Sequence
from typing import Any, Protocol

import keras

from faceswap.model.device import device
from faceswap.model.options import Pairs
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.dataset import Batches, TrainingData
from faceswap.model.training.schedule import Step


class Engine(Protocol):
    """Trains steps of a model.

    What it learns may stay on its device until :meth:`settle` writes it into the variables of model and optimizer.
    """

    @property
    def wanted(self) -> int:
        """How many steps the next plan should hold: so many that a call takes half a second at most."""

    def use(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Train what is trainable in the model now, with this fresh optimizer for it."""

    def reload(self) -> None:
        """Take the variables of model and optimizer as they are (after a checkpoint was read)."""

    def prepare(self) -> float:
        """Compile what can be compiled before the first step; returns the seconds it took, 0 where it can't."""

    def run(self, plan: Sequence[Step]) -> tuple[int, dict[str, Any]]:
        """Train the first steps of a plan, in order.

        Returns:
            how many, and the means since :meth:`reset_means`: ``loss``, not a number if a step's was not, and
            ``loss_<identity>``.
        """

    def reset_means(self) -> None:
        """The next means begin here."""

    def settle(self) -> None:
        """Write what was learnt into the variables of model and optimizer."""

    def restart(self) -> None:
        """Forget what is prepared of coming steps (after a roll-back)."""

    def close(self) -> None:
        """Release threads and memory."""


def engine_for(model: Autoencoders, data: Batches, seed: int, pairs: Pairs = "auto") -> Engine:
    """The fastest here: pairs on the device and many steps a call on a GPU, OpenCV's pairs and Keras' step on a CPU.

    Args:
        model: to train.
        data: its batches; pairs of fictional people are always made on the host.
        seed: of the batches.
        pairs: where they are made; auto: on the device where that is a GPU.
    """
    on_device = device().accelerated if pairs == "auto" else pairs == "device"
    if not on_device or not isinstance(data, TrainingData):
        from faceswap.model.training.engines.host_engine import HostEngine

        return HostEngine(model, data, seed)
    match keras.backend.backend():
        case "jax":
            from faceswap.model.training.engines.jax_engine import JaxEngine

            return JaxEngine(model, data, seed)
        case "tensorflow":
            from faceswap.model.training.engines.tensorflow_engine import TensorflowEngine

            return TensorflowEngine(model, data, seed)
        case _:
            from faceswap.model.training.engines.torch_engine import TorchEngine

            return TorchEngine(model, data, seed)
