"""Graphs made once on this machine: of versions registered without one, and of a user's own weights."""

import logging
from collections.abc import Callable
from typing import Any

from faceswap.errors import RegistryError
from faceswap.inference.onnx_graph import Graph, write_graph
from faceswap.settings import settings

logger = logging.getLogger(__name__)
SOURCE = "source"
"""Metadata of a graph: the digest of the weights that it was made of."""


def cached_graph(digest: str, model: Callable[[], Any]) -> Graph:
    """The graph of weights, from the cache folder; made there at its first use, which takes some seconds.

    Args:
        digest: 64 hex digits, of the weights.
        model: gives the Keras model; only called where there is no graph yet.
    """
    path = settings().cache_path / "graphs" / f"{digest}.onnx"
    if path.exists():
        try:
            graph = Graph(path)
        except RegistryError as error:
            logger.warning("%s; it is made anew", error)
        else:
            if graph.about.get(SOURCE) == digest:
                return graph
    write_graph(model(), path, {SOURCE: digest})
    return Graph(path)
