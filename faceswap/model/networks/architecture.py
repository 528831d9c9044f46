"""The networks: one shared encoder, one decoder per identity. Keras 3 operations only.

After the tutorial's (and the first public face-swapping) autoencoder; :mod:`faceswap.model.presets` sizes it.
"""

import math
import re
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from faceswap.model.device import device
from faceswap.model.presets import Preset


@keras.saving.register_keras_serializable(package="faceswap")
class PixelShuffle(layers.Layer):
    """Rearranges (h, w, 4 c) into (2 h, 2 w, c): Shi et al., arXiv:1609.05158."""

    def call(self, inputs: Any) -> Any:
        """(n, h, w, 4 c) -> (n, 2 h, 2 w, c)."""
        return ops.depth_to_space(inputs, 2, data_format="channels_last")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of :meth:`call`'s result; an unknown size stays None."""
        batch, height, width, channels = input_shape
        return batch, height and 2 * height, width and 2 * width, channels and channels // 4


@keras.saving.register_keras_serializable(package="faceswap")
class StandardizeImage(layers.Layer):
    """Gives each channel of each picture mean 0 and standard deviation 1."""

    def call(self, inputs: Any) -> Any:
        """(n, h, w, c) -> (n, h, w, c)."""
        mean = ops.mean(inputs, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(inputs - mean), axis=(1, 2), keepdims=True)
        return (inputs - mean) / ops.sqrt(variance + 1e-4)


@keras.saving.register_keras_serializable(package="faceswap")
class Resize(layers.Layer):
    """Resizes pictures or feature maps to a height, bilinearly, smoothed first where they get smaller.

    Two matrix products: ONNX has no operation for a resize that smooths first.
    """

    def __init__(self, side: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.side = side

    def call(self, inputs: Any) -> Any:
        """(n, h, w, c) -> (n, side, side * w / h, c)."""
        _, height, width, channels = inputs.shape
        rows, columns = self.side, self.side * width // height
        down = ops.convert_to_tensor(_triangles(height, rows), self.compute_dtype)
        across = ops.convert_to_tensor(_triangles(width, columns), self.compute_dtype)
        x = ops.matmul(
            down, ops.reshape(ops.cast(inputs, self.compute_dtype), (-1, height, width * channels))
        )
        x = ops.matmul(across, ops.reshape(x, (-1, width, channels)))
        return ops.reshape(x, (-1, rows, columns, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of :meth:`call`'s result."""
        batch, height, width, channels = input_shape
        return batch, self.side, self.side * width // height, channels  # type: ignore[operator]

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "side": self.side}


def _triangles(size: int, wanted: int) -> NDArray[np.float32]:
    """(wanted, size): what each sample of a line adds to each of a resized line."""
    scale = size / wanted
    centres = (np.arange(wanted) + 0.5) * scale - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(size) - centres[:, None]) / max(scale, 1.0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@keras.saving.register_keras_serializable(package="faceswap")
class RepeatSides(layers.Layer):
    """Makes pictures wider by repeating their outermost columns."""

    def __init__(self, columns: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = columns

    def call(self, inputs: Any) -> Any:
        """(n, h, w, c) -> (n, h, w + 2 columns, c)."""
        first, last = inputs[:, :, :1], inputs[:, :, -1:]
        return ops.concatenate([*[first] * self.columns, inputs, *[last] * self.columns], axis=2)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of :meth:`call`'s result."""
        batch, height, width, channels = input_shape
        return batch, height, width and width + 2 * self.columns, channels

    def get_config(self) -> dict[str, Any]:
        """What makes the layer anew."""
        return {**super().get_config(), "columns": self.columns}


@keras.saving.register_keras_serializable(package="faceswap")
class ICNR(keras.initializers.Initializer):
    """Of a convolution before a pixel shuffle: the four pixels of a block begin alike, so that no grid has to be
    unlearnt (Aitken et al., arXiv:1707.02937)."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """(h, w, c, 4 f): a kernel for f filters, four times."""
        one = keras.initializers.GlorotUniform()((*shape[:-1], shape[-1] // 4), dtype)
        return ops.tile(one, (1, 1, 1, 4))  # a block's pixel is the outermost part of the channel's number


@keras.saving.register_keras_serializable(package="faceswap")
class ColourConv2D(layers.Conv2D):
    """A convolution to a few colours.

    On a GPU empty filters fill them up to a multiple of eight, since there are fast kernels for that many only; the
    weights are those of a plain convolution.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """(n, h, w, c) -> (n, h, w, filters), without bias."""
        lacking = -self.filters % 8
        if not lacking or not device().accelerated:
            return super().convolution_op(inputs, kernel)
        filled = ops.pad(kernel, [(0, 0), (0, 0), (0, 0), (0, lacking)])
        return super().convolution_op(inputs, filled)[..., : self.filters]


class _Blocks:
    """The building blocks of one network, with what its preset and its dtype policy say."""

    def __init__(self, preset: Preset, dtype: str) -> None:
        self.slope, self.icnr, self.dtype = preset.slope, preset.icnr, dtype

    def conv(
        self,
        x: Any,
        filters: int,
        kernel: int,
        strides: int = 1,
        initializer: Any = None,
        layer: type[layers.Conv2D] = layers.Conv2D,
    ) -> Any:
        return layer(
            filters,
            kernel,
            strides=strides,
            padding="same",
            kernel_initializer=initializer or "glorot_uniform",
            dtype=self.dtype,
        )(x)

    def shuffled(self, x: Any, filters: int, activated: bool = True) -> Any:
        kind = layers.Conv2D if activated else ColourConv2D
        start = ICNR() if self.icnr else None
        x = self.conv(x, filters * 4, 3, initializer=start, layer=kind)  # (h, w, 4 filters)
        return PixelShuffle(dtype=self.dtype)(self.activate(x) if activated else x)  # (2 h, 2 w, filters)

    def activate(self, x: Any) -> Any:
        return layers.LeakyReLU(negative_slope=self.slope, dtype=self.dtype)(x)

    def residual(self, x: Any, filters: int) -> Any:
        y = self.conv(self.activate(self.conv(x, filters, 3)), filters, 3)
        return self.activate(layers.Add(dtype=self.dtype)([x, y]))


def build_encoder(preset: Preset, dtype: str = "float32") -> keras.Model:
    """The shared encoder: (n, size, size, 3) float in 0..1 -> (n, g, g or fewer columns, c) features.

    Between the two lies the dense code of width ``preset.bottleneck``. ``dtype`` is a Keras dtype policy.
    """
    blocks = _Blocks(preset, dtype)
    inputs = x = keras.Input((preset.size, preset.size, 3), name="crop")
    left, top, side = preset.encoder_window
    if side < preset.size:
        right, bottom = preset.size - side - left, preset.size - side - top
        x = layers.Cropping2D(((top, bottom), (left, right)), dtype="float32")(x)
    if preset.encoder_size:
        x = Resize(preset.encoder_size, dtype="float32")(x)
    if preset.normalize_input:
        x = StandardizeImage(dtype="float32")(x)
    for filters in preset.encoder_filters:
        x = blocks.activate(blocks.conv(x, filters, preset.encoder_kernel, strides=2))
    x = layers.Flatten(dtype=dtype)(x)
    x = layers.Dense(preset.bottleneck, name="bottleneck", dtype=dtype)(x)
    map_shape = preset.code_grid, preset.code_columns or preset.code_grid, preset.code_filters
    x = layers.Dense(math.prod(map_shape), dtype=dtype)(x)
    x = layers.Reshape(map_shape, dtype=dtype)(x)
    if preset.feature_grid:
        x = Resize(preset.feature_grid, dtype=dtype)(x)
    if preset.shared_filters:
        x = blocks.shuffled(x, preset.shared_filters)
    return keras.Model(inputs, x, name="encoder")


def split_encoder(encoder: keras.Model) -> tuple[keras.Model, keras.Model]:
    """An encoder in two, with the same weights: crops -> code (n, bottleneck), code -> features."""
    code = encoder.get_layer("bottleneck").output
    return keras.Model(encoder.input, code), keras.Model(code, encoder.output)


def build_decoder(preset: Preset, identity: str, dtype: str = "float32") -> keras.Model:
    """One identity's decoder: the encoder's features -> (n, size, size, 3) float32 in 0..1."""
    blocks = _Blocks(preset, dtype)
    side = (preset.feature_grid or preset.code_grid) * (2 if preset.shared_filters else 1)
    columns = side * (preset.code_columns or preset.code_grid) // preset.code_grid
    inputs = x = keras.Input((side, columns, preset.shared_filters or preset.code_filters), name="features")
    counts = preset.residual or (0,) * len(preset.decoder_filters)
    for filters, count in zip(preset.decoder_filters, counts, strict=True):
        x = blocks.shuffled(x, filters)
        for _ in range(count):
            x = blocks.residual(x, filters)
    if preset.head == "shuffle":
        x = blocks.shuffled(x, 3, activated=False)
    else:
        x = blocks.conv(x, 3, 5)
    # float32 also under mixed precision: the picture is the output
    outputs = layers.Activation("sigmoid", dtype="float32")(x)
    if columns < side:
        outputs = RepeatSides(preset.geometry.beside, dtype="float32")(outputs)
    # TensorFlow takes no other letters in names; who it is says the file and the version
    plain = re.sub(r"[^\w.-]", "_", identity, flags=re.ASCII)
    return keras.Model(inputs, outputs, name=f"decoder_{plain}")
