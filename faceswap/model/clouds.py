"""Where each identity's codes lie; a version's card keeps it (no Keras here: cards are read without it)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

_SHRINK = 0.1
"""Share of a round covariance that is mixed in: there are fewer faces than dimensions (Ledoit & Wolf, 2004)."""
FLOOR = 1e-6
"""Least deviation of a dimension: it may be the same for all faces."""


class CodeCloud(BaseModel):
    """Where one identity's codes lie: (d,) mean and deviation, and the discriminant ``code @ direction + bias``."""

    model_config = ConfigDict(frozen=True)

    mean: list[float]
    deviation: list[float]
    direction: list[float]
    bias: float


def fit_clouds(codes: Mapping[str, NDArray[np.float64]]) -> dict[str, CodeCloud]:
    """Means, deviations and linear discriminants with one covariance for all; codes (n, d) by identity."""
    means = {name: values.mean(0) for name, values in codes.items()}
    within = np.concatenate([values - means[name] for name, values in codes.items()])
    covariance = within.T @ within / len(within)
    level = max(float(np.trace(covariance)) / len(covariance), FLOOR)
    covariance = (1 - _SHRINK) * covariance + _SHRINK * level * np.eye(len(covariance))
    clouds = {}
    for name, values in codes.items():
        direction = np.linalg.solve(covariance, means[name])
        clouds[name] = CodeCloud(
            mean=means[name].tolist(),
            deviation=values.std(0).tolist(),
            direction=direction.tolist(),
            bias=float(-0.5 * means[name] @ direction),
        )
    return clouds
