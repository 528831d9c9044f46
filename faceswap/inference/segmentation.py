"""Skin, hair, glasses and other things around a face, as a function of crops.

The network of :mod:`faceswap.model.networks.segmentation_network`, in ONNX Runtime.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import TrainingError
from faceswap.inference.graph_cache import SOURCE, cached_graph
from faceswap.inference.onnx_graph import Graph
from faceswap.model import weights
from faceswap.model.segmentation_view import NAME, VIEW


class SegmentationNetwork:
    """The network for crops of :data:`VIEW`; safe to call from several threads."""

    view = VIEW

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @property
    def provider(self) -> str:
        """What it runs on."""
        return self._graph.provider

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, s, s, 3) uint8 RGB -> (n, s, s, 4) float32: how surely a pixel is each segment, in 0..1, sums to 1."""
        return self._graph(crops)


def segmentation_network() -> SegmentationNetwork:
    """The network, read once a process: the user's own weights if there are any, else those of the package.

    Raises:
        TrainingError: the weights are missing, damaged, or of another architecture.
    """
    path = weights.find(NAME)
    if path is None:
        raise TrainingError(
            f"There are no weights at {weights.made_at(NAME)}, nor in the package",
            "install the package again, or make them with `faceswap learn-masks`",
        )
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> SegmentationNetwork:
    digest = weights.digest(path)
    beside = path.with_suffix(".onnx")
    if beside.exists():
        graph = Graph(beside)
        if graph.about.get(SOURCE) == digest:
            return SegmentationNetwork(graph)

    def model() -> Any:
        from faceswap.model.networks.segmentation_network import read_segmentation_network  # needs Keras

        return read_segmentation_network(path)

    return SegmentationNetwork(cached_graph(digest, model))
