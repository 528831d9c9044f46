"""The training loss: Keras 3 operations only, per identity, weighted by a map of the face.

SSIM after Wang et al., "Image quality assessment: from error visibility to structural similarity" (2004),
with a uniform 4x4 window: at 64 px the original 11x11 Gaussian would cover the whole mouth.
"""

from typing import Any

from keras import ops

from faceswap.model.presets import LossWeights

_C1, _C2 = 0.01**2, 0.03**2


def reconstruction_loss(target: Any, weight: Any, output: Any, weights: LossWeights) -> Any:
    """The loss of each picture.

    Args:
        target, output: (n, h, w, 3) float in 0..1.
        weight: (n, h, w, 1) float, importance of each pixel; its mean need not be 1.
        weights: the terms.

    Returns:
        (n,) float.
    """
    weight = weight / (ops.mean(weight, axis=(1, 2, 3), keepdims=True) + 1e-6)
    total: Any = 0.0
    if weights.mae:
        total += weights.mae * _mean(ops.abs(target - output) * weight)
    if weights.gradient:
        total += weights.gradient * _gradient_error(target, output, weight)
    if weights.dssim:
        total += weights.dssim * _mean(dssim(target, output) * _windows(weight))
    return total


def dssim(target: Any, output: Any) -> Any:
    """(1 - SSIM) / 2 of the luma at every second pixel: 2 x (n, h, w, 3) -> (n, h / 2 - 1, w / 2 - 1, 1) in 0..1.

    Luma only, windows two pixels apart and all moments in one pooling: on a CPU the dense version of the three
    colours took a third of the training step.
    """
    t, o = _luma(target), _luma(output)
    moments = ops.concatenate([t, o, t * t, o * o, t * o], axis=-1)
    moments = _windows(moments)
    mu_t, mu_o, tt, oo, to = ops.split(moments, 5, axis=-1)
    covariance = to - mu_t * mu_o
    variances = (tt - mu_t * mu_t) + (oo - mu_o * mu_o)
    ssim = (2 * mu_t * mu_o + _C1) * (2 * covariance + _C2) / ((mu_t**2 + mu_o**2 + _C1) * (variances + _C2))
    return ops.clip((1 - ssim) / 2, 0, 1)


def _windows(x: Any) -> Any:
    return ops.average_pool(x, 4, strides=2, padding="valid", data_format="channels_last")


def _luma(x: Any) -> Any:
    return 0.299 * x[..., 0:1] + 0.587 * x[..., 1:2] + 0.114 * x[..., 2:3]  # Rec. 601, as JPEG


def _gradient_error(target: Any, output: Any, weight: Any) -> Any:
    difference = target - output  # the gradient is linear: take it once, of the difference
    dx = ops.abs(difference[:, :, 1:] - difference[:, :, :-1]) * weight[:, :, 1:]
    dy = ops.abs(difference[:, 1:] - difference[:, :-1]) * weight[:, 1:]
    return _mean(dx) + _mean(dy)


def _mean(x: Any) -> Any:
    return ops.mean(x, axis=(1, 2, 3))
