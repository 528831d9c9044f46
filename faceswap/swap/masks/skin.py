"""What is skin, told by the colours of the face itself."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SAMPLES = 1024
"""Pixels of skin are enough to learn its colours from."""


def strangeness(lab: Floats, skin: NDArray[np.bool_]) -> Floats:
    """How far each pixel's colour is from the skin's, in standard deviations (Mahalanobis).

    Learned on the half of the skin that is nearest to its median and then again on what fits (a short form of the
    minimum covariance determinant, Rousseeuw & Van Driessen, 1999), so that an occluder does not teach its colours.

    Args:
        lab: (S, S, 3) float32, CIE Lab.
        skin: (S, S) where most pixels are skin, at least some dozens.

    Returns:
        (S, S) float32, 0 or more.
    """
    samples = lab[skin][:: max(1, int(skin.sum()) // _SAMPLES)].astype(np.float64)
    middle = np.median(samples, axis=0)
    spread = np.median(np.abs(samples - middle), axis=0) * 1.4826 + 1.0
    away = np.linalg.norm((samples - middle) / spread, axis=1)
    kept = samples[away <= np.median(away)]
    # the inner half of a Gaussian in three dimensions has 0.4 of its variance
    covariance = np.cov(kept, rowvar=False) / 0.4
    for _ in range(3):
        covariance = covariance + np.diag((3.0, 1.5, 1.5)) ** 2
        distance = _mahalanobis(samples, kept.mean(0), covariance)
        kept = samples[distance < 3]
        if len(kept) < 16:
            break
        middle, covariance = kept.mean(0), np.cov(kept, rowvar=False)
    covariance = covariance + np.diag((3.0, 1.5, 1.5)) ** 2
    return _mahalanobis(lab.reshape(-1, 3), middle, covariance).reshape(lab.shape[:2]).astype(np.float32)


def _mahalanobis(
    samples: NDArray[np.float64] | Floats, mean: NDArray[np.float64], covariance: NDArray[np.float64]
) -> Floats:
    whitened = (samples - mean).astype(np.float32) @ np.linalg.cholesky(np.linalg.inv(covariance)).astype(
        np.float32
    )
    return np.linalg.norm(whitened, axis=1)
