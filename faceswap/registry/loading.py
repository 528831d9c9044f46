"""A version in memory: its files are fetched once, kept by digest, checked and loaded."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
from mlflow.entities.model_registry import ModelVersion

from faceswap.errors import RegistryError
from faceswap.faces.crispness import Crispness
from faceswap.faces.geometry import Geometry
from faceswap.registry.versions import Card, Version, resolve
from faceswap.settings import settings
from faceswap.tracking import connect, explained, failures

if TYPE_CHECKING:
    from faceswap.inference.decoder_network import DecoderNetwork


@dataclass(frozen=True)
class LoadedVersion:
    """A version in memory: its card and the network that swaps."""

    card: Card
    network: "DecoderNetwork"
    version: Version | None = None


def load(spec: str | Version) -> LoadedVersion:
    """Load a version; its files are downloaded once and kept by digest under the cache folder.

    Raises:
        RegistryError: it does not exist, can't be fetched or is damaged.
        TrackingError: MLflow does not answer.
    """
    version = spec if isinstance(spec, Version) else resolve(spec)
    with explained(f"give {version}"):
        found = connect().get_model_version(version.name, str(version.version))
    folder = (
        settings().cache_path
        / "decoders"
        / found.tags.get("decoder_digest", f"{version.name}-{version.version}")
    )
    if not (folder / "card.json").exists():
        _fetch(version.uri, folder, found)
    loaded = load_files(folder / "card.json", folder / "decoder.keras")
    return LoadedVersion(loaded.card, loaded.network, version)


def _fetch(uri: str, folder: Path, found: ModelVersion) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        try:
            mlflow.artifacts.download_artifacts(artifact_uri=f"{uri}/artifacts", dst_path=scratch)
        except failures() as error:
            raise RegistryError(
                f"The files of {found.name}/{found.version} can't be fetched: {error}"
            ) from error
        files = Path(scratch, "files")
        files.mkdir()
        for name in ("card.json", "decoder.keras"):
            next(Path(scratch).rglob(name)).rename(files / name)
        _move_into_place(files, folder)


def load_files(card_file: Path, decoder_file: Path) -> LoadedVersion:
    """Load a version from its card and decoder; the encoder comes from the cache or from its run.

    Raises:
        RegistryError: a file is missing or damaged.
    """
    from faceswap.inference.code_range import CodeRange  # listing versions needs no Keras
    from faceswap.inference.decoder_network import DecoderNetwork, read_model

    card = Card.model_validate_json(card_file.read_text())
    encoder = read_model(encoder_file(card), card.encoder_digest)
    decoder = read_model(decoder_file, card.decoder_digest)
    codes = CodeRange.unpack(card.codes) if card.codes else None
    geometry = Geometry.from_dict(card.geometry)
    crispness = Crispness(card.unsharp, card.detail)
    return LoadedVersion(card, DecoderNetwork(encoder, decoder, geometry, crispness, codes))


def encoder_file(card: Card) -> Path:
    """The local file of a version's encoder, downloaded once for all identities of the run."""
    folder = settings().cache_path / "encoders" / card.encoder_digest
    if not (folder / "encoder.keras").exists():
        connect()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            try:
                mlflow.artifacts.download_artifacts(
                    run_id=card.run_id, artifact_path="encoder/encoder.keras", dst_path=scratch
                )
            except failures() as error:
                raise RegistryError(f"The encoder of run {card.run_id} can't be fetched: {error}") from error
            _move_into_place(next(Path(scratch).rglob("encoder.keras")).parent, folder)
    return folder / "encoder.keras"


def _move_into_place(source: Path, folder: Path) -> None:
    try:
        source.rename(folder)
    except OSError:
        if not folder.exists():  # another process may have been faster: then its files are as good
            raise


def decoder_file(loaded: LoadedVersion) -> Path:
    """The local file of a loaded version's decoder."""
    return settings().cache_path / "decoders" / loaded.card.decoder_digest / "decoder.keras"
