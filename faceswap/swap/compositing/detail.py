"""The target's focus and grain: how blurred and how noisy it is, and a swap with as much of both."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_NOISE = np.array([(1, -2, 1), (-2, 4, -2), (1, -2, 1)], np.float32) / 6
"""Difference of two Laplacians: it cancels what is locally linear, and keeps white noise's standard deviation."""


@dataclass(frozen=True)
class DetailTuning:
    """Constants of focus and grain; not measured unless they follow from theory."""

    reblur: float = 1.0
    """Standard deviation, px, of the second blur by which the first is told."""
    strongest: float = 95.0
    """Percentile of the gradients from which on they count."""
    least_gradient: float = 0.02
    """Least gradient, of 1 a px, that counts as an edge."""
    sharpest: float = 0.45
    """Blur (standard deviation, px) of a crisp edge that is sampled by pixels."""
    difference: float = 0.42
    """Variance, px², that the central difference over two pixels and the sampling of a step add to an edge."""
    least_blur: float = 0.25
    """Variance, px², of the missing blur up to which a picture stays as it is."""
    mad: float = 1.4826
    """Standard deviation of a Gaussian over its median absolute value."""
    fewest: int = 64
    """Pixels below which no noise is measured."""
    least_grain: float = 0.3
    """Standard deviation, grey levels, of the missing noise up to which none is added."""
    shared_grain: float = 0.8
    """Share of the grain's deviation that all channels have in common: mostly brightness, as after demosaicing."""
    own_grain: float = 0.6
    """Share that each channel has for itself; the squares of both add up to 1."""


TUNING = DetailTuning()


def blur_of(crop: Floats, where: NDArray[np.bool_] | None = None) -> float:
    """How blurred the edges of a crop are: the standard deviation of the Gaussian, in px.

    The gradient of a blurred step falls by a known ratio when it is blurred once more (Zhuo & Sim, "Defocus map
    estimation from a single image", 2011); the median over the strongest twentieth of the gradients.

    Args:
        crop: (S, S, 3) float32 RGB, 0..1.
        where: (S, S) to look at; None: everywhere.

    Returns:
        px; 0 where there is no edge to measure.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(crop, np.float32), cv2.COLOR_RGB2GRAY)
    first, second = (_gradient(g) for g in (grey, cv2.GaussianBlur(grey, (0, 0), TUNING.reblur)))
    if where is not None:
        first, second = first[where], second[where]
    if first.size == 0:
        return 0.0
    strong = first >= max(float(np.percentile(first, TUNING.strongest)), TUNING.least_gradient)
    if not strong.any():
        return 0.0
    ratio = float(np.median(first[strong] / np.maximum(second[strong], 1e-6)))
    # ratio² = (s² + reblur²) / s², where s holds the blur of the difference itself too
    variance = TUNING.reblur**2 / max(ratio**2 - 1, 1e-2)
    return float(np.sqrt(max(variance - TUNING.difference, 0.0)))


def missing_blur(crop: Floats, target: NDArray[np.uint8], where: NDArray[np.bool_], enlarged: float) -> float:
    """How much a crop has to be blurred to be no crisper than the target's: the standard deviation, in px.

    Args:
        crop: (S, S, 3) float32 RGB, 0..1.
        target: (S, S, 3) uint8 RGB of the same crop.
        where: (S, S) the face.
        enlarged: crop pixels per frame pixel; where it is above 1, that much of the target's blur comes from the
            small face and not from the lens, and goes away on the way back.

    Returns:
        px; 0 where the target is crisp.
    """
    wanted = blur_of(target.astype(np.float32) / np.float32(255), where)
    lens = wanted**2 - (TUNING.sharpest * max(1.0, 2 * enlarged)) ** 2
    missing = min(lens, wanted**2 - blur_of(crop, where) ** 2) if wanted else 0.0
    return float(np.sqrt(missing)) if missing > TUNING.least_blur else 0.0


def blurred(crop: Floats, deviation: float) -> Floats:
    """(S, S, 3) float32 RGB with a Gaussian's blur of so many px; the crop itself where that is 0."""
    return cv2.GaussianBlur(crop, (0, 0), deviation) if deviation else crop


def noise_of(picture: NDArray[np.uint8], where: NDArray[np.bool_] | None = None) -> Floats:
    """(3,) standard deviation of the noise of each channel, in grey levels (0..255).

    Immerkær, "Fast noise variance estimation" (1996), with the median of the absolute values instead of their mean,
    so that edges and features do not count.

    Args:
        picture: (H, W, 3) uint8 RGB.
        where: (H, W) to look at; None: everywhere. With fewer than 64 pixels there is no noise.
    """
    filtered = np.abs(cv2.filter2D(picture.astype(np.float32), -1, _NOISE))
    samples = filtered[where] if where is not None else filtered.reshape(-1, 3)
    if len(samples) < TUNING.fewest:
        return np.zeros(3, np.float32)
    return (np.median(samples, axis=0) * TUNING.mad).astype(np.float32)


def add_grain(
    over: NDArray[np.uint8],
    under: NDArray[np.uint8],
    where: NDArray[np.bool_],
    amount: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Add noise to the swap until it has as much as the target.

    Args:
        over, under: (h, w, 3) uint8 RGB, the swap and the target in the frame's pixels.
        where: (h, w) the face, where both are measured.
        amount: 1 matches the target, 0 adds nothing.
        rng: fresh noise for every frame, as a sensor has it.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    if not amount or not where.any():
        return over
    missing = np.sqrt(np.maximum(noise_of(under, where) ** 2 - noise_of(over, where) ** 2, 0))
    if missing.max() < TUNING.least_grain:
        return over
    shape = over.shape[:2]
    shared = rng.standard_normal(shape, np.float32)[..., None]
    own = rng.standard_normal((*shape, 3), np.float32)
    grain = np.float32(TUNING.shared_grain) * shared + np.float32(TUNING.own_grain) * own
    grain = grain * (np.float32(amount) * missing)
    return np.clip(np.rint(over + grain), 0, 255).astype(np.uint8)


def _gradient(grey: Floats) -> Floats:
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(cv2.magnitude(dx, dy) / 8)
