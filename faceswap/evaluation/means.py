"""The mean of a measure over several targets: one rule, for evaluations, promotions and searches."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from faceswap.evaluation.grading.measures import BY_KEY, MEASURES
from faceswap.evaluation.pair_result import PairResult

_LOST = 0.5
"""Share of the swaps in which a face is found, below which a pair counts as lost."""


def mean_measures(
    pairs: Iterable[PairResult], alongside: Iterable[PairResult | None] = ()
) -> dict[str, float]:
    """The means over pairs of all :data:`faceswap.evaluation.grading.measures.MEASURES`.

    A target that tells nothing of a measure (one who keeps the mouth shut, of the lips) is left out of its mean. What
    no target tells has no mean, and is not in the result. A pair whose swaps mostly show no face any more has
    nothing to measure by the version's own fault: it counts as the measure's worst value, so that a useless network
    never gains by being unmeasurable.

    Args:
        pairs: of one version, or of one network.
        alongside: the same targets with another version: a target that one of the two has no number for is left out
            for both, so that their means compare.
    """
    chosen = list(pairs)
    others: list[PairResult | None] = list(alongside) or [None] * len(chosen)
    found: dict[str, float] = {}
    for measure in MEASURES:
        values = [
            value
            for one, other in zip(chosen, others, strict=True)
            if math.isfinite(value := of_pair(one, measure.key))
            and (other is None or math.isfinite(of_pair(other, measure.key)))
        ]
        if values:
            found[measure.key] = float(np.mean(values))
    return found


def of_pair(pair: PairResult, key: str) -> float:
    """A pair's number; the worst one where its swaps show no face, NaN where the target tells nothing."""
    measure = BY_KEY[key]
    if pair.detection_rate < _LOST and measure.worst is not None:
        return measure.worst
    return float(getattr(pair, key))


def frames_of(pairs: Sequence[PairResult]) -> int:
    """The frames that a mean over pairs stands on: those of the target with the fewest."""
    return min((pair.frames for pair in pairs), default=0)
