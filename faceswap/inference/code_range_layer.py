"""A range of codes as a layer between encoder and decoder."""

from typing import Any, Self

import keras
from keras import layers, ops

from faceswap.inference.code_range import CodeRange


@keras.saving.register_keras_serializable("faceswap")
class Within(layers.Layer):
    """Draws codes (n, B) back into a range and keeps what they say of the expression; inside of it they stay."""

    def __init__(self, limits: CodeRange) -> None:
        super().__init__(trainable=False, dtype="float32", name="within")
        self.limits = limits

    def get_config(self) -> dict[str, Any]:
        """For a file that another process exports; what is registered holds no such layer."""
        return {"limits": self.limits.pack()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The layer of such a file."""
        return cls(CodeRange.unpack(config["limits"]))

    def call(self, codes: keras.KerasTensor) -> keras.KerasTensor:
        """(n, B) -> (n, B) float32."""
        limits = self.limits
        # PyTorch mixes tensors with no arrays
        arrays = limits.mean, limits.axes, limits.deviations, limits.readings, limits.answers
        mean, axes, deviations, readings, answers = (ops.convert_to_tensor(array) for array in arrays)
        offsets = codes - mean
        along = ops.matmul(offsets, ops.transpose(axes))  # (n, k)
        across = offsets - ops.matmul(along, axes)
        distance = ops.sqrt(ops.mean(ops.square(along / deviations), axis=1, keepdims=True))
        norm = ops.sqrt(ops.sum(ops.square(across), axis=1, keepdims=True))
        along = along * ops.minimum(1.0, limits.within / ops.maximum(distance, 1e-6))
        across = across * ops.minimum(1.0, limits.beyond / ops.maximum(norm, 1e-6))
        inside = mean + ops.matmul(along, axes) + across
        if not len(limits.readings):
            return inside
        lost = ops.matmul(codes - inside, ops.transpose(readings))  # (n, m)
        return inside + ops.matmul(lost, answers)
