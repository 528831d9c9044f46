"""A trained encoder and one decoder as one Keras model: crops in, crops of the reference out.

What swaps uses ONNX Runtime (:mod:`faceswap.inference.onnx_graph`); this is what its graph is made of.
"""

import keras
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import UNMEASURED, Crispness
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry
from faceswap.inference.code_range import CodeRange
from faceswap.inference.code_range_layer import Within
from faceswap.model.networks.architecture import split_encoder
from faceswap.model.networks.predictor import Predictor


def joined(encoder: keras.Model, decoder: keras.Model, codes: CodeRange | None = None) -> keras.Model:
    """(n, S, S, 3) float RGB in 0..1 -> (n, S, S, 3) float32 RGB in 0..1.

    Args:
        encoder, decoder: Keras models that fit each other.
        codes: where the decoder's identity has its codes: others are drawn back to there; None: codes stay.
    """
    features = encoder.output
    if codes is not None:
        to_code, to_features = split_encoder(encoder)
        features = to_features(Within(codes)(to_code.output))
    return keras.Model(encoder.input, decoder(features))


class DecoderNetwork:
    """:func:`joined` behind the protocol that the swapper wants; safe to call from several threads.

    Args:
        encoder, decoder, codes: as for :func:`joined`.
        geometry: the crop that they read and write.
        crispness: how much their pictures have to be sharpened.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        geometry: Geometry,
        crispness: Crispness = UNMEASURED,
        codes: CodeRange | None = None,
    ) -> None:
        self.geometry, self.crispness = geometry, crispness
        self.fine_detail: FineDetail | None = None
        self._predict = Predictor(joined(encoder, decoder, codes))

    @property
    def nbytes(self) -> int:
        """Bytes that the weights take."""
        return sum(variable.numpy().nbytes for variable in self._predict.model.variables)

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, s, s, 3) uint8 RGB -> (n, s, s, 3) float32 in 0..1."""
        return self._predict(crops)
