"""A version in memory: its files are fetched once, kept by digest, checked and loaded.

What swaps needs card and graph alone, and no Keras. The encoder and the decoder are fetched for a warm start, and once
for a version from before there were graphs.
"""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from faceswap.errors import RegistryError
from faceswap.inference.onnx_graph import OnnxNetwork
from faceswap.provenance.consent.life import Purpose
from faceswap.registry import consents, graphs
from faceswap.registry.artifact_places import fetch
from faceswap.registry.cards import version_card
from faceswap.registry.cards.version_card import CARD, DECODER, DIGEST, ENCODER, Card
from faceswap.registry.fine_details import FINE_DETAIL, read_detail
from faceswap.registry.graphs import GRAPH
from faceswap.registry.model_names import Version
from faceswap.registry.versions import described, identity_in, resolve
from faceswap.settings import settings
from faceswap.tracking import connect, explained

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)
Read = TypeVar("Read")


@dataclass(frozen=True)
class LoadedVersion:
    """A version in memory: its card and the network that swaps."""

    card: Card
    network: OnnxNetwork
    version: Version | None = None


def load(spec: str | Version) -> LoadedVersion:
    """Load a version; its files are downloaded once and kept by digest under the cache folder.

    Raises:
        RegistryError: it does not exist, can't be fetched, is damaged, or its name, tags and card disagree.
        TrackingError: MLflow does not answer.
        ConsentError: the person's consent was withdrawn, has ended or does not allow it.
    """
    consents.require(spec.identity if isinstance(spec, Version) else identity_in(spec), Purpose.SWAPPING)
    version = spec if isinstance(spec, Version) else resolve(spec)
    tags = described(version)
    try:
        file = _cached(tags, CARD)
        card = _whole(
            file, lambda: _fetch(version, file), lambda: version_card.read(file, tags.get(DIGEST, ""))
        )
        version_card.agree(version, tags, card)
        if card.graph_digest:
            kept = file.with_name(GRAPH)
            graph = _whole(kept, lambda: _fetch(version, kept), lambda: graphs.read_graph(card, kept))
        else:
            graph = graphs.later_graph(card, lambda: (_encoder(card), _decoder(card, version, tags)))
        detail = None
        if card.fine_detail_digest:
            beside = file.with_name(FINE_DETAIL)
            detail = _whole(beside, lambda: _fetch(version, beside), lambda: read_detail(card, beside))
        network = graphs.network(card, graph, detail)
    except RegistryError as error:
        raise RegistryError(f"{version} can't be loaded. {error.message}", error.fix) from error
    return LoadedVersion(card, network, version)


def load_files(card_file: Path, decoder_file: Path) -> LoadedVersion:
    """Load a version from its card and decoder, beside which graph and detail lie; ``mlflow.pyfunc`` does so.

    A version from before there were graphs gets one; its encoder comes from the cache or from its run.

    Raises:
        RegistryError: a file is missing or damaged.
    """
    card = version_card.read(card_file)
    if card.graph_digest:
        graph = graphs.read_graph(card, decoder_file.with_name(GRAPH))
    else:
        graph = graphs.later_graph(card, lambda: (_encoder(card), _model(decoder_file, card.decoder_digest)))
    detail = read_detail(card, decoder_file.with_name(FINE_DETAIL)) if card.fine_detail_digest else None
    return LoadedVersion(card, graphs.network(card, graph, detail))


def keras_networks(loaded: LoadedVersion) -> tuple["keras.Model", "keras.Model"]:
    """Encoder and decoder of a registered version, to train on from them.

    Raises:
        RegistryError: they can't be fetched, or are damaged.
    """
    if loaded.version is None:
        raise RegistryError("A network without a version has no files", "load it from the registry")
    return _encoder(loaded.card), _decoder(loaded.card, loaded.version, described(loaded.version))


def encoder_file(card: Card) -> Path:
    """The local file of a version's encoder, downloaded once for all identities of the run.

    Raises:
        RegistryError: it can't be fetched.
    """
    file = settings().cache_path / "encoders" / card.encoder_digest / ENCODER
    if not file.exists():
        client = connect()
        with explained(f"tell where run {card.run_id} has its encoder"):
            root = client.get_run(card.run_id).info.artifact_uri
        _download(root, f"encoder/{ENCODER}", file)
    return file


def decoder_file(loaded: LoadedVersion) -> Path:
    """The local file of a loaded version's decoder.

    Raises:
        RegistryError: the version is not a registered one, or it can't be fetched.
    """
    if loaded.version is None:
        raise RegistryError("A network without a version has no file", "load it from the registry")
    file = _cached(described(loaded.version), DECODER)
    if not file.exists():
        _fetch(loaded.version, file)
    return file


def _encoder(card: Card) -> "keras.Model":
    file = settings().cache_path / "encoders" / card.encoder_digest / ENCODER
    return _whole(file, lambda: encoder_file(card), lambda: _model(file, card.encoder_digest))


def _decoder(card: Card, version: Version, tags: dict[str, str]) -> "keras.Model":
    file = _cached(tags, DECODER)
    return _whole(file, lambda: _fetch(version, file), lambda: _model(file, card.decoder_digest))


def _model(file: Path, digest: str) -> "keras.Model":
    from faceswap.model.training.model_files import read_model  # needs Keras

    return read_model(file, digest)


def _cached(tags: dict[str, str], name: str) -> Path:
    return settings().cache_path / "decoders" / version_card.digest_in(tags) / name


def _whole(file: Path, get: Callable[[], object], read: Callable[[], Read]) -> Read:
    """What a file of the cache says. One that is missing or damaged is fetched; what is still wrong is not kept."""
    if file.exists():
        try:
            return read()
        except RegistryError as error:
            logger.warning("%s. It is fetched anew", error.message)
            file.unlink(missing_ok=True)
    get()
    try:
        return read()
    except RegistryError:
        file.unlink(missing_ok=True)
        raise


def _fetch(version: Version, file: Path) -> None:
    """Download one of a version's own files to its place in the cache."""
    client = connect()
    with explained(f"tell where {version} is"):
        root = client.get_model_version_download_uri(version.name, str(version.version))
    _download(root, f"artifacts/{file.name}", file)


def _download(root: str, name: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        fetch(root, name, Path(scratch)).replace(file)
