"""A small network that tells skin, hair, glasses and other things around a face apart.

It was learnt on fictional people only (:mod:`faceswap.model.priors.mask_training`) and comes with the package.
A U-Net (Ronneberger, Fischer & Brox, 2015) with batch normalization.
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from faceswap.errors import TrainingError
from faceswap.model import weights
from faceswap.model.segmentation_view import NAME, SEGMENTS, VIEW

_FULL, _DOWN = 12, (24, 48, 64, 96)
"""Filters at full size and at each half of it."""
_REMEDY = "delete it, or make it anew with `faceswap learn-masks`"


def build_segmentation_network() -> keras.Model:
    """(n, s, s, 3) float RGB in 0..1 -> (n, s, s, 4): how surely a pixel is each of the segments; sums to 1."""
    crops = keras.Input((VIEW.size, VIEW.size, 3))
    x = _convolved(layers.Rescaling(2.0, -1.0)(crops), _FULL)
    seen = [x]
    for filters in _DOWN:
        x = _convolved(_convolved(x, filters, 2), filters)
        seen.append(x)
    for filters, same_size in zip((*_DOWN[-2::-1], _FULL), seen[-2::-1], strict=True):
        x = layers.UpSampling2D(interpolation="bilinear")(x)
        x = _convolved(layers.Concatenate()([x, same_size]), filters)
    return keras.Model(
        crops, layers.Conv2D(len(SEGMENTS), 3, padding="same", activation="softmax")(x), name=NAME
    )


def _convolved(x: keras.KerasTensor, filters: int, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))


def read_segmentation_network(path: Path) -> keras.Model:
    """The network with the weights of a file.

    Raises:
        TrainingError: they are damaged, or of another architecture.
    """
    model = build_segmentation_network()
    arrays = weights.read(path, _REMEDY)
    try:
        model.set_weights([arrays[key] for key in sorted(arrays)])
    except ValueError as error:
        raise TrainingError(f"The weights {path} are of another network", _REMEDY) from error
    return model


def save_segmentation_network(model: keras.Model, path: Path, about: dict[str, object]) -> str:
    """Write its weights atomically; returns the file's digest."""
    arrays = {f"{index:03d}": np.asarray(array) for index, array in enumerate(model.get_weights())}
    return weights.write(path, arrays, about)
