"""The prior: weights that every training starts from, learnt from fictional people only.

``faceswap pretrain`` makes it from nothing (:mod:`faceswap.model.priors.pretraining`). Its arrays are float16.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry
from faceswap.model import weights
from faceswap.model.presets import Preset
from faceswap.model.training.autoencoders import Autoencoders

_MAP = "map"
"""In what a prior says of its origin: the view of its feature map."""


@dataclass(frozen=True)
class FeatureMap:
    """Where in the face the cells of a feature map lie.

    Attributes:
        shape: rows, columns, channels.
        geometry: of the crop that its rows fill, and its columns as far as it is generated.
    """

    shape: tuple[int, int, int]
    geometry: Geometry

    @classmethod
    def of(cls, preset: Preset) -> "FeatureMap":
        """That of a preset's encoder."""
        shape = preset.code_grid, preset.code_columns or preset.code_grid, preset.code_filters
        return cls(shape, preset.geometry)

    @classmethod
    def from_about(cls, about: dict[str, Any]) -> "FeatureMap":
        """That of a prior; those of before faces were whole say nothing, and had one view."""
        if _MAP not in about:
            return cls((12, 12, 64), Geometry(96, 1.5))
        return cls(tuple(about[_MAP]["shape"]), Geometry.from_dict(about[_MAP]["geometry"]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"shape": list(self.shape), "geometry": self.geometry.to_dict()}

    def moved_from(self, other: "FeatureMap", arrays: NDArray[Any]) -> NDArray[Any] | None:
        """Weights (…, cells * channels) that expand a code to ``other``, so that they expand it to this map.

        Each cell takes what the other map has at that place of the face, or at its border the nearest there is. None:
        the cells are not of the same size, or do not lie on each other.
        """
        cell, others = (m.geometry.coverage / m.shape[0] for m in (self, other))
        rows = (_top(self.geometry) - _top(other.geometry)) / cell
        columns = (other.shape[1] - self.shape[1]) / 2
        ours = self.shape[2] == other.shape[2] and abs(cell - others) < 1e-6
        if not ours or abs(rows - round(rows)) > 1e-3 or columns % 1:
            return None
        row, column = (
            np.clip(np.arange(count) + round(first), 0, most - 1)
            for count, first, most in zip(self.shape, (rows, columns), other.shape, strict=False)
        )
        cells = arrays.reshape(*arrays.shape[:-1], *other.shape)
        return np.asarray(cells[..., row, :, :][..., column, :].reshape(*arrays.shape[:-1], -1))


def _top(geometry: Geometry) -> float:
    return geometry.centre - geometry.coverage / 2


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
    return weights.write(path, arrays, about | {_MAP: FeatureMap.of(model.preset).to_dict()})


def take_prior(model: Autoencoders, path: Path) -> Taken:
    """Let a fresh model start from a prior.

    Weights whose shape differs (another bottleneck, say) stay as they are: the rest is still worth having. A prior
    that knows another part of the face is laid where that part is.

    Raises:
        TrainingError: the file is damaged.
    """
    arrays = _fitting(model, path)
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


def _fitting(model: Autoencoders, path: Path) -> weights.Arrays:
    arrays = weights.read(path, "delete it, or make it anew with `faceswap pretrain`")
    ours, theirs = FeatureMap.of(model.preset), FeatureMap.from_about(weights.about(path))
    if ours == theirs:
        return arrays
    for name, array in list(arrays.items()):
        if name.startswith("encoder/") and array.shape[-1] == np.prod(theirs.shape):
            moved = ours.moved_from(theirs, array)
            if moved is not None:
                arrays[name] = moved
        elif name.startswith("shape/"):  # offsets in sides of the crop
            arrays[name] = array * (theirs.geometry.coverage / ours.geometry.coverage)
    return arrays


def _networks(model: Autoencoders, decoders: list[keras.Model]) -> dict[str, list[Any]]:
    return {
        "encoder": [model.encoder],
        "shape": [model.reader.get_layer("shape")],
        "decoder": list(decoders),
    }
