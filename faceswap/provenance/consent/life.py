"""A consent's life: recorded, extended, withdrawn; what it allows today.

Each step is an event that is never changed, and the history of a person is a set of events, in whatever order they were
written and read: two people who write at the same time lose nothing. A withdrawal ends the consent until a later
record names it as superseded, so that no extension that was written beside it brings the consent back.
"""

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from faceswap.errors import ConsentError
from faceswap.provenance.consent.record import Consent


class Purpose(StrEnum):
    """What a likeness may be used for."""

    TRAINING = "training"
    SWAPPING = "swapping"
    PUBLISHING = "publishing"


EVERYTHING = tuple(Purpose)
Kind = Literal["recorded", "extended", "withdrawn"]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _new_id() -> str:
    return uuid4().hex


class Event(BaseModel):
    """One step of a consent's life."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(default_factory=_new_id, pattern=r"^[0-9a-f]{32}$")
    identity: str = Field(min_length=1)
    kind: Kind
    at: dt.datetime = Field(default_factory=_now, description="when it was written, UTC")
    by: str = Field("", description="who wrote it")
    statement: str = Field("", description="the consent or licence in words; of a withdrawal the reason")
    purposes: tuple[Purpose, ...] = Field(EVERYTHING, description="what it allows")
    targets: str = Field("", description="which targets it allows, in words; empty: any")
    since: dt.date | None = Field(None, description="first day")
    until: dt.date | None = Field(None, description="last day; None: until it is withdrawn")
    evidence: str = Field("", pattern=r"^([0-9a-f]{64})?$", description="sha256 of the signed file")
    fictional: bool = False
    supersedes: tuple[str, ...] = Field((), description="withdrawals after which it is given anew")

    @classmethod
    def of_before(cls, consent: Consent) -> "Event":
        """What the consent in a face set or a version, from before consents had a life, counts as."""
        at = dt.datetime.combine(consent.since, dt.time(), dt.UTC)
        return cls(
            id="0" * 32,
            identity=consent.subject,
            kind="recorded",
            at=at,
            by="its face set",
            statement=consent.statement,
            since=consent.since,
            fictional=consent.fictional,
        )


class Life(BaseModel):
    """The history of one person's consent.

    Attributes:
        identity: whose.
        events: oldest first.
    """

    model_config = ConfigDict(frozen=True)

    identity: str
    events: tuple[Event, ...] = ()

    @classmethod
    def of(cls, identity: str, events: Iterable[Event]) -> "Life":
        """The history that a set of events makes; each counts once."""
        found = {event.id: event for event in events if event.identity == identity}
        return cls(
            identity=identity, events=tuple(sorted(found.values(), key=lambda event: (event.at, event.id)))
        )

    @property
    def withdrawals(self) -> tuple[Event, ...]:
        """Those that hold still."""
        given_anew = {one for event in self.events if event.kind == "recorded" for one in event.supersedes}
        return tuple(e for e in self.events if e.kind == "withdrawn" and e.id not in given_anew)

    @property
    def terms(self) -> Event | None:
        """What is or was agreed: the newest record, with what extensions changed of it; None: there is none."""
        found: Event | None = None
        for event in self.events:
            if event.kind == "recorded":
                found = event
            elif event.kind == "extended" and found is not None:
                changed = {"until": event.until, "purposes": event.purposes}
                found = found.model_copy(
                    update=changed | ({"evidence": event.evidence} if event.evidence else {})
                )
        return found

    def state(self, today: dt.date | None = None) -> str:
        """none, withdrawn, not yet, expired or valid.

        Args:
            today: the day, UTC; None: now.
        """
        today = today or _now().date()
        if self.withdrawals:
            return "withdrawn"
        terms = self.terms
        if terms is None:
            return "none"
        if terms.since is not None and today < terms.since:
            return "not yet"
        return "expired" if terms.until is not None and today > terms.until else "valid"

    def problem(self, purpose: Purpose, today: dt.date | None = None) -> tuple[str, str] | None:
        """Why a use is not allowed, and what can be done; None: it is."""
        name, terms = self.identity, self.terms
        state = self.state(today)
        if state == "withdrawn":
            last = self.withdrawals[-1]
            return (
                f"The consent of {name!r} was withdrawn on {last.at:%Y-%m-%d %H:%M} UTC",
                f"nothing may be made with it; if the person consents anew, `faceswap consent record {name}`",
            )
        if state == "none" or terms is None:
            return f"No consent is recorded for {name!r}", f"`faceswap consent record {name}`"
        if state == "expired":
            return (
                f"The consent of {name!r} ended on {terms.until}",
                f"where the person agrees, `faceswap consent extend {name} --until DAY`",
            )
        if state == "not yet":
            return f"The consent of {name!r} begins on {terms.since}", "wait until then"
        if purpose not in terms.purposes:
            return (
                f"The consent of {name!r} allows {', '.join(terms.purposes)}, not {purpose}",
                f"where the person agrees, `faceswap consent extend {name} --purpose {purpose}`",
            )
        return None

    def require(self, purpose: Purpose) -> None:
        """Make sure that a use is allowed now.

        Raises:
            ConsentError: it is not; says why.
        """
        if (problem := self.problem(purpose)) is not None:
            raise ConsentError(*problem)
