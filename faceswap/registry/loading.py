"""A version in memory: its files are fetched once, kept by digest, checked and loaded."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faceswap.errors import RegistryError
from faceswap.faces.crispness import Crispness
from faceswap.registry import cards
from faceswap.registry.artifact_places import fetch
from faceswap.registry.cards import DIGEST, Card
from faceswap.registry.names import Version
from faceswap.registry.versions import described, resolve
from faceswap.settings import settings
from faceswap.tracking import connect, explained

if TYPE_CHECKING:
    import keras

    from faceswap.inference.decoder_network import DecoderNetwork

CARD, DECODER, ENCODER = "card.json", "decoder.keras", "encoder.keras"


@dataclass(frozen=True)
class LoadedVersion:
    """A version in memory: its card and the network that swaps."""

    card: Card
    network: "DecoderNetwork"
    version: Version | None = None


def load(spec: str | Version) -> LoadedVersion:
    """Load a version; its files are downloaded once and kept by digest under the cache folder.

    Raises:
        RegistryError: it does not exist, can't be fetched, is damaged, or its name, tags and card disagree.
        TrackingError: MLflow does not answer.
    """
    version = spec if isinstance(spec, Version) else resolve(spec)
    tags = described(version)
    try:
        digest = cards.digest_in(tags)
        folder = settings().cache_path / "decoders" / digest
        if not (folder / CARD).exists():
            _fetch(version, folder)
        card = _card(folder, tags)
        cards.agree(version, tags, card)
        loaded = _assembled(card, folder / DECODER)
    except RegistryError as error:
        raise RegistryError(f"{version} can't be loaded. {error.message}", error.fix) from error
    return LoadedVersion(card, loaded.network, version)


def _card(folder: Path, tags: dict[str, str]) -> Card:
    try:
        return cards.read(folder / CARD, tags.get(DIGEST, ""))
    except RegistryError:
        # what was fetched is not kept: the next try begins anew
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _fetch(version: Version, folder: Path) -> None:
    client = connect()
    with explained(f"tell where {version} is"):
        root = client.get_model_version_download_uri(version.name, str(version.version))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        files = Path(scratch, "files")
        files.mkdir()
        for name in (CARD, DECODER):
            fetch(root, f"artifacts/{name}", Path(scratch)).rename(files / name)
        _move_into_place(files, folder)


def load_files(card_file: Path, decoder_file: Path) -> LoadedVersion:
    """Load a version from its card and decoder; the encoder comes from the cache or from its run.

    Raises:
        RegistryError: a file is missing or damaged.
    """
    return _assembled(cards.read(card_file), decoder_file)


def _assembled(card: Card, decoder_file: Path) -> LoadedVersion:
    from faceswap.inference.code_range import CodeRange  # listing versions needs no Keras
    from faceswap.inference.decoder_network import DecoderNetwork

    geometry = card.crop
    encoder = _model(encoder_file(card), card.encoder_digest)
    decoder = _model(decoder_file, card.decoder_digest)
    codes = CodeRange.unpack(card.codes) if card.codes else None
    crispness = Crispness(card.unsharp, card.detail)
    try:
        network = DecoderNetwork(encoder, decoder, geometry, crispness, codes)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise RegistryError(f"Encoder, decoder and card do not fit each other: {error}") from error
    return LoadedVersion(card, network)


def _model(file: Path, digest: str) -> "keras.Model":
    from faceswap.model.training.files import read_model

    try:
        return read_model(file, digest)
    except RegistryError:
        if file.is_relative_to(settings().cache_path):
            shutil.rmtree(file.parent, ignore_errors=True)  # the next try fetches it anew
        raise


def encoder_file(card: Card) -> Path:
    """The local file of a version's encoder, downloaded once for all identities of the run.

    Raises:
        RegistryError: it can't be fetched.
    """
    folder = settings().cache_path / "encoders" / card.encoder_digest
    if not (folder / ENCODER).exists():
        client = connect()
        with explained(f"tell where run {card.run_id} has its encoder"):
            root = client.get_run(card.run_id).info.artifact_uri
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            found = fetch(root, f"encoder/{ENCODER}", Path(scratch))
            files = Path(scratch, "files")
            files.mkdir()
            found.rename(files / ENCODER)
            _move_into_place(files, folder)
    return folder / ENCODER


def _move_into_place(source: Path, folder: Path) -> None:
    try:
        source.rename(folder)
    except OSError:
        if not folder.exists():  # another process may have been faster: then its files are as good
            raise


def decoder_file(loaded: LoadedVersion) -> Path:
    """The local file of a loaded version's decoder.

    Raises:
        RegistryError: the version is not a registered one.
    """
    if loaded.version is None:
        raise RegistryError("A network without a version has no file", "load it from the registry")
    folder = settings().cache_path / "decoders" / cards.digest_in(described(loaded.version))
    if not (folder / DECODER).exists():
        _fetch(loaded.version, folder)
    return folder / DECODER
