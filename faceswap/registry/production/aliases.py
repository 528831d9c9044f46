"""Which version is in production: aliases point to versions, tags and the description say why.

The aliases are the truth: a pointer moves in one transaction. The tag ``stage`` of each version repeats them where
MLflow's pages show tags, and can always be written again from the aliases.
"""

from mlflow.exceptions import MlflowException

from faceswap.provenance.consent.life import Purpose
from faceswap.registry import consents
from faceswap.registry.model_names import Version
from faceswap.registry.production.lock import locked
from faceswap.registry.production.stages import Stage, stage_of
from faceswap.registry.versions import explained_change
from faceswap.tracking import connect

_NOTES = 4800
"""Characters of a description that are kept; MLflow's databases take 5000."""


def at(name: str, alias: str) -> Version | None:
    """The version that an alias of a model points to; None where there is no such alias or model."""
    client = connect()
    with explained_change(f"tell what {name}@{alias} is"):
        try:
            number = client.get_registered_model(name).aliases.get(alias)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
    return None if number is None else Version(name, int(number))


def exists(version: Version) -> bool:
    """False where the version was deleted."""
    client = connect()
    with explained_change(f"look for {version}"):
        return bool(
            client.search_model_versions(f"name='{version.name}' and version_number={version.version}")
        )


def set_alias(version: Version, alias: str) -> None:
    """Let an alias point to a version."""
    client = connect()
    with explained_change(f"let {alias} point to {version}"):
        client.set_registered_model_alias(version.name, alias, str(version.version))


def drop_alias(name: str, alias: str) -> None:
    """Remove an alias; nothing happens where there is none."""
    client = connect()
    with explained_change(f"remove the alias {alias}"):
        client.delete_registered_model_alias(name, alias)


def tags(version: Version) -> dict[str, str]:
    """The tags of a version.

    Raises:
        RegistryError: it does not exist.
    """
    client = connect()
    with explained_change(f"read {version}"):
        return dict(client.get_model_version(version.name, str(version.version)).tags)


def add_note(version: Version, line: str) -> None:
    """Add a line of Markdown to the version's description, oldest first; the oldest give way when it is full."""
    client = connect()
    number = str(version.version)
    with explained_change(f"describe {version}"):
        text = client.get_model_version(version.name, number).description or ""
        lines = [*text.splitlines(), " ".join(line.split())[:_NOTES]]
        kept = 1 if lines and not lines[0].startswith("- ") else 0  # the summary stays
        while len("\n".join(lines)) > _NOTES and len(lines) > kept + 1:
            lines.pop(kept)
        client.update_model_version(version.name, number, "\n".join(lines))


def set_summary(version: Version, line: str) -> None:
    """Let a version's description begin with a line; the notes below it stay."""
    client = connect()
    number = str(version.version)
    with explained_change(f"describe {version}"):
        text = client.get_model_version(version.name, number).description or ""
        notes = [note for note in text.splitlines() if note.startswith("- ")]
        client.update_model_version(version.name, number, "\n".join([line, *notes])[:_NOTES])


def drop_all(name: str) -> list[str]:
    """Remove all aliases of a model, whoever set them; returns them. Nothing happens where there is no model."""
    client = connect()
    with locked(name), explained_change(f"remove the aliases of {name}"):
        try:
            held = sorted(client.get_registered_model(name).aliases)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return []
        for alias in held:
            client.delete_registered_model_alias(name, alias)
        if held:
            mark_stages(name)
    return held


def mark_stages(name: str) -> None:
    """Write the tag ``stage`` of every version of a model as its aliases say."""
    client = connect()
    with explained_change(f"mark the stages of {name}"):
        aliases = client.get_registered_model(name).aliases
        for found in client.search_model_versions(f"name='{name}'"):
            held = {alias for alias, number in aliases.items() if str(number) == str(found.version)}
            stage = stage_of(held)
            if found.tags.get("stage") != stage:
                client.set_model_version_tag(name, str(found.version), "stage", stage)


def alias_after_training(version: Version) -> str:
    """``production`` for the first version of an identity, else ``challenger``; returns the alias that was set.

    A version that has an alias already, since a resumed training comes here twice, keeps it.
    """
    with locked(version.name):
        consents.require(version.identity, Purpose.SWAPPING, fresh=True)
        held = next((stage for stage in Stage if at(version.name, stage) == version), None)
        if held is not None:
            return held.value
        alias = Stage.CHALLENGER if at(version.name, Stage.PRODUCTION) else Stage.PRODUCTION
        set_alias(version, alias)
        mark_stages(version.name)
    return alias.value
