"""Graphs made once on this machine: of versions registered without one, and of a user's own weights."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faceswap.errors import RegistryError, StorageError
from faceswap.inference.onnx_graph import Graph
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
    return made_once(graph_file(digest), digest, model)


def graph_file(digest: str) -> Path:
    """Where the cache folder has the graph of weights."""
    return settings().cache_path / "graphs" / f"{digest}.onnx"


def made_once(path: Path, digest: str, model: Callable[[], Any]) -> Graph:
    """The graph of weights in a file; it is made unless it is there already and whole.

    Args:
        path: ``.onnx``.
        digest: of the weights; the file keeps it.
        model: gives the Keras model; only called where there is no graph yet.

    Raises:
        StorageError: the file can't be written.
    """
    if path.exists():
        try:
            graph = Graph(path)
        except RegistryError as error:
            logger.warning("%s; it is made anew", error)
        else:
            if graph.about.get(SOURCE) == digest:
                return graph
    keras_model = model()
    from faceswap.inference.graph_export import write_graph  # needs Keras, which is imported by now

    try:
        write_graph(keras_model, path, {SOURCE: digest})
    except OSError as error:
        raise StorageError(
            f"The graph {path} can't be written: {error.strerror or error}",
            "make room there, or correct its permissions, and try again",
        ) from error
    return Graph(path)
