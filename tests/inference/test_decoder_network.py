from concurrent.futures import ThreadPoolExecutor

import numpy as np

from faceswap.inference.decoder_network import DecoderNetwork
from faceswap.model.networks.architecture import build_decoder, build_encoder
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


def test_bytes_are_those_of_the_weights() -> None:
    encoder, decoder = build_encoder(TINY), build_decoder(TINY, "ada")
    network = DecoderNetwork(encoder, decoder, TINY.geometry)
    assert network.nbytes == 4 * (encoder.count_params() + decoder.count_params())
