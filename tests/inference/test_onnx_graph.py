"""Graphs in ONNX Runtime against the Keras models that they were made of."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import pytest

from faceswap.errors import RegistryError
from faceswap.inference.code_range import CodeRange
from faceswap.inference.decoder_network import DecoderNetwork, joined
from faceswap.inference.graph_cache import SOURCE, cached_graph
from faceswap.inference.graph_export import export_in_tensorflow, write_graph
from faceswap.inference.onnx_graph import Graph, OnnxNetwork
from faceswap.model import weights
from faceswap.model.networks.architecture import build_decoder, build_encoder
from faceswap.model.networks.predictor import Predictor
from faceswap.model.networks.segmentation_network import read_segmentation_network
from faceswap.model.segmentation_view import NAME, VIEW
from faceswap.settings import settings
from tests.model.training.test_trainer import TINY

RNG = np.random.default_rng(0)
REDUCED = TINY.with_(encoder_size=48)
"""Its encoder reads a reduced picture, as those of all larger presets do."""
CROPS = RNG.integers(0, 256, (5, TINY.size, TINY.size, 3), np.uint8)


def step_by_step(model: keras.Model, crops: np.ndarray) -> np.ndarray:
    """What Keras' operations give one by one; a graph that oneDNN has fused is off by up to 0.001."""
    return np.asarray(model(crops.astype(np.float32) / 255))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[DecoderNetwork, OnnxNetwork]:
    """A network whose codes are drawn back, in Keras and as a graph."""
    encoder, decoder = build_encoder(REDUCED), build_decoder(REDUCED, "ada")
    codes = RNG.standard_normal((2, 60, TINY.bottleneck)).astype(np.float32)
    limits = CodeRange.fit(codes[0], 0.01 * codes[1])
    path = tmp_path_factory.mktemp("graph") / "swap.onnx"
    write_graph(joined(encoder, decoder, limits), path, {"about": "ada"})
    keras_network = DecoderNetwork(encoder, decoder, TINY.geometry, codes=limits)
    return keras_network, OnnxNetwork(Graph(path), TINY.geometry)


def test_a_graph_draws_the_pixels_of_its_keras_model(pair: tuple[DecoderNetwork, OnnxNetwork]) -> None:
    in_keras, in_onnx = pair
    for count in (1, 2, 5):
        expected = step_by_step(in_keras._predict.model, CROPS[:count])
        np.testing.assert_allclose(in_onnx(CROPS[:count]), expected, atol=1e-4)
        np.testing.assert_allclose(in_keras(CROPS[:count]), expected, atol=2e-3)
    assert np.ptp(in_onnx(CROPS)) > 0.01
    assert in_onnx(CROPS[:0]).shape == (0, TINY.size, TINY.size, 3)


def test_a_process_with_another_backend_has_tensorflow_export(tmp_path: Path) -> None:
    encoder, decoder = build_encoder(TINY), build_decoder(TINY, "ada")
    codes = RNG.standard_normal((2, 60, TINY.bottleneck)).astype(np.float32)
    limits = CodeRange.fit(codes[0], 0.01 * codes[1])
    export_in_tensorflow(joined(encoder, decoder, limits), tmp_path / "swap.onnx")
    expected = step_by_step(joined(encoder, decoder, limits), CROPS)
    np.testing.assert_allclose(Graph(tmp_path / "swap.onnx")(CROPS), expected, atol=1e-4)
    broken = mock.Mock(save=lambda path: path.write_bytes(b"damaged"))
    with pytest.raises(RegistryError, match="can't be exported"):
        export_in_tensorflow(broken, tmp_path / "none.onnx")


def test_threads_get_what_one_thread_gets(pair: tuple[DecoderNetwork, OnnxNetwork]) -> None:
    _, network = pair
    crops = [RNG.integers(0, 256, (1 + n % 3, TINY.size, TINY.size, 3), np.uint8) for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(network, crops))
    for crop, output in zip(crops, together, strict=True):
        np.testing.assert_allclose(output, network(crop), atol=1e-6)


def test_bytes_are_about_those_of_the_weights(pair: tuple[DecoderNetwork, OnnxNetwork]) -> None:
    count = build_encoder(TINY).count_params() + build_decoder(TINY, "ada").count_params()
    assert 3.9 * count <= pair[1].nbytes < 4 * count + 200_000


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x08\x07" * 40])
def test_what_is_no_graph_is_said_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "swap.onnx"
    path.write_bytes(content)
    with pytest.raises(RegistryError, match="can't be read"):
        Graph(path)


def test_a_graph_is_made_once_and_anew_where_it_is_damaged(home: Path) -> None:
    made: list[int] = []
    digest = "a" * 64

    def model() -> object:
        made.append(1)
        return joined(build_encoder(TINY), build_decoder(TINY, "ada"))

    first, again = cached_graph(digest, model), cached_graph(digest, model)
    np.testing.assert_array_equal(first(CROPS), again(CROPS))
    assert len(made) == 1
    (settings().cache_path / "graphs" / f"{digest}.onnx").write_bytes(b"cut off")
    assert cached_graph(digest, model)(CROPS).shape == first(CROPS).shape
    assert len(made) == 2


def test_the_packages_segmentation_graph_is_that_of_its_weights() -> None:
    path = weights.find(NAME)
    assert path is not None
    graph = Graph(path.with_suffix(".onnx"))
    assert graph.about[SOURCE] == weights.digest(path)
    crops = RNG.integers(0, 256, (2, VIEW.size, VIEW.size, 3), np.uint8)
    np.testing.assert_allclose(graph(crops), Predictor(read_segmentation_network(path))(crops), atol=1e-4)


def test_swapping_imports_no_tensorflow() -> None:
    code = """
import sys
import faceswap.swap.swapper, faceswap.swap.batch.media_swap, faceswap.inference.onnx_graph
import faceswap.inference.segmentation, faceswap.evaluation.protocol, faceswap.evaluation.single
print(sorted({name.partition(".")[0] for name in sys.modules} & {"tensorflow", "keras", "jax", "torch"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
