"""The prior: weights that every training starts from, learnt from fictional people only.

``faceswap pretrain`` makes it from nothing (:mod:`faceswap.model.priors.pretraining`). Its arrays are float16.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from faceswap.model import weights
from faceswap.model.presets import Preset
from faceswap.model.training.autoencoders import Autoencoders


@dataclass(frozen=True)
class Taken:
    """What a training took from a prior: its digest, and the share of the weights that fitted (0..1)."""

    digest: str
    share: float


def prior_file(preset: Preset) -> Path | None:
    """The prior of a preset, its own or the one that it names: under the home folder if there is one, else the
    package's; None: none."""
    return weights.find(preset.name) or (weights.find(preset.prior) if preset.prior else None)


def save_prior(model: Autoencoders, decoder: str, path: Path, about: dict[str, Any]) -> str:
    """Write encoder, landmark head and one decoder of a model atomically; returns the file's digest.

    Args:
        model: trained on fictional people.
        decoder: the identity whose decoder all decoders will start from.
        path: ``.npz``.
        about: origin, as JSON.
    """
    arrays = {
        f"{network}/{index:03d}": np.asarray(array, np.float16)
        for network, own in _networks(model, [model.decoders[model.identities.index(decoder)]]).items()
        for index, array in enumerate(own[0].get_weights())
    }
    return weights.write(path, arrays, about)


def take_prior(model: Autoencoders, path: Path) -> Taken:
    """Let a fresh model start from a prior.

    Weights whose shape differs (another bottleneck, say) stay as they are: the rest is still worth having.

    Raises:
        TrainingError: the file is damaged.
    """
    arrays = weights.read(path, "delete it, or make it anew with `faceswap pretrain`")
    fitting = total = 0
    for name, networks in _networks(model, model.decoders).items():
        for network in networks:
            current = network.get_weights()
            offered = [arrays.get(f"{name}/{index:03d}") for index in range(len(current))]
            same = [
                old is not None and old.shape == own.shape for own, old in zip(current, offered, strict=True)
            ]
            network.set_weights(
                [
                    np.asarray(old, np.float32) if fits else own
                    for own, old, fits in zip(current, offered, same, strict=True)
                ]
            )
            fitting += sum(own.size for own, fits in zip(current, same, strict=True) if fits)
            total += sum(own.size for own in current)
    return Taken(weights.digest(path), fitting / total)


def _networks(model: Autoencoders, decoders: list[keras.Model]) -> dict[str, list[Any]]:
    return {
        "encoder": [model.encoder],
        "shape": [model.reader.get_layer("shape")],
        "decoder": list(decoders),
    }
