"""The states of a version, as MLflow's pages show them."""

from collections.abc import Collection
from enum import StrEnum


class Stage(StrEnum):
    """The state of a version, as the tag ``stage``; all but the last are aliases too."""

    PRODUCTION = "production"
    CHALLENGER = "challenger"
    PREVIOUS = "previous"
    ARCHIVED = "archived"


def stage_of(aliases: Collection[str]) -> Stage:
    """The state that a version's aliases give it."""
    return next((stage for stage in Stage if stage in aliases), Stage.ARCHIVED)
