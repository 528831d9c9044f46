"""Decoder versions: found, described, listed.

A version holds its decoder and a card (JSON: geometry, preset, embeddings, consent, lineage); the encoder, which
all identities of a run share, is stored once with the run and fetched by digest. Nothing is pickled.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import mlflow
from mlflow.exceptions import MlflowException

from faceswap.errors import RegistryError
from faceswap.provenance.consent.life import Purpose
from faceswap.registry import consents
from faceswap.registry.cards.version_card import is_complete
from faceswap.registry.model_names import PREFIX, Version
from faceswap.registry.production.stages import stage_of
from faceswap.settings import settings
from faceswap.tracking import connect, explained, failures

logger = logging.getLogger(__name__)
_SPEC = re.compile(r"^(?:models:/)?(?P<name>[^@/]+)(?:@(?P<alias>[\w.-]+)|/(?P<version>\d+))?$")


_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
"""MLflow's answers where there is no such model or version, and no such alias."""


def resolve(spec: str) -> Version:
    """The version that ``ada``, ``ada@production``, ``ada/3`` or a ``models:/…`` URI names.

    A bare name means the alias ``production``.

    Raises:
        RegistryError: there is no such model, version or alias, or its registration was never finished.
        TrackingError: the server does not answer.
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
        if error.error_code not in _ABSENT:
            with explained(f"look for {spec!r}"):
                raise
        raise RegistryError(
            _not_found(client, name, spec), "`faceswap models` lists what there is"
        ) from error
    version = Version(name, int(found.version))
    _require_complete(version, found.tags)
    return version


def identity_in(spec: str) -> str:
    """Whose version a spec names, whether there is one or not; of what names none, the spec."""
    match = _SPEC.match(spec)
    return match["name"].removeprefix(PREFIX) if match else spec


def _require_complete(version: Version, tags: Mapping[str, str]) -> None:
    if not is_complete(tags):
        raise RegistryError(
            f"{version} has no consent or no digest: its registration was cut short",
            "`faceswap train --resume RUN_ID` registers it whole; `faceswap models` lists what can be used",
        )


def described(version: Version) -> dict[str, str]:
    """The tags of a version that was registered as a whole.

    Raises:
        RegistryError: it does not exist, or its registration was never finished.
    """
    client = connect()
    with explained_change(f"read {version}"):
        tags = dict(client.get_model_version(version.name, str(version.version)).tags)
    _require_complete(version, tags)
    return tags


def _not_found(client: mlflow.MlflowClient, name: str, spec: str) -> str:
    try:
        model = client.get_registered_model(name)
    except MlflowException:
        return f"No model is registered for {spec!r} at {settings().tracking}"
    known = [v.version for v in client.search_model_versions(f"name='{name}'")]
    return f"{spec!r} does not exist: {name} has versions {sorted(map(int, known))}, aliases {dict(model.aliases)}"


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
    """All decoder versions that were registered as a whole, newest first within each identity."""
    client = connect()
    rows: list[Listed] = []
    with explained("list the versions"):
        for model in client.search_registered_models(f"name LIKE '{PREFIX}%'", max_results=1000):
            for found in client.search_model_versions(f"name='{model.name}'"):
                if not is_complete(found.tags):
                    continue
                aliases = tuple(sorted(a for a, v in model.aliases.items() if str(v) == str(found.version)))
                version = Version(model.name, int(found.version))
                rows.append(Listed(version, aliases, dict(found.tags), found.creation_timestamp / 1000))
    return sorted(rows, key=lambda row: (row.version.name, -row.version.version))


def allowed_versions() -> list[Listed]:
    """:func:`versions` without those of people whose consent does not allow swaps now."""
    rows = versions()
    people = {row.version.identity for row in rows}
    allowed = {one for one in people if consents.allows(one, Purpose.SWAPPING)}
    return [row for row in rows if row.version.identity in allowed]
