from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from faceswap.inference.decoder_network import DecoderNetwork
from faceswap.model.device import Device
from faceswap.model.networks import architecture
from faceswap.model.networks.architecture import ColourConv2D, build_decoder, build_encoder
from tests.model.training.test_trainer import TINY


def test_threads_get_the_pixels_that_one_thread_gets_from_the_first_call_on() -> None:
    encoder, decoder = build_encoder(TINY), build_decoder(TINY, "ada")
    network = DecoderNetwork(encoder, decoder, TINY.geometry)
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 256, (1 + n % 3, TINY.size, TINY.size, 3), np.uint8) for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(network, crops))
    for crop, output in zip(crops, together, strict=True):
        np.testing.assert_allclose(output, network(crop), atol=1e-6)


def test_filters_filled_up_for_a_gpu_change_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = ColourConv2D(12, 3, padding="same", bias_initializer="glorot_uniform")
    features = np.random.default_rng(0).normal(size=(2, 8, 8, 16)).astype(np.float32)
    plain = np.asarray(layer(features))
    monkeypatch.setattr(architecture, "device", lambda: Device("any", "a GPU", True, True))
    filled = np.asarray(layer(features))
    assert filled.shape == plain.shape == (2, 8, 8, 12)
    np.testing.assert_allclose(filled, plain, atol=1e-5)
    assert [tuple(w.shape) for w in layer.weights] == [(3, 3, 16, 12), (12,)]
