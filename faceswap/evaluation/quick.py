"""How good the swaps are while a model trains: a few held-out frames of every pair."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation.means import mean_measures
from faceswap.evaluation.model_decoder import ModelDecoder, OwnCrops
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.protocol import evaluate_pair
from faceswap.faces.faceset import FaceSet
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.geometry import Geometry
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.more_views import ONLY_PICTURES, MoreViews
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper

_ENOUGH_PAIRS = 6
_FRAMES = 6


def balanced_pairs(names: Sequence[str], enough: int) -> list[tuple[str, str]]:
    """(reference, target) of different people, so that each is reference and target equally often.

    All stand in a circle, and each is put on the one so many places on: a round of N pairs for every distance. Rounds
    are added until there are ``enough`` pairs, or every ordered pair is there.
    """
    found: list[tuple[str, str]] = []
    for distance in range(1, len(names)):
        if len(found) < enough:
            found += [(name, names[(i + distance) % len(names)]) for i, name in enumerate(names)]
    return found


class SwapQuality:
    """Measures the swaps of a model in training; about a second a pair.

    Args:
        face_sets: identity -> face set, in the order of the decoders.
        identities: identity -> mean embedding.
        finder: detects and embeds, to measure with; swaps read landmarks as users' do.
        views: what each identity is learnt from besides its pictures.
    """

    def __init__(
        self,
        face_sets: Mapping[str, FaceSet],
        identities: Mapping[str, NDArray[np.float64]],
        finder: FaceFinder,
        views: Mapping[str, MoreViews] = MappingProxyType({}),
    ) -> None:
        self.face_sets, self.identities = face_sets, dict(identities)
        self.finder, self.views = finder, views
        self._own: dict[tuple[str, Geometry], OwnCrops] = {}

    def network(self, model: Autoencoders, reference: str) -> ModelDecoder:
        """The network that generates the reference's face with the model as it is now."""
        key = reference, model.preset.geometry
        if key not in self._own:
            faces, geometry = self.face_sets[reference], model.preset.geometry
            self._own[key] = OwnCrops.of(faces, geometry, self.views.get(reference, ONLY_PICTURES))
        return ModelDecoder(model, list(self.face_sets).index(reference), self._own[key])

    def swapper(self, model: Autoencoders, reference: str) -> Swapper:
        """What puts the reference on a face with the model as it is now; without a label."""
        return Swapper(self.network(model, reference), FaceFinder(), SwapOptions(label=False))

    def pairs(
        self,
        model: Autoencoders,
        frames: int = _FRAMES,
        reconstruct: bool = False,
        each_once: bool = False,
    ) -> list[PairResult]:
        """The evaluation protocol on so many held-out frames of each of :func:`balanced_pairs`.

        Args:
            each_once: each identity is reference once and target once.
            reconstruct: also measure how each reference's own held-out faces come back.
        """
        chosen = balanced_pairs(list(self.face_sets), 1 if each_once else _ENOUGH_PAIRS)
        return [
            evaluate_pair(
                self.swapper(model, reference).swap_face_masked,
                target=self.face_sets[target],
                reference=self.face_sets[reference],
                identities=self.identities,
                finder=self.finder,
                reconstruct=self.network(model, reference) if reconstruct else None,
                limit=frames,
            )
            for reference, target in chosen
        ]

    def __call__(self, model: Autoencoders) -> dict[str, float]:
        """Mean identity distance and lip-gap correlation over pairs, and ``score``: higher is better."""
        results = self.pairs(model, each_once=True)
        means = mean_measures(results)
        distance, lips = means["identity_distance"], means.get("lip_gap_correlation", float("nan"))
        score = -distance + (0.5 * lips if np.isfinite(lips) else 0.0)
        return {"swap_identity_distance": distance, "swap_lip_gap_correlation": lips, "score": score}
