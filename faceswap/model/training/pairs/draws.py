"""The random numbers of a batch, apart from what is made of them: host and device draw the same pairs from them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from faceswap.model.presets import Augmentation

KNOTS = 5
"""The random warp moves a grid of 5 x 5 points, as the tutorial does."""
_FADED = 0.3
"""Share of the tinted inputs that also lose colour."""
NOBODY = -1


class PairDraws(NamedTuple):
    """What varies a pair; all arrays have the same leading axes. "Even" numbers are uniform in -1..1.

    Attributes:
        similarity: (…, 4) float32, even: rotation, scale, shift in x and y.
        mirrored: (…,) bool.
        noise: (…, 5, 5, 2) float32, standard normal: the warp's points in y, x; their shift in x and y.
        tint: (…, 4) float32, even: gains of red, green and blue, brightness.
        fade: (…,) float32, 0..1: how much of the input's colour is left.
        colour: (…, 5) float32, even: common gain, gains of red, green and blue, brightness.
    """

    similarity: Any
    mirrored: Any
    noise: Any
    tint: Any
    fade: Any
    colour: Any


class BatchDraws(NamedTuple):
    """What a batch is made of.

    Attributes:
        face: (N, n) int32: which of the identity's faces.
        other: (N, n) int32: whose surroundings the input gets; -1: it keeps its own.
        other_face: (N, n) int32: which of the other's faces.
        pairs: with leading axes (N, n).
    """

    face: Any
    other: Any
    other_face: Any
    pairs: PairDraws


def draw_pairs(
    rng: np.random.Generator, augmentation: Augmentation, shape: tuple[int, ...] = ()
) -> PairDraws:
    """The random numbers of one pair, or of many."""

    def even(*size: int) -> Any:
        return rng.uniform(-1, 1, (*shape, *size)).astype(np.float32)

    faded = rng.random(shape) < _FADED
    return PairDraws(
        similarity=even(4),
        mirrored=np.asarray(rng.random(shape) < augmentation.flip),
        noise=rng.standard_normal((*shape, KNOTS, KNOTS, 2), np.float32),
        tint=even(4),
        fade=np.where(faded & bool(augmentation.tint), rng.random(shape), 1).astype(np.float32),
        colour=even(5),
    )


def draw_batch(
    seed: int, step: int, faces: Sequence[int], count: int, augmentation: Augmentation
) -> BatchDraws:
    """The random numbers of a step's batch: they depend on nothing else.

    Args:
        seed, step: of the run.
        faces: how many each of the N identities has.
        count: n, pairs of each identity.
        augmentation: shares of mirrored pairs and of those with other surroundings.
    """
    rng = np.random.default_rng((seed, step))
    identities = len(faces)
    many, shape = np.asarray(faces), (identities, count)
    face = rng.integers(0, many[:, None], shape, np.int32)
    other, other_face = np.full(shape, NOBODY, np.int32), np.zeros(shape, np.int32)
    if identities > 1:
        places = rng.integers(1, identities, shape)
        whose = (np.arange(identities)[:, None] + places) % identities
        other = np.where(rng.random(shape) < augmentation.surroundings, whose, NOBODY).astype(np.int32)
        other_face = rng.integers(0, many[whose], shape, np.int32)
    return BatchDraws(face, other, other_face, draw_pairs(rng, augmentation, shape))


def of_pair(pairs: PairDraws, *index: int) -> PairDraws:
    """One pair's part."""
    return PairDraws(*(array[index] for array in pairs))
