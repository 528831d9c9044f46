"""A trained encoder and one decoder as one network that swaps: crops in, crops of the reference out."""

import hashlib
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import RegistryError
from faceswap.faces.crispness import UNMEASURED, Crispness
from faceswap.faces.geometry import Geometry
from faceswap.inference.code_range import CodeRange, Within
from faceswap.model.networks.architecture import build_decoder, build_encoder, split_encoder
from faceswap.model.networks.predictor import Predictor
from faceswap.model.presets import Preset
from faceswap.model.training.autoencoders import Autoencoders


class DecoderNetwork:
    """Encoder and decoder behind the protocol that the swapper wants; safe to call from several threads.

    Args:
        encoder, decoder: Keras models that fit each other.
        geometry: the crop that they read and write.
        crispness: how much their pictures have to be sharpened.
        codes: where the decoder's identity has its codes: others are drawn back to there; None: codes stay.
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
        features = encoder.output
        if codes is not None:
            to_code, to_features = split_encoder(encoder)
            features = to_features(Within(codes)(to_code.output))
        self._draw = Predictor(keras.Model(encoder.input, decoder(features)))

    @property
    def nbytes(self) -> int:
        """Bytes that the weights take."""
        return sum(variable.numpy().nbytes for variable in self._draw.model.variables)

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, s, s, 3) uint8 RGB -> (n, s, s, 3) float32 in 0..1."""
        return self._draw(crops)


def export(model: Autoencoders, folder: Path) -> dict[str, str]:
    """Write ``encoder.keras`` and ``decoder_<identity>.keras`` in float32, without optimizer or training head.

    Returns:
        file name -> sha256 of the weights (not of the file: that holds dates).
    """
    folder.mkdir(parents=True, exist_ok=True)
    encoder = build_encoder(model.preset)
    encoder.set_weights(model.encoder.get_weights())
    digests = {"encoder.keras": _save(encoder, folder / "encoder.keras")}
    for identity, trained in zip(model.identities, model.decoders, strict=True):
        decoder = build_decoder(model.preset, identity)
        decoder.set_weights(trained.get_weights())
        name = f"decoder_{identity}.keras"
        digests[name] = _save(decoder, folder / name)
    return digests


def _save(model: keras.Model, path: Path) -> str:
    part = path.with_name(f".{os.getpid()}-{path.name}")
    model.save(part)
    part.replace(path)
    return weights_digest(model)


def weights_digest(model: keras.Model) -> str:
    """sha256 over the shapes and bytes of all weights, in order."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array, np.float32).tobytes())
    return digest.hexdigest()


def read_model(path: Path, digest: str | None = None) -> keras.Model:
    """Load a ``.keras`` file in safe mode (no code in it is run).

    Raises:
        RegistryError: it can't be read, or its weights are not those of the digest.
    """
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RegistryError(f"The model file {path} can't be loaded: {error}") from error
    if digest and weights_digest(model) != digest:
        raise RegistryError(
            f"The weights in {path} are not those that were registered", "delete it and load again"
        )
    return model


def copy_weights(model: Autoencoders, encoder: keras.Model, decoder: Any, preset: Preset) -> None:
    """Warm start: take the weights of a trained encoder and, for all identities, of one trained decoder (or None).

    Raises:
        RegistryError: the architectures differ.
    """
    try:
        model.encoder.set_weights(encoder.get_weights())
        for own in model.decoders if decoder is not None else []:
            own.set_weights(decoder.get_weights())
    except ValueError as error:
        raise RegistryError(
            f"The warm start has another architecture than preset {preset.name!r}",
            "start from a version that was trained with the same sizes, or train from scratch",
        ) from error
