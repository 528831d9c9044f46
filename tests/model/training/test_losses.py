from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from faceswap.model.compiled import fused
from faceswap.model.presets import LossWeights
from faceswap.model.training.losses import dssim, reconstruction_loss


def random_pictures(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((2, 16, 16, 3), dtype=np.float32)


def loss(
    target: np.ndarray, output: np.ndarray, weight: np.ndarray | None = None, **weights: float
) -> np.ndarray:
    weight = np.ones((2, 16, 16, 1), np.float32) if weight is None else weight
    return ops.convert_to_numpy(reconstruction_loss(target, weight, output, LossWeights(**weights)))


def test_equal_pictures_cost_nothing() -> None:
    a = random_pictures(0)
    np.testing.assert_allclose(loss(a, a, dssim=1, gradient=1), 0, atol=1e-5)


def test_mae_is_the_mean_absolute_error() -> None:
    a, b = random_pictures(0), random_pictures(1)
    np.testing.assert_allclose(loss(a, b), abs(a - b).mean((1, 2, 3)), rtol=1e-5)


def test_only_weighted_pixels_count_and_the_scale_of_weights_does_not() -> None:
    a = random_pictures(0)
    b, weight = a.copy(), np.zeros((2, 16, 16, 1), np.float32)
    weight[:, :8] = 1
    b[:, 8:] = 0
    np.testing.assert_allclose(loss(a, b, weight), 0, atol=1e-6)
    c = random_pictures(1)
    np.testing.assert_allclose(loss(a, c, weight), loss(a, c, weight * 7), rtol=1e-4)


def test_a_constant_offset_has_no_gradient_error() -> None:
    a = random_pictures(0) * 0.5
    np.testing.assert_allclose(loss(a, a + 0.25, mae=0, gradient=1), 0, atol=1e-6)


def test_dssim_of_constant_pictures_is_closed_form() -> None:
    a, b = np.full((1, 16, 16, 3), 0.2, np.float32), np.full((1, 16, 16, 3), 0.6, np.float32)
    expected = (1 - (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)) / 2
    np.testing.assert_allclose(ops.convert_to_numpy(dssim(a, b)), expected, rtol=1e-3)


def test_shape_term_is_rejected_when_negative() -> None:
    with pytest.raises(ValueError, match="greater than or equal"):
        LossWeights(shape=-1)


def test_the_fused_loss_is_the_loss_and_leads_the_same_way() -> None:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow asks for it")
    import tensorflow as tf

    rng = np.random.default_rng(4)
    target, output = random_pictures(0), random_pictures(1)
    weight = rng.random((2, 16, 16, 1), dtype=np.float32)
    weights = LossWeights(dssim=0.5, gradient=1.0)

    def plain(output: Any) -> Any:
        return reconstruction_loss(target, weight, output, weights)

    found = []
    for function in (plain, fused(plain)):
        variable = tf.Variable(output)
        with tf.GradientTape() as tape:
            losses = function(variable)
        found.append((losses.numpy(), tape.gradient(losses, variable).numpy()))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)
