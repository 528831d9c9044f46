"""What another process needs to swap as this one does: it loads the versions from the registry by itself."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from faceswap import registry
from faceswap.errors import ClusterError, RegistryError, SettingsError, TrackingError
from faceswap.faces.finding.finder import finder_named
from faceswap.faces.finding.finder_names import Detector
from faceswap.registry import Card, LoadedVersion, Version
from faceswap.settings import settings
from faceswap.swap.assignment import Reference
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper


@dataclass(frozen=True)
class Recipe:
    """What a worker needs to make the swapper of another machine.

    Attributes:
        versions: the references, the first for everybody if it has no person.
        weights: digests of each one's encoder and decoder.
        people: for each the embedding of the person who gets it; None: everybody.
        options: of the swap.
        detector: what finds faces.
    """

    versions: tuple[Version, ...]
    weights: tuple[tuple[str, str], ...]
    people: tuple[tuple[float, ...] | None, ...]
    options: SwapOptions
    detector: Detector

    @classmethod
    def of(cls, versions: Sequence[LoadedVersion], swapper: Swapper) -> "Recipe":
        """That of a swapper of this machine.

        Raises:
            SettingsError: a version is not in the registry.
        """
        named = tuple(one.version for one in versions if one.version is not None)
        if len(named) < len(versions):
            raise SettingsError("Workers load versions from the registry", "register the version")
        matches = [reference.match for reference in swapper.references]
        return cls(
            named,
            tuple(_weights(one.card) for one in versions),
            tuple(None if match is None else tuple(match.tolist()) for match in matches),
            swapper.options,
            settings().detector,
        )

    def swapper(self) -> Swapper:
        """The same swapper on a worker.

        Raises:
            ClusterError: the worker does not reach the registry, or reaches another one.
            ConsentError: one of the references has withdrawn.
        """
        networks = [
            self._loaded(version, weights).network
            for version, weights in zip(self.versions, self.weights, strict=True)
        ]
        people = [None if person is None else np.array(person) for person in self.people]
        rest = [Reference(*one) for one in zip(networks[1:], people[1:], strict=True)]
        finder = finder_named(self.detector, self.options.min_face)
        return Swapper(networks[0], finder, self.options, match=people[0], others=rest)

    @staticmethod
    def _loaded(version: Version, weights: tuple[str, str]) -> LoadedVersion:
        fix = "give the workers the FACESWAP_TRACKING_URI of the machine that swaps"
        host = socket.gethostname()
        try:
            loaded = registry.load(version)
        except (RegistryError, TrackingError) as error:
            raise ClusterError(f"The worker {host} can't load {version}: {error.message}", fix) from error
        if _weights(loaded.card) != weights:
            raise ClusterError(f"The worker {host} knows another {version}, from another registry", fix)
        return loaded


@lru_cache(maxsize=1)
def swapper_of(recipe: Recipe) -> Swapper:
    """A recipe's, kept from piece to piece; its networks ask for consent at each use."""
    return recipe.swapper()


def forget() -> None:
    """Let go of the last swapper, whose networks hold a likeness."""
    swapper_of.cache_clear()


def _weights(card: Card) -> tuple[str, str]:
    return card.encoder_digest, card.decoder_digest
