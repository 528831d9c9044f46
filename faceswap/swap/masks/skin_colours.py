"""What is skin, told by the colours of the face itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SkinTuning:
    """Constants of the skin's colours; not measured, but for those that follow from the Gaussian distribution."""

    samples: int = 1024
    """Pixels of skin that are enough to learn its colours from."""
    mad: float = 1.4826
    """Standard deviation of a Gaussian over its median absolute deviation."""
    inner_variance: float = 0.4
    """Variance of the inner half of a Gaussian in three dimensions, as a share of the whole one's."""
    noise: tuple[float, float, float] = (3.0, 1.5, 1.5)
    """Standard deviations in Lab that any skin is taken to have at least."""
    outlier: float = 3.0
    """Standard deviations beyond which a sample no longer counts."""
    rounds: int = 3
    """Times that the colours are learned again without the outliers."""
    least_samples: int = 16
    """Samples below which a round is not trusted."""


TUNING = SkinTuning()


def distance_from_skin(lab: Floats, skin: NDArray[np.bool_]) -> Floats:
    """How far each pixel's colour is from the skin's, in standard deviations (Mahalanobis).

    Learned on the half of the skin that is nearest to its median and then again on what fits (a short form of the
    minimum covariance determinant, Rousseeuw & Van Driessen, 1999), so that an occluder does not teach its colours.

    Args:
        lab: (S, S, 3) float32, CIE Lab.
        skin: (S, S) where most pixels are skin, at least some dozens.

    Returns:
        (S, S) float32, 0 or more.
    """
    samples = lab[skin][:: max(1, int(skin.sum()) // TUNING.samples)].astype(np.float64)
    middle = np.median(samples, axis=0)
    spread = np.median(np.abs(samples - middle), axis=0) * TUNING.mad + 1.0
    away = np.linalg.norm((samples - middle) / spread, axis=1)
    kept = samples[away <= np.median(away)]
    noise = np.diag(TUNING.noise) ** 2
    covariance = np.cov(kept, rowvar=False) / TUNING.inner_variance
    for _ in range(TUNING.rounds):
        covariance = covariance + noise
        distance = _mahalanobis(samples, kept.mean(0), covariance)
        kept = samples[distance < TUNING.outlier]
        if len(kept) < TUNING.least_samples:
            break
        middle, covariance = kept.mean(0), np.cov(kept, rowvar=False)
    covariance = covariance + noise
    return _mahalanobis(lab.reshape(-1, 3), middle, covariance).reshape(lab.shape[:2]).astype(np.float32)


def _mahalanobis(
    samples: NDArray[np.float64] | Floats, mean: NDArray[np.float64], covariance: NDArray[np.float64]
) -> Floats:
    whitened = (samples - mean).astype(np.float32) @ np.linalg.cholesky(np.linalg.inv(covariance)).astype(
        np.float32
    )
    return np.linalg.norm(whitened, axis=1)
