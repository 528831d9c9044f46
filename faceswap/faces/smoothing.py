"""Soft steps and smoothing over time."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def smoothstep(x: ArrayLike) -> NDArray[np.float64]:
    """0 up to 0, 1 from 1 on, ``3 x² - 2 x³`` in between: no kink at either end. Any shape, same shape out."""
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def rise(x: ArrayLike, limits: tuple[float, float]) -> NDArray[np.float64]:
    """A soft step: 0 up to the first limit, 1 from the second on. Any shape, same shape out."""
    start, end = limits
    return smoothstep((np.asarray(x) - start) / (end - start))


def weight_of_new(seconds: float, time_constant: float) -> float:
    """How much a new value counts in an exponential smoother (a first-order low-pass filter), 0 to 1.

    Args:
        seconds: since the value before; 0 or less (a video that was rewound) starts anew.
        time_constant: after which the old value's weight has fallen to 1/e, seconds; 0 or less smooths nothing.
    """
    if seconds <= 0 or time_constant <= 0:
        return 1.0
    return 1 - math.exp(-seconds / time_constant)
