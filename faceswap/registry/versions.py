"""Decoder versions: stored, found, listed.

A version holds its decoder and a card (JSON: geometry, preset, embeddings, consent, lineage); the encoder, which
all identities of a run share, is stored once with the run and fetched by digest. Nothing is pickled.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

import faceswap
from faceswap.errors import RegistryError
from faceswap.faces.crispness import Crispness
from faceswap.model.presets import Preset
from faceswap.provenance.consent import Consent
from faceswap.registry.stages import stage_of
from faceswap.settings import settings
from faceswap.tracking import connect, explained, failures

PREFIX = "face-"
_SPEC = re.compile(r"^(?:models:/)?(?P<name>[^@/]+)(?:@(?P<alias>[\w.-]+)|/(?P<version>\d+))?$")


class Card(BaseModel):
    """What a version knows about itself; stored beside its decoder.

    ``identities`` maps every identity of the run to its mean embedding (128 floats); ``face_sets`` to the digest
    and the place of the face set it was trained on. ``unsharp`` and ``detail`` tell how much its pictures have
    to be sharpened (:class:`faceswap.faces.crispness.Crispness`), ``codes`` where its codes lie
    (:meth:`faceswap.inference.code_range.CodeRange.pack`; empty: not measured).
    """

    model_config = ConfigDict(frozen=True)

    identity: str
    run_id: str
    preset: Preset
    geometry: dict[str, Any]
    encoder_digest: str
    decoder_digest: str
    face_sets: dict[str, dict[str, str]]
    identities: dict[str, list[float]]
    consent: Consent
    unsharp: float = Crispness.unsharp
    detail: float = Crispness.detail
    codes: str = ""
    code_version: str = faceswap.__version__

    def embedding(self, identity: str | None = None) -> NDArray[np.float64]:
        """(128,) mean embedding of an identity of the run, by default the version's own."""
        return np.asarray(self.identities[identity or self.identity])


@dataclass(frozen=True)
class Version:
    """A registered version, by name and number."""

    name: str
    version: int

    @property
    def identity(self) -> str:
        """The identity, without the prefix of the model's name."""
        return self.name.removeprefix(PREFIX)

    @property
    def uri(self) -> str:
        """MLflow's URI."""
        return f"models:/{self.name}/{self.version}"

    def __str__(self) -> str:
        return f"{self.identity}/{self.version}"


def resolve(spec: str) -> Version:
    """The version that ``ada``, ``ada@production``, ``ada/3`` or a ``models:/…`` URI names.

    A bare name means the alias ``production``.

    Raises:
        RegistryError: there is no such model, version or alias.
    """
    match = _SPEC.match(spec)
    if not match:
        raise RegistryError(f"{spec!r} names no version", "write NAME, NAME@ALIAS or NAME/VERSION")
    name = match["name"] if match["name"].startswith(PREFIX) else PREFIX + match["name"]
    client = connect()
    try:
        if match["version"]:
            found = client.get_model_version(name, match["version"])
        else:
            found = client.get_model_version_by_alias(name, match["alias"] or "production")
    except MlflowException as error:
        raise RegistryError(
            _not_found(client, name, spec), "`faceswap models` lists what there is"
        ) from error
    return Version(name, int(found.version))


def _not_found(client: mlflow.MlflowClient, name: str, spec: str) -> str:
    try:
        model = client.get_registered_model(name)
    except MlflowException:
        return f"No model is registered for {spec!r} at {settings().tracking}"
    known = [v.version for v in client.search_model_versions(f"name='{name}'")]
    return f"{spec!r} does not exist: {name} has versions {sorted(map(int, known))}, aliases {dict(model.aliases)}"


def register(run_id: str, folder: Path, cards: Mapping[str, Card]) -> dict[str, Version]:
    """Store the encoder once with the run, and each decoder as a new version of its identity's model.

    Args:
        run_id: the active run.
        folder: with ``encoder.keras`` and ``decoder_<identity>.keras``.
        cards: identity -> card.

    Raises:
        TrackingError: MLflow or the store of its artifacts does not take them; the folder stays as it is.
    """
    client = connect()
    with explained("store the encoder"):
        client.log_artifact(run_id, str(folder / "encoder.keras"), "encoder")
    code = Path(faceswap.__file__).with_name("registered_model.py")
    versions: dict[str, Version] = {}
    for identity, card in cards.items():
        with explained(f"register the decoder of {identity}"), tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch, "card.json")
            file.write_text(card.model_dump_json(indent=1))
            decoder = shutil.copy(folder / f"decoder_{identity}.keras", Path(scratch, "decoder.keras"))
            info = mlflow.pyfunc.log_model(
                name=f"{PREFIX}{identity}",
                python_model=str(code),
                artifacts={"card": str(file), "decoder": str(decoder)},
                pip_requirements=[f"faceswap=={faceswap.__version__}"],
                registered_model_name=f"{PREFIX}{identity}",
                model_type="face-decoder",
            )
        version = Version(PREFIX + identity, int(info.registered_model_version))
        tag(version, _tags(card))
        versions[identity] = version
    return versions


def _tags(card: Card) -> dict[str, str]:
    return {
        "run_id": card.run_id,
        "preset": card.preset.name,
        "bottleneck": str(card.preset.bottleneck),
        "encoder_digest": card.encoder_digest,
        "decoder_digest": card.decoder_digest,
        "face_sets": json.dumps({name: entry["digest"] for name, entry in card.face_sets.items()}),
        "consent": f"{card.consent.statement} (since {card.consent.since})",
        "fictional": str(card.consent.fictional).lower(),
    }


def record_metrics(version: Version, metrics: Mapping[str, float]) -> None:
    """Write an evaluation's numbers to the version: as tags, and as metrics that the UI sorts by."""
    client = connect()
    tag(version, {key: f"{value:.4f}" for key, value in metrics.items()})
    with explained(f"take the measures of {version}"):
        model_version = client.get_model_version(version.name, str(version.version))
        if model_version.model_id and mlflow.active_run() is not None:
            finite = {k: v for k, v in metrics.items() if np.isfinite(v)}
            mlflow.log_metrics(finite, model_id=model_version.model_id)


@contextmanager
def explained_change(action: str) -> Iterator[None]:
    """What MLflow refuses within the block becomes a RegistryError that says what was tried."""
    try:
        yield
    except failures() as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise RegistryError(
            f"MLflow at {settings().tracking} can't {action}: {reason}",
            "production points to a valid version all the same; repeat the command when MLflow answers",
        ) from error


def tag(version: Version, values: Mapping[str, str]) -> None:
    """Set tags of a version."""
    client = connect()
    with explained_change(f"take tags of {version}"):
        for key, value in values.items():
            client.set_model_version_tag(version.name, str(version.version), key, value)


@dataclass(frozen=True)
class Listed:
    """A row of the table of versions."""

    version: Version
    aliases: tuple[str, ...]
    tags: dict[str, str]
    created: float

    @property
    def stage(self) -> str:
        """production, challenger, previous or archived, as the aliases say."""
        return stage_of(self.aliases).value


def versions() -> list[Listed]:
    """All registered decoder versions, newest first within each identity."""
    client = connect()
    rows: list[Listed] = []
    with explained("list the versions"):
        for model in client.search_registered_models(f"name LIKE '{PREFIX}%'", max_results=1000):
            for found in client.search_model_versions(f"name='{model.name}'"):
                aliases = tuple(sorted(a for a, v in model.aliases.items() if str(v) == str(found.version)))
                version = Version(model.name, int(found.version))
                rows.append(Listed(version, aliases, dict(found.tags), found.creation_timestamp / 1000))
    return sorted(rows, key=lambda row: (row.version.name, -row.version.version))
