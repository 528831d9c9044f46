"""Codes of a target moved to where the reference's own codes lie.

Though all identities share the encoder, each one's codes fill their own cloud: some of light, background and build
stays in them. A decoder has only seen its own cloud, and draws a mouth from a code beside it less surely. So the code
is shifted and scaled, per dimension, from the cloud it comes from to the reference's, the closed form of optimal
transport between Gaussians with diagonal covariances (as adaptive instance normalization does with features: Huang &
Belongie, arXiv:1703.06868). Which cloud it comes from, linear discriminant analysis tells from the code itself; a
stranger is treated as those of the run whom the code resembles.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry
from faceswap.model.clouds import FLOOR, CodeCloud, fit_clouds
from faceswap.model.dataset import Faces

_SAMPLES = 400
_GAIN = (0.5, 2.0)
"""A dimension's spread is changed at most by these factors."""

CODE = "bottleneck"
"""Name of the encoder's layer that gives the code."""


def clouds_of(
    encoder: keras.Model, face_sets: Mapping[str, Faces], geometry: Geometry
) -> dict[str, CodeCloud]:
    """The clouds of all identities of a run, from at most 400 training faces of each.

    Args:
        encoder: with a layer ``bottleneck``.
        face_sets: identity -> its faces.
        geometry: the crop that the encoder reads.

    Returns:
        by identity; empty for a single one, which nothing is moved from or to.
    """
    if len(face_sets) < 2:
        return {}
    reader = keras.Model(encoder.input, encoder.get_layer(CODE).output)
    return fit_clouds({name: _codes(reader, faces, geometry) for name, faces in face_sets.items()})


def _codes(reader: keras.Model, faces: Faces, geometry: Geometry) -> NDArray[np.float64]:
    images, landmarks = faces.images("train"), faces.landmarks("train")
    chosen = np.unique(np.linspace(0, len(images) - 1, min(len(images), _SAMPLES)).round().astype(int))
    crops = np.stack([geometry.crop(images[i], geometry.matrix(landmarks[i])) for i in chosen])
    return np.asarray(reader.predict(crops / np.float32(255), batch_size=32, verbose=0), np.float64)


class Transport(layers.Layer):
    """(n, d) codes of anybody -> (n, d) codes that lie where the reference's do.

    Args:
        clouds: of all identities.
        reference: the identity they are moved to.
    """

    def __init__(self, clouds: Mapping[str, CodeCloud], reference: str) -> None:
        super().__init__(name="transport", dtype="float32", trainable=False)
        own = clouds[reference]
        spread = np.maximum([cloud.deviation for cloud in clouds.values()], FLOOR)
        gain = np.clip(np.asarray(own.deviation) / spread, *_GAIN)
        offset = np.asarray(own.mean) - gain * np.array([cloud.mean for cloud in clouds.values()])
        self._gain, self._offset = gain.astype(np.float32), offset.astype(np.float32)
        self._directions = np.array([c.direction for c in clouds.values()], np.float32).T
        self._biases = np.array([c.bias for c in clouds.values()], np.float32)

    def call(self, codes: Any) -> Any:
        """Each cloud's map, weighted by the probability that the code comes from it."""
        origin = ops.softmax(ops.matmul(codes, self._directions) + self._biases, axis=-1)
        return codes * ops.matmul(origin, self._gain) + ops.matmul(origin, self._offset)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """That of the codes."""
        return input_shape


def transported(encoder: keras.Model, clouds: Mapping[str, CodeCloud], reference: str) -> Any:
    """The encoder's features with the code moved to the reference's cloud: a Keras tensor of ``encoder.input``."""
    index = [layer.name for layer in encoder.layers].index(CODE)
    x = Transport(clouds, reference)(encoder.layers[index].output)
    for layer in encoder.layers[index + 1 :]:
        x = layer(x)
    return x
