"""The consent record that every identity carries, from the face set to the registered version."""

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field, field_validator

from faceswap.errors import ConsentError


class Consent(BaseModel):
    """Who allowed the use of a likeness, by what, and since when.

    Attributes:
        subject: the identity, by the name the face set uses.
        statement: the consent or licence, in words ("signed release 2026-03", "CC0", "fictional").
        since: the day from which it holds.
        fictional: True for people who do not exist; no one's consent is at stake.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str = Field(min_length=1)
    statement: str = Field(min_length=3)
    since: dt.date = Field(default_factory=dt.date.today)
    fictional: bool = False

    @field_validator("statement")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if len(value.strip()) < 3:
            raise ValueError("say in a few words what the consent or licence is")
        return value.strip()


def require_consent(identity: str, consent: Consent | None) -> Consent:
    """The consent of an identity.

    Raises:
        ConsentError: there is none, or it speaks of somebody else.
    """
    if consent is None:
        raise ConsentError(
            f"No consent is recorded for {identity!r}",
            'preprocess again with --consent "what allows the use, and who gave it"',
        )
    if consent.subject != identity:
        raise ConsentError(
            f"The consent record names {consent.subject!r}, the face set is of {identity!r}",
            "preprocess this identity again under its own name",
        )
    return consent
