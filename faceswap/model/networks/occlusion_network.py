"""A small network that sees what lies over a face: hands, glasses, hair, objects.

It was learnt on fictional people only (:mod:`faceswap.model.priors.occlusion_training`) and comes with the package. A U-Net
(Ronneberger, Fischer & Brox, 2015) with batch normalization.
"""

from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from faceswap.errors import TrainingError
from faceswap.faces.geometry import Geometry
from faceswap.model import weights
from faceswap.model.networks.predictor import Predictor

NAME = "occlusion"
"""Of its weights."""
VIEW = Geometry(96, 1.5)
"""The crop that it reads, whatever the preset of the swap."""
_FULL, _DOWN = 12, (24, 48, 64, 96)
"""Filters at full size and at each half of it."""
_REMEDY = "delete it, or make it anew with `faceswap learn-occlusion`"


def build_occlusion_network() -> keras.Model:
    """(n, 96, 96, 3) float RGB in 0..1 -> (n, 96, 96, 1): how surely the face is hidden there, 0..1."""
    crops = keras.Input((VIEW.size, VIEW.size, 3))
    x = _convolved(layers.Rescaling(2.0, -1.0)(crops), _FULL)
    seen = [x]
    for filters in _DOWN:
        x = _convolved(_convolved(x, filters, 2), filters)
        seen.append(x)
    for filters, same_size in zip((*_DOWN[-2::-1], _FULL), seen[-2::-1], strict=True):
        x = layers.UpSampling2D(interpolation="bilinear")(x)
        x = _convolved(layers.Concatenate()([x, same_size]), filters)
    return keras.Model(crops, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x), name=NAME)


def _convolved(x: keras.KerasTensor, filters: int, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))


class OcclusionNetwork:
    """The network with its weights, for crops of :data:`VIEW`; safe to call from several threads.

    Args:
        model: of :func:`build_occlusion_network`.
    """

    geometry = VIEW

    def __init__(self, model: keras.Model) -> None:
        self._predict = Predictor(model)

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 96, 96, 3) uint8 RGB -> (n, 96, 96) float32: how surely the face is hidden there, 0..1.

        Outside of a face's outline it says nothing of use.
        """
        return self._predict(crops)[..., 0]


def occlusion_network() -> OcclusionNetwork:
    """The network, read once a process: the user's own weights if there are any, else those of the package.

    Raises:
        TrainingError: the weights are missing, damaged, or of another architecture.
    """
    path = weights.find(NAME)
    if path is None:
        raise TrainingError(
            f"There are no weights at {weights.made_at(NAME)}, nor in the package",
            "install the package again, or make them with `faceswap learn-occlusion`",
        )
    return _read(path)


@lru_cache(maxsize=2)
def _read(path: Path) -> OcclusionNetwork:
    model = build_occlusion_network()
    arrays = weights.read(path, _REMEDY)
    try:
        model.set_weights([arrays[key] for key in sorted(arrays)])
    except ValueError as error:
        raise TrainingError(f"The weights {path} are of another network", _REMEDY) from error
    return OcclusionNetwork(model)


def save_occlusion_network(model: keras.Model, path: Path, about: dict[str, object]) -> str:
    """Write its weights atomically; returns the file's digest."""
    arrays = {f"{index:03d}": np.asarray(array) for index, array in enumerate(model.get_weights())}
    return weights.write(path, arrays, about)
