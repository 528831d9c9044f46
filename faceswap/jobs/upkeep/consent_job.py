"""Consent: shown, recorded, extended, withdrawn; and what of a person exists erased."""

import datetime as dt
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from faceswap import registry
from faceswap.errors import ConsentError, FaceswapError, SettingsError
from faceswap.faces.faceset import find_headers
from faceswap.jobs.monitor import TERMINAL, Monitor
from faceswap.jobs.parameters import Identity, Parameters
from faceswap.jobs.upkeep import erasure
from faceswap.provenance import audit
from faceswap.provenance.consent.life import EVERYTHING, Event, Life, Purpose
from faceswap.provenance.consent.record import Consent
from faceswap.provenance.consent.remains import Item, Remains
from faceswap.registry import PREFIX, consents
from faceswap.settings import settings

logger = logging.getLogger(__name__)


class ConsentParameters(Parameters):
    """Whose consent, what of it changes, and who says so."""

    name: Identity = Field(description="the identity", pattern=r"^[\w][\w.-]*$")
    statement: str = Field(
        "", max_length=2000, description="the consent in words; of a withdrawal the reason"
    )
    purposes: list[Purpose] = Field([], description="what it allows; empty: all, or as before")
    targets: str = Field("", max_length=2000, description="which targets it allows, in words; empty: any")
    since: dt.date | None = Field(None, description="first day; empty: today")
    until: dt.date | None = Field(None, description="last day; empty: until it is withdrawn")
    evidence: str = Field(
        "", description="the signed file: its SHA-256 is kept, the file itself stays with you"
    )
    fictional: bool = Field(False, description="the person does not exist")
    by: str = Field("", max_length=200, description="who records it; empty: the user of the machine")
    erase: bool = Field(False, description="with a withdrawal: erase all that exists of the person")


@dataclass(frozen=True)
class Withdrawn:
    """What became of a withdrawal.

    Attributes:
        life: the history with it.
        aliases: that were removed.
        found: what existed of the person.
        erased: what was erased.
        left: what a search found after an erasure; None: nothing was to be erased.
        problems: what could not be done, in sentences; the same command does it once it can.
    """

    life: Life
    aliases: list[str]
    found: Remains
    erased: list[Item] = field(default_factory=list)
    left: Remains | None = None
    problems: list[str] = field(default_factory=list)


def consent_of(name: str) -> Life:
    """The history of a person's consent; what face sets and versions of before carry counts as recorded by it.

    Raises:
        ConsentError: nothing is known of that person.
    """
    life = consents.life_of(name, *_of_before(name), fresh=True)
    if not life.events:
        raise ConsentError(f"No consent is recorded for {name!r}", f"`faceswap consent record {name}`")
    return life


def _of_before(name: str) -> list[Consent]:
    """The newest face set's, else that of a version."""
    for _, header in find_headers(settings().face_sets_root, name):
        if header.get("consent"):
            return [Consent.model_validate(header["consent"])]
    for row in registry.versions():
        if row.version.identity == name:
            said = row.tags["consent"]
            match = re.fullmatch(r"(.{3,}) \(since (\d{4}-\d\d-\d\d)\)", said, re.DOTALL)
            statement, day = (
                (match[1], dt.date.fromisoformat(match[2])) if match else (said, dt.date(1970, 1, 1))
            )
            fictional = row.tags.get("fictional") == "true"
            return [Consent(subject=name, statement=statement, since=day, fictional=fictional)]
    return []


def _digest_of(evidence: str) -> str:
    if not evidence:
        return ""
    path = Path(evidence).expanduser()
    if not path.is_file():
        raise SettingsError(f"There is no file {evidence}", "name the signed consent")
    return audit.sha256_of(path)


def _write(event: Event) -> Life:
    """Both places, and the log. What was only in a face set becomes the history's first event."""
    for before in consents.life_of(event.identity, *_of_before(event.identity), fresh=True).events:
        if before.id == "0" * 32:
            consents.write(before)
    consents.write(event)
    facts = event.model_dump(mode="json", exclude={"identity", "by", "at"})
    audit.record(f"consent {event.kind}", [event.identity], facts, by=event.by)
    return consents.life_of(event.identity, fresh=True)


def record_consent(parameters: ConsentParameters, monitor: Monitor = TERMINAL) -> Life:
    """Write down that a person consents; after a withdrawal this is what allows uses again.

    Raises:
        SettingsError: it says nothing, or the days are in the wrong order.
    """
    if len(parameters.statement.strip()) < 3:
        raise SettingsError("The consent says nothing", "say in words what allows the use, and who gave it")
    since = parameters.since or dt.datetime.now(dt.UTC).date()
    if parameters.until and parameters.until < since:
        raise SettingsError(f"The consent would end on {parameters.until}, before it begins on {since}")
    life = consents.life_of(parameters.name, fresh=True)
    return _write(
        Event(
            identity=parameters.name,
            kind="recorded",
            by=audit.who(parameters.by),
            statement=parameters.statement.strip(),
            purposes=tuple(parameters.purposes) or EVERYTHING,
            targets=parameters.targets,
            since=since,
            until=parameters.until,
            evidence=_digest_of(parameters.evidence),
            fictional=parameters.fictional,
            supersedes=tuple(event.id for event in life.withdrawals),
        )
    )


def extend_consent(parameters: ConsentParameters, monitor: Monitor = TERMINAL) -> Life:
    """Let a consent last longer, or allow more or less.

    Raises:
        ConsentError: there is none, or it was withdrawn: then it has to be recorded anew.
        SettingsError: nothing is to change.
    """
    life = consent_of(parameters.name)
    terms = life.terms
    if life.withdrawals or terms is None:
        raise ConsentError(
            f"The consent of {parameters.name!r} was withdrawn and can't be extended",
            f"where the person consents anew, `faceswap consent record {parameters.name}`",
        )
    if parameters.until is None and not parameters.purposes:
        raise SettingsError("Nothing is to change", "give --until DAY, or --purpose")
    return _write(
        Event(
            identity=parameters.name,
            kind="extended",
            by=audit.who(parameters.by),
            statement=parameters.statement.strip(),
            purposes=tuple(parameters.purposes) or terms.purposes,
            until=parameters.until or terms.until,
            evidence=_digest_of(parameters.evidence),
        )
    )


def withdraw_consent(parameters: ConsentParameters, monitor: Monitor = TERMINAL) -> Withdrawn:
    """End a consent now: no training, promotion, swap or serving from the next second; trainings that run stop.

    Called again it goes on where a server was lost, and erases where that is asked for.
    """
    name = parameters.name
    life, problems = consents.life_of(name, *_of_before(name), fresh=True), []
    event = Event(
        identity=name,
        kind="withdrawn",
        by=audit.who(parameters.by),
        statement=parameters.statement.strip(),
        purposes=(),
    )
    try:
        if not life.withdrawals:
            life = _write(event)
        else:
            consents.synchronise(name)
    except FaceswapError as error:
        life = consents.life_of(name, fresh=True)
        if not life.withdrawals:
            raise
        problems.append(f"The withdrawal holds, but not every place knows of it: {error.message}")
    try:
        aliases = registry.drop_all(PREFIX + name)
        found = erasure.find(name)
    except FaceswapError as error:
        problems.append(error.message)
        return Withdrawn(life, [], Remains(), problems=problems)
    if not parameters.erase:
        return Withdrawn(life, aliases, found, problems=problems)
    with monitor.progress(f"erase what there is of {name}", "things") as report:
        gone, left = erasure.erase(name, report)
    audit.record("erased", [name], {"things": len(gone), "left": len(left.items)}, by=parameters.by)
    return Withdrawn(life, aliases, found, gone, left, problems)
