"""The model that is trained: a shared encoder and all identities' decoders, in one step.

Only Keras 3 operations, so that it trains on the TensorFlow, JAX and PyTorch backends.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from faceswap.model.compiled import compiled, fused
from faceswap.model.device import device
from faceswap.model.networks.architecture import build_decoder, build_encoder
from faceswap.model.presets import Preset
from faceswap.model.training.losses import reconstruction_loss

SHAPE_SCALE = 20.0
"""Landmark offsets are a few per cent of the crop: this brings their squares to the size of the other terms."""


class Autoencoders(keras.Model):
    """One encoder, N decoders.

    Args:
        preset: sizes, loss.
        identities: N names, in the order of the first axis of every batch.
        dtype: Keras dtype policy, "float32" or "mixed_bfloat16".
        fuse: compile the loss of pictures (:func:`~faceswap.model.compiled.fuses`).
    """

    def __init__(
        self, preset: Preset, identities: Sequence[str], dtype: str = "float32", fuse: bool = False
    ) -> None:
        super().__init__(name="autoencoders")
        self.preset, self.identities = preset, tuple(identities)
        self.encoder = build_encoder(preset, dtype)
        self.decoders = [build_decoder(preset, identity, dtype) for identity in identities]
        # Training only: one head for all identities reads the landmarks from the code.
        code = self.encoder.get_layer("bottleneck").output
        shape = layers.Dense(102, kernel_initializer="zeros", dtype="float32", name="shape")(code)
        self.reader = keras.Model(self.encoder.input, [self.encoder.output, shape], name="reader")
        self._draw = compiled([self.encoder, self.decoders[0]])
        beside = preset.geometry.beside  # is not generated

        def picture_loss(truth: Any, output: Any) -> Any:
            truth, output = (p[:, :, beside : preset.size - beside] for p in (truth, output))
            return reconstruction_loss(truth[..., :3], truth[..., 3:], output, preset.loss)

        self._picture_loss = fused(picture_loss) if fuse else picture_loss
        self.compiles_loss = fuse
        self.trackers = [keras.metrics.Mean(name=f"loss_{identity}") for identity in identities]

    def call(self, warped: Any, training: bool = False) -> dict[str, Any]:
        """Reconstruct each identity by its own decoder.

        Args:
            warped: (N, n, s, s, 3) float in 0..1.
            training: passed on to the layers.

        Returns:
            ``picture`` (N, n, s, s, 3) and ``shape`` (N * n, 102).
        """
        count, side = len(self.decoders), self.preset.size
        features, shape = self.reader(ops.reshape(warped, (-1, side, side, 3)), training=training)
        parts = ops.split(features, count, axis=0) if count > 1 else [features]
        pictures = [d(part, training=training) for d, part in zip(self.decoders, parts, strict=True)]
        return {"picture": ops.stack(pictures), "shape": shape}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Sum over identities of the mean loss; ``y`` as :meth:`TrainingData.batch` makes it."""
        by_identity = self.identity_losses(y, y_pred)
        for index, tracker in enumerate(self.trackers):
            tracker.update_state(by_identity[index])
        return ops.sum(by_identity)

    def identity_losses(self, y: Any, y_pred: Any) -> Any:
        """The mean loss of each identity, (N,)."""
        side, weights, count = self.preset.size, self.preset.loss, len(self.identities)
        # fused: each identity for itself, side by side; else in one, since a GPU's small kernels cost their launches
        parts = count if self.compiles_loss else 1
        truths = ops.unstack(ops.reshape(y["picture"], (parts, -1, side, side, 4)), parts)
        outputs = ops.unstack(ops.reshape(y_pred["picture"], (parts, -1, side, side, 3)), parts)
        losses = ops.stack([self._picture_loss(*pair) for pair in zip(truths, outputs, strict=True)])
        losses = ops.reshape(losses, (count, -1))  # (N, n)
        if weights.shape:
            error = y_pred["shape"] - SHAPE_SCALE * ops.reshape(y["shape"], (-1, 102))
            losses += weights.shape * ops.reshape(ops.mean(ops.square(error), axis=1), (count, -1))
        return ops.mean(losses, axis=1)

    def reconstruct(self, crops: NDArray[np.uint8], index: int) -> NDArray[np.float32]:
        """Crops (n, s, s, 3) uint8 through the decoder ``index``: (n, s, s, 3) float32 in 0..1."""
        output = self._draw([self.encoder, self.decoders[index]], crops.astype(np.float32) / 255)
        return np.asarray(ops.convert_to_numpy(output), np.float32)


def compile_for_training(model: Autoencoders, optimizer: keras.optimizers.Optimizer) -> None:
    """Bind the optimizer. On a CPU XLA is slower than TensorFlow's own graph (measured), but all that JAX has."""
    xla = device().accelerated or keras.backend.backend() == "jax"
    model.compile(optimizer=optimizer, jit_compile="auto" if xla else False)
