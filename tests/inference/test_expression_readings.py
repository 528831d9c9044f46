import keras
import numpy as np

from faceswap.inference.expression_readings import expression_readings
from faceswap.model.networks.architecture import split_encoder
from faceswap.model.training.autoencoders import SHAPE_SCALE, Autoencoders
from tests.model.training.test_trainer import TINY


def test_readings_are_differences_of_the_landmarks_that_the_head_reads() -> None:
    keras.utils.set_random_seed(0)
    model = Autoencoders(TINY, ["ada", "bea"])
    head, rng = model.reader.get_layer("shape"), np.random.default_rng(0)
    head.set_weights([rng.normal(size=array.shape) for array in head.get_weights()])
    crops = rng.uniform(size=(2, TINY.size, TINY.size, 3)).astype(np.float32)
    codes = np.asarray(split_encoder(model.encoder)[0].predict_on_batch(crops))
    shape = np.zeros((2, 68, 2))  # in sides of the crop
    shape[:, 17:] = np.asarray(model.reader.predict_on_batch(crops)[1]).reshape(2, 51, 2) / SHAPE_SCALE
    x, y = shape[..., 0], shape[..., 1]
    wanted = [
        (y[:, 65] + y[:, 66] + y[:, 67] - y[:, 61] - y[:, 62] - y[:, 63]) / 3,
        (y[:, 40] + y[:, 41] + y[:, 46] + y[:, 47] - y[:, 37] - y[:, 38] - y[:, 43] - y[:, 44]) / 4,
        (x[:, 54] + x[:, 64] - x[:, 48] - x[:, 60]) / 2,
    ]
    found = expression_readings(model) @ (codes[1] - codes[0]) * 0.006
    np.testing.assert_allclose(found, [value[1] - value[0] for value in wanted], rtol=1e-3, atol=1e-5)


def test_without_a_trained_head_nothing_is_read() -> None:
    readings = expression_readings(Autoencoders(TINY, ["ada", "bea"]))
    assert readings.shape == (3, TINY.bottleneck)
    assert not readings.any()
