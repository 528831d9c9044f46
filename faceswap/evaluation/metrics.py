"""Measures of a swap: pure functions on arrays.

Pictures are (H, W, 3) uint8 RGB; errors are on a scale of 0..1. Where a measure has no meaning (the correlation
of a series that does not vary, a mean over nothing) it is NaN, never silently 0 or 1.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import detail_of
from faceswap.faces.geometry import Geometry, Points

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]

SHARPNESS_VIEW = Geometry(size=128, coverage=1.5)
"""The one view in which sharpness is measured, so that networks of different sizes compare."""

_SSIM_SIGMA, _SSIM_SIDE = 1.5, 11
_C1, _C2 = 0.01**2, 0.03**2


def identity_distances(embeddings: Floats, mean_embedding: Floats) -> Floats:
    """(n,) Euclidean distances of (n, 128) embeddings to a mean embedding; the same person below about 0.6."""
    return np.linalg.norm(np.atleast_2d(embeddings) - mean_embedding, axis=1)


def nearest_identities(embeddings: Floats, identities: Mapping[str, Floats]) -> list[str]:
    """For each of (n, 128) embeddings the identity whose mean embedding is nearest."""
    names = list(identities)
    means = np.stack([identities[name] for name in names])
    distances = np.linalg.norm(np.atleast_2d(embeddings)[:, None] - means[None], axis=2)
    return [names[i] for i in distances.argmin(1)]


def correlation(a: Floats, b: Floats, noise: float = 0.0) -> float:
    """Pearson's correlation of two (n,) series, over the pairs that are both finite.

    NaN where it is undefined: fewer than 3 pairs, a series that does not vary at all, or a first series whose
    standard deviation is not above ``noise``, its error of measurement: noise correlates with nothing, and that
    must not be read as "nothing was transferred".
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    good = np.isfinite(a) & np.isfinite(b)
    a, b = a[good], b[good]
    if len(a) < 3 or np.ptp(a) < 1e-9 or np.ptp(b) < 1e-9 or a.std() <= noise:
        return float("nan")
    return float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))


def mean_error(a: Floats, b: Floats) -> float:
    """Mean absolute difference of two arrays of equal shape over their finite pairs; NaN without any."""
    difference = np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64))
    difference = difference[np.isfinite(difference)]
    return float(difference.mean()) if difference.size else float("nan")


def mean_distance(a: Floats, b: Floats) -> float:
    """Mean distance of the points (n, 2) to those of another array, over the finite ones; NaN without any."""
    return mean_error(np.linalg.norm(np.asarray(a, np.float64) - b, axis=1), np.zeros(len(a)))


def pose_error_degrees(a: Floats, b: Floats) -> float:
    """Mean absolute difference of (n, 3) yaw, pitch and roll in degrees, the short way round; NaN without any."""
    turned = (np.asarray(a, np.float64) - np.asarray(b, np.float64) + 180) % 360 - 180
    return mean_error(turned, np.zeros_like(turned))


def mae(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
    """Mean absolute error of two pictures (or stacks of them) of equal shape, uint8 or float 0..1; 0..1."""
    return float(np.abs(unit(a) - unit(b)).mean())


def psnr(a: NDArray[np.generic], b: NDArray[np.generic], mask: NDArray[np.bool_] | None = None) -> float:
    """Peak signal-to-noise ratio in dB, within a (H, W) mask if given; infinite for equal pictures."""
    square = (unit(a) - unit(b)) ** 2
    mean = float((square[mask] if mask is not None else square).mean())
    return float("inf") if mean == 0 else float(-10 * np.log10(mean))


def ssim(a: NDArray[np.generic], b: NDArray[np.generic], mask: NDArray[np.bool_] | None = None) -> float:
    """Structural similarity of two pictures of equal shape: 1 equal, 0 unrelated, below 0 inverted.

    Wang, Bovik, Sheikh & Simoncelli, "Image quality assessment: from error visibility to structural similarity"
    (2004): 11x11 Gaussian of deviation 1.5, K1 = 0.01, K2 = 0.03; the mean over all channels and over all places
    where the window lies inside the picture (or, with a (H, W) mask, over the mask's places).

    Raises:
        ValueError: the shapes differ, or the pictures are smaller than the window.
    """
    x, y = unit(a), unit(b)
    if x.shape != y.shape or min(x.shape[:2]) < _SSIM_SIDE:
        raise ValueError(
            f"SSIM needs pictures of one shape and at least 11 x 11 px, not {x.shape} and {y.shape}"
        )
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    both = _window(x * y) - mean_x * mean_y
    light = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    structure = (2 * both + _C2) / (var_x + var_y + _C2)
    similar = light * structure
    inner = _SSIM_SIDE // 2
    if mask is None:
        return float(similar[inner:-inner, inner:-inner].mean())
    return float(similar[mask].mean()) if mask.any() else float("nan")


def _window(x: Floats) -> Floats:
    return cv2.GaussianBlur(x, (_SSIM_SIDE, _SSIM_SIDE), _SSIM_SIGMA, borderType=cv2.BORDER_REFLECT_101)


def laplacian_variance(frame: Image, landmarks: Points) -> float:
    """Variance of the Laplacian of the inner face, relative to the square of its mean grey level.

    The face is aligned to one fixed view (128 px at a coverage of 1.5 face heights) and only its middle three
    fifths are looked at, so that neither the network's size nor the mask's edge counts.

    Args:
        frame: (H, W, 3) uint8 RGB.
        landmarks: (68, 2) in the frame.
    """
    view = SHARPNESS_VIEW.crop(frame, SHARPNESS_VIEW.matrix(landmarks))
    return detail_of(view)


def sharpness_ratio(swaps: Sequence[float], real: Sequence[float]) -> float:
    """Median Laplacian variance of the swaps over that of real faces: 1 as sharp, less is blurred; NaN if unknown."""
    if not len(swaps) or not len(real) or float(np.median(real)) <= 0:
        return float("nan")
    return float(np.median(swaps) / np.median(real))


def flicker(originals: Sequence[Image], swaps: Sequence[Image], masks: Sequence[NDArray[np.bool_]]) -> float:
    """How much more the swapped area changes from frame to frame than the target's own; 0..1, 0: no more than it.

    For each pair of neighbouring frames: the mean absolute change of the swap less that of the target, at least
    0, over the pixels that are masked in both frames; then the mean over the pairs.

    Args:
        originals, swaps: consecutive frames of equal shape, (H, W, 3) uint8 RGB.
        masks: (H, W) where each frame was swapped.
    """
    excess: list[float] = []
    for i in range(1, len(swaps)):
        where = masks[i] & masks[i - 1]
        if not where.any():
            continue
        moved = [np.abs(unit(s[i][where]) - unit(s[i - 1][where])).mean() for s in (swaps, originals)]
        excess.append(max(0.0, float(moved[0] - moved[1])))
    return float(np.mean(excess)) if excess else float("nan")


def unit(picture: NDArray[np.generic]) -> Floats:
    """A picture as float64 in 0..1: uint8 is divided by 255, floats are taken as they are."""
    values = picture.astype(np.float64)
    return values / 255 if picture.dtype == np.uint8 else values
