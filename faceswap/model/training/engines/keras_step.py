"""What the engines share that train by Keras' own step: it trains the variables themselves."""

import keras

from faceswap.model.training.autoencoders import Autoencoders, compile_for_training


class KerasStepEngine:
    """The part of :class:`faceswap.model.training.engines.engine.Engine` that is the same for all of them."""

    def __init__(self, model: Autoencoders) -> None:
        self.model = model

    def use(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Keras compiles at the first step, where anything is to be compiled."""
        self._optimizer = optimizer
        compile_for_training(self.model, optimizer)

    def reload(self) -> None:
        """The variables are trained themselves."""

    def prepare(self) -> float:
        """Nothing is compiled before the first step."""
        return 0.0

    def reset_means(self) -> None:
        """Of Keras' metrics."""
        self.model.reset_metrics()

    def settle(self) -> None:
        """The variables are trained themselves."""
