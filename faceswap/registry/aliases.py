"""Which version is in production: aliases point to versions, tags and the description say why.

The aliases are the truth: a pointer moves in one transaction. The tag ``stage`` of each version repeats them where
MLflow's pages show tags, and can always be written again from the aliases.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from faceswap.errors import RegistryError
from faceswap.registry.lock import locked
from faceswap.registry.stages import Stage, stage_of
from faceswap.registry.versions import Version
from faceswap.settings import settings
from faceswap.tracking import connect

_NOTES = 4800
"""Characters of a description that are kept; MLflow's databases take 5000."""


@contextmanager
def _explained(action: str) -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise RegistryError(
            f"MLflow at {settings().tracking} can't {action}: {reason}",
            "production points to a valid version all the same; repeat the command when MLflow answers",
        ) from error


@lru_cache(maxsize=4)
def _client(uri: str) -> MlflowClient:
    """Connected once for each server: a promotion makes some thirty small calls."""
    return connect()


def at(name: str, alias: str) -> Version | None:
    """The version that an alias of a model points to; None where there is no such alias or model."""
    client = _client(settings().tracking)
    with _explained(f"tell what {name}@{alias} is"):
        try:
            number = client.get_registered_model(name).aliases.get(alias)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
    return None if number is None else Version(name, int(number))


def exists(version: Version) -> bool:
    """False where the version was deleted."""
    client = _client(settings().tracking)
    with _explained(f"look for {version}"):
        return bool(
            client.search_model_versions(f"name='{version.name}' and version_number={version.version}")
        )


def set_alias(version: Version, alias: str) -> None:
    """Let an alias point to a version."""
    client = _client(settings().tracking)
    with _explained(f"let {alias} point to {version}"):
        client.set_registered_model_alias(version.name, alias, str(version.version))


def drop_alias(name: str, alias: str) -> None:
    """Remove an alias; nothing happens where there is none."""
    client = _client(settings().tracking)
    with _explained(f"remove the alias {alias}"):
        client.delete_registered_model_alias(name, alias)


def tags(version: Version) -> dict[str, str]:
    """The tags of a version.

    Raises:
        RegistryError: it does not exist.
    """
    client = _client(settings().tracking)
    with _explained(f"read {version}"):
        return dict(client.get_model_version(version.name, str(version.version)).tags)


def tag(version: Version, values: Mapping[str, str]) -> None:
    """Set tags of a version."""
    client = _client(settings().tracking)
    with _explained(f"take tags of {version}"):
        for key, value in values.items():
            client.set_model_version_tag(version.name, str(version.version), key, value)


def add_note(version: Version, line: str) -> None:
    """Add a line of Markdown to the version's description, oldest first; the oldest give way when it is full."""
    client = _client(settings().tracking)
    number = str(version.version)
    with _explained(f"describe {version}"):
        text = client.get_model_version(version.name, number).description or ""
        lines = [*text.splitlines(), " ".join(line.split())[:_NOTES]]
        while len("\n".join(lines)) > _NOTES:
            lines.pop(0)
        client.update_model_version(version.name, number, "\n".join(lines))


def mark_stages(name: str) -> None:
    """Write the tag ``stage`` of every version of a model as its aliases say."""
    client = _client(settings().tracking)
    with _explained(f"mark the stages of {name}"):
        aliases = client.get_registered_model(name).aliases
        for found in client.search_model_versions(f"name='{name}'"):
            held = {alias for alias, number in aliases.items() if str(number) == str(found.version)}
            stage = stage_of(held)
            if found.tags.get("stage") != stage:
                client.set_model_version_tag(name, str(found.version), "stage", stage)


def alias_after_training(version: Version) -> str:
    """``production`` for the first version of an identity, else ``challenger``; returns the alias that was set."""
    with locked(version.name):
        alias = Stage.CHALLENGER if at(version.name, Stage.PRODUCTION) else Stage.PRODUCTION
        set_alias(version, alias)
        mark_stages(version.name)
    return alias.value
