"""What lies over a face, as a function of crops: hands, glasses, hair, objects.

The network of :mod:`faceswap.model.networks.occlusion_network`, in ONNX Runtime.
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
from faceswap.model.occlusion_view import NAME, VIEW


class OcclusionNetwork:
    """The network for crops of :data:`VIEW`; safe to call from several threads."""

    geometry = VIEW

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @property
    def provider(self) -> str:
        """What it runs on."""
        return self._graph.provider

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 96, 96, 3) uint8 RGB -> (n, 96, 96) float32: how surely the face is hidden there, 0..1.

        Outside of a face's outline it says nothing of use.
        """
        return self._graph(crops)[..., 0]


def occlusion_network() -> OcclusionNetwork:
    """The network, read once a process: the user's own weights if there are any, else those of the package.

    Raises:
        TrainingError: the weights are missing, damaged, or of another architecture.
    """
    path = weights.find(NAME)
    if path is None:
        raise TrainingError(
            f"There are no weights at {weights.made_at(NAME)}, nor in the package",
            "install the package again, or make them with `faceswap learn-occlusion`",
        )
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> OcclusionNetwork:
    digest = weights.digest(path)
    beside = path.with_suffix(".onnx")
    if beside.exists():
        graph = Graph(beside)
        if graph.about.get(SOURCE) == digest:
            return OcclusionNetwork(graph)

    def model() -> Any:
        from faceswap.model.networks.occlusion_network import read_occlusion_network  # needs Keras

        return read_occlusion_network(path)

    return OcclusionNetwork(cached_graph(digest, model))
