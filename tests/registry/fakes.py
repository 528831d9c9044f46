"""Versions without files: a row in the registry is all that aliases, tags and locks need."""

from faceswap.registry import PREFIX, Version
from faceswap.tracking import connect


def add_versions(identity: str, count: int) -> list[Version]:
    """The first ``count`` versions of an identity, without alias or stage."""
    client, name = connect(), PREFIX + identity
    client.create_registered_model(name)
    return [
        Version(
            name,
            int(
                client.create_model_version(
                    name, source="s3://nowhere/version", tags={"consent": "fictional", "digest": "d" * 64}
                ).version
            ),
        )
        for _ in range(count)
    ]


def aliases(name: str) -> dict[str, int]:
    return {alias: int(number) for alias, number in connect().get_registered_model(name).aliases.items()}


def stages(name: str) -> dict[int, str | None]:
    found = connect().search_model_versions(f"name='{name}'")
    return {int(version.version): version.tags.get("stage") for version in found}


def locks() -> list[str]:
    """Registered models that stand for locks."""
    return [model.name for model in connect().search_registered_models("name LIKE 'lock.%'")]
