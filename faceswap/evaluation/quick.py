"""How good the swaps are while a model trains: a few held-out frames of every pair."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation.protocol import evaluate_pair
from faceswap.faces.detection import FaceFinder
from faceswap.faces.faceset import FaceSet
from faceswap.faces.geometry import Geometry
from faceswap.model.autoencoders import Autoencoders
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper

_MAX_PAIRS = 6
_FRAMES = 6


class _Half:
    """One decoder of a model in training, as the network that a swapper wants."""

    def __init__(self, model: Autoencoders, index: int, geometry: Geometry) -> None:
        self.model, self.index, self.geometry = model, index, geometry

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.model.reconstruct(crops, self.index)


class SwapQuality:
    """Measures the swaps of a model in training; about a second a pair.

    Args:
        face_sets: identity -> face set, in the order of the decoders.
        identities: identity -> mean embedding.
        geometry: of the preset.
        finder: detects and embeds.
    """

    def __init__(
        self,
        face_sets: Mapping[str, FaceSet],
        identities: Mapping[str, NDArray[np.float64]],
        geometry: Geometry,
        finder: FaceFinder,
    ) -> None:
        self.face_sets, self.identities = face_sets, dict(identities)
        self.geometry, self.finder = geometry, finder

    def __call__(self, model: Autoencoders) -> dict[str, float]:
        """Mean identity distance and lip-gap correlation over pairs, and ``score``: higher is better."""
        names = list(self.face_sets)
        pairs = [(r, t) for r in names for t in names if r != t][:_MAX_PAIRS]
        options = SwapOptions(label=False)
        results = []
        for reference, target in pairs:
            swapper = Swapper(_Half(model, names.index(reference), self.geometry), self.finder, options)
            results.append(
                evaluate_pair(
                    swapper.swap_face,
                    target=self.face_sets[target],
                    reference=self.face_sets[reference],
                    identities=self.identities,
                    finder=self.finder,
                    limit=_FRAMES,
                )
            )
        distance = float(np.mean([r.identity_distance for r in results]))
        lips = float(np.nanmean([r.lip_gap_correlation for r in results] + [np.nan]))
        score = -distance + (0.5 * lips if np.isfinite(lips) else 0.0)
        return {"swap_identity_distance": distance, "swap_lip_gap_correlation": lips, "score": score}
