"""Versions into production and back: the order of the writes, and the record of who did it and why.

``production`` is one pointer, which MLflow moves in one transaction: it is never missing in between. Everything that
a later step needs is written before it moves, everything that can be written again from it comes after:

1. to the new version: the decision, who, when, and ``promotion.replaced``, the version that it takes over from;
2. the alias ``previous``;
3. the alias ``production``;
4. the alias ``challenger`` is dropped, the tags ``stage`` follow the aliases.

A crash before 3 leaves the old version in production, a crash after it the new one; both are complete. The same
command again does what is missing. ``promotion.replaced`` is what a rollback goes by, so that a crash between 2 and 3
does not send it to the wrong version.
"""

import datetime as dt
import re

from pydantic import BaseModel, ConfigDict, Field

from faceswap import registry
from faceswap.errors import RegistryError
from faceswap.provenance.consent.life import Purpose
from faceswap.registry import PREFIX, Lock, Stage, Version, consents

REPLACED = "promotion.replaced"


class Record(BaseModel):
    """What is written down about one step of a version's life."""

    model_config = ConfigDict(frozen=True)

    outcome: str = Field(description="passed, refused, overridden, declined, nominated, rolled back")
    by: str = Field(description="who")
    reasons: tuple[str, ...] = ()
    override: str = ""
    run_id: str = Field("", description="MLflow run with the report")
    url: str = Field("", description="where a browser shows that run; empty without a server")
    at: dt.datetime = Field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def tags(self) -> dict[str, str]:
        """As tags of the version."""
        return {
            "promotion": self.outcome,
            "promotion.by": self.by,
            "promotion.at": self.at.isoformat(timespec="seconds"),
            "promotion.reasons": "; ".join(self.reasons)[:5000],
            "promotion.override": self.override[:5000],
            "promotion.run": self.run_id,
        }

    def note(self) -> str:
        """As a line of Markdown in the version's description."""
        said = "; ".join([*self.reasons, *([f"override: {self.override}"] if self.override else [])])
        run = f"[report]({self.url})" if self.url else f"report in run {self.run_id}" if self.run_id else ""
        parts = [f"- {self.at:%Y-%m-%d %H:%M} UTC **{self.outcome}** by {self.by}", said[:1000], run]
        return ". ".join(part for part in parts if part)


def candidate(spec: str) -> Version:
    """The version that is to be promoted; a bare name means its alias ``challenger``.

    Raises:
        RegistryError: there is none.
    """
    bare = spec.removeprefix("models:/")
    return registry.resolve(spec if re.search("[@/]", bare) else f"{spec}@{Stage.CHALLENGER}")


def promote(challenger: Version, champion: Version | None, record: Record) -> None:
    """Put a version into production, the one before it in reserve.

    Args:
        challenger: the version.
        champion: what it was compared with; production has to be that still.
        record: the decision.

    Raises:
        RegistryError: production has changed meanwhile, or others hold the lock, or MLflow does not answer.
    """
    name = challenger.name
    with registry.locked(name) as lock:
        found = registry.at(name, Stage.PRODUCTION)
        if found != champion:
            raise RegistryError(
                f"Production of {challenger.identity} is {found or 'empty'} now, but {challenger} was measured "
                f"against {champion or 'nothing'}",
                "promote again, so that it is measured against what is in production",
            )
        replaced = {REPLACED: str(champion.version)} if champion else {}
        registry.tag(challenger, {**record.tags(), **replaced})
        registry.add_note(challenger, record.note())
        if champion is not None:
            registry.set_alias(champion, Stage.PREVIOUS)
        _into_production(challenger, lock)


def refuse(challenger: Version, record: Record) -> None:
    """Write down that a version does not go to production; no alias moves."""
    with registry.locked(challenger.name):
        registry.tag(challenger, record.tags())
        registry.add_note(challenger, record.note())


def nominate(version: Version, record: Record) -> None:
    """Make a version the challenger."""
    with registry.locked(version.name):
        if registry.at(version.name, Stage.PRODUCTION) == version:
            raise RegistryError(f"{version} is in production already", "name another version")
        consents.require(version.identity, Purpose.SWAPPING, fresh=True)
        registry.tag(version, record.tags())
        registry.add_note(version, record.note())
        registry.set_alias(version, Stage.CHALLENGER)
        registry.mark_stages(version.name)


def repair(name: str) -> Version | None:
    """Finish what an interrupted promotion left undone; returns the version in production."""
    with registry.locked(name) as lock:
        current = registry.at(name, Stage.PRODUCTION)
        if current is None:
            return None
        before = _replaced_by(current)
        if before is not None:
            registry.set_alias(before, Stage.PREVIOUS)
        _into_production(current, lock)
        return current


def roll_back(name: str, record: Record) -> tuple[Version, Version]:
    """Put the version before into production again.

    Args:
        name: of the identity or the model.
        record: who and why.

    Returns:
        the version that left production and the one that is there now.

    Raises:
        RegistryError: nothing is in production, there is no version before, or MLflow does not answer.
    """
    model = PREFIX + name.removeprefix("models:/").removeprefix(PREFIX)
    with registry.locked(model) as lock:
        current = registry.at(model, Stage.PRODUCTION)
        if current is None:
            raise RegistryError(f"No version of {name!r} is in production", "`faceswap models` lists them")
        target = _replaced_by(current) or registry.at(model, Stage.PREVIOUS)
        if target is None or target == current:
            raise RegistryError(
                f"{current} has no version before it to go back to",
                f"put one into production with `faceswap promote {current.identity}/VERSION`",
            )
        registry.tag(current, {**record.tags(), REPLACED: str(target.version)})
        registry.add_note(current, record.note())
        back = record.model_copy(
            update={"outcome": f"back in production after {current} was {record.outcome}"}
        )
        registry.add_note(target, back.note())
        further = _replaced_by(target)
        if further is None or further == current:
            registry.drop_alias(model, Stage.PREVIOUS)
        else:
            registry.set_alias(further, Stage.PREVIOUS)
        _into_production(target, lock)
    return current, target


def _replaced_by(version: Version) -> Version | None:
    """The version that this one took over from, if it is still there."""
    number = registry.tags(version).get(REPLACED, "")
    before = Version(version.name, int(number)) if number.isdigit() else None
    return before if before and before != version and registry.exists(before) else None


def _into_production(version: Version, lock: Lock) -> None:
    """The last writes of every move; each can be repeated. A withdrawal writes first and then waits for this lock."""
    consents.require(version.identity, Purpose.SWAPPING, fresh=True)
    lock.confirm()
    registry.set_alias(version, Stage.PRODUCTION)
    if registry.at(version.name, Stage.CHALLENGER) == version:
        registry.drop_alias(version.name, Stage.CHALLENGER)
    registry.mark_stages(version.name)
