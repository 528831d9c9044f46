"""A version's graph: encoder, range of codes and decoder in one ONNX file, named in the card by its digest.

It is made when the version is registered. Versions from before there were graphs get one in the cache folder at their
first use, for which Keras is imported once.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from faceswap.errors import RegistryError
from faceswap.faces.crispness import Crispness
from faceswap.faces.fine_detail import FineDetail
from faceswap.inference.graph_cache import cached_graph, made_once
from faceswap.inference.onnx_graph import Graph, OnnxNetwork
from faceswap.registry.cards.version_card import Card
from faceswap.registry.consents import PermittedNetwork

if TYPE_CHECKING:
    import keras

GRAPH = "swap.onnx"
_MOST_BYTES = 1 << 30
"""Of a graph's file; those of the presets take 20 to 330 MB."""


def export_graph(card: Card, encoder_file: Path, decoder_file: Path, file: Path) -> Card:
    """Write the graph of a version that is being registered; called again, it takes the one that is there.

    Args:
        card: of the version, still without a graph.
        encoder_file, decoder_file: ``.keras``.
        file: gets the graph.

    Returns:
        The card that names the graph.

    Raises:
        RegistryError: a network is damaged, or they do not fit each other.
    """

    def model() -> "keras.Model":
        from faceswap.model.training.model_files import read_model  # needs Keras

        encoder = read_model(encoder_file, card.encoder_digest)
        return _joined(card, encoder, read_model(decoder_file, card.decoder_digest))

    made_once(file, source_of(card), model)
    return card.model_copy(update={"graph_digest": _digest(file)})


def read_graph(card: Card, file: Path) -> Graph:
    """The graph that a card names.

    Raises:
        RegistryError: the file is missing, too large, damaged, or another one.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise RegistryError(f"The graph {file} is too large for one")
        digest = _digest(file)
    except OSError as error:
        raise RegistryError(f"The graph {file} can't be read: {error.strerror or error}") from error
    if digest != card.graph_digest:
        raise RegistryError(
            f"The graph {file} is not the one that was registered", "register the version anew"
        )
    return Graph(file)


def later_graph(card: Card, networks: Callable[[], tuple["keras.Model", "keras.Model"]]) -> Graph:
    """The graph of a version that was registered without one: from the cache, or made now, which takes some seconds.

    Args:
        networks: gives encoder and decoder; only called where there is no graph yet.

    Raises:
        RegistryError: a file is damaged, or they do not fit each other.
    """
    return cached_graph(source_of(card), lambda: _joined(card, *networks()))


def network(card: Card, graph: Graph, detail: FineDetail | None = None) -> OnnxNetwork:
    """The graph as what the swapper wants, with the version's fine detail; it works while the consent allows it.

    Raises:
        RegistryError: it does not draw the crops that the card says.
    """
    geometry = card.crop
    expected = (geometry.size, geometry.size, 3)
    if graph.input_shape != expected or graph.output_shape != expected:
        raise RegistryError(
            f"The graph turns {graph.input_shape} into {graph.output_shape}, the card says {expected}",
            "register the version anew",
        )
    return PermittedNetwork(graph, geometry, Crispness(card.unsharp, card.detail), card.consent, detail)


def source_of(card: Card) -> str:
    """One digest over all that a graph is made of."""
    parts = (card.encoder_digest, card.decoder_digest, card.codes)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _joined(card: Card, encoder: "keras.Model", decoder: "keras.Model") -> "keras.Model":
    from faceswap.inference.code_range import CodeRange
    from faceswap.inference.decoder_network import joined  # needs Keras

    codes = CodeRange.unpack(card.codes) if card.codes else None
    try:
        return joined(encoder, decoder, codes)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise RegistryError(f"Encoder, decoder and card do not fit each other: {error}") from error
