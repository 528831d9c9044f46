"""Trained networks as files: written without optimizer or training head, read in safe mode."""

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from faceswap.errors import RegistryError
from faceswap.files.atomic import replacing_for_user
from faceswap.model.networks.architecture import build_decoder, build_encoder
from faceswap.model.presets import Preset
from faceswap.model.sizes import check_keras_file
from faceswap.model.training.autoencoders import Autoencoders


def export(model: Autoencoders, folder: Path) -> dict[str, str]:
    """Write ``encoder.keras`` and ``decoder_<identity>.keras`` in float32, without optimizer or training head.

    Returns:
        file name -> sha256 of the weights (not of the file: that holds dates).

    Raises:
        StorageError: the folder can't be written.
    """
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
    with replacing_for_user(path, "The trained network", "resume: the training itself is saved") as part:
        model.save(part)
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
        with path.open("rb") as file:
            check_keras_file(file)
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras, h5py and zlib raise whatever a damaged file leads them to
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise RegistryError(f"The model file {path} can't be loaded: {reason}") from error
    if digest is not None and weights_digest(model) != digest:
        raise RegistryError(
            f"The weights in {path} are not those that were registered",
            "try again, so that they are fetched anew; or register the version anew",
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
