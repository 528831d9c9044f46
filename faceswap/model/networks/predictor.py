"""A Keras model as a function of crops."""

import threading

import keras
import numpy as np
from numpy.typing import NDArray


class Predictor:
    """Calls a model with any number of crops; safe to call from several threads.

    Args:
        model: reads (n, s, s, 3) float in 0..1.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.model.compile(jit_compile=keras.backend.backend() == "jax")
        self._one_call = threading.Lock()  # Keras builds its function at the first call, unguarded

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, s, s, 3) uint8 RGB -> the model's output, (n, s, s, channels) float32."""
        count = len(crops)
        if not count:
            return np.empty((0, *self.model.output.shape[1:]), np.float32)
        # Powers of two: the compiled function is traced once per batch size.
        padded = np.zeros((1 << (count - 1).bit_length(), *crops.shape[1:]), np.float32)
        padded[:count] = crops / np.float32(255)
        with self._one_call:
            return np.asarray(self.model.predict_on_batch(padded)[:count], np.float32)
