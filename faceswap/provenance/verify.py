"""What a file tells of its origin, from all that there is: signature, mark in the pixels, metadata.

It never says that a picture is real: what bears no sign may have lost it.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from faceswap.errors import CredentialsError, UnreadableMedia
from faceswap.provenance import content_credentials, watermark
from faceswap.provenance.metadata import SOURCE_TYPE, read_provenance


class Finding(StrEnum):
    """The strongest sign that was found."""

    SIGNED = "signed and untouched"
    ALTERED = "signed and altered"
    MARKED = "marked in the pixels"
    LABELLED = "labelled in the metadata"
    NOTHING = "nothing found"


_MEANING = {
    Finding.SIGNED: "The content credentials are whole: pictures, sound and metadata are as they were signed.",
    Finding.ALTERED: "The file has content credentials, and was changed after it was signed.",
    Finding.MARKED: "Its content credentials are gone, but the mark of generated pictures is in its pixels.",
    Finding.LABELLED: "Only its metadata say that it is generated; anybody can write or change those.",
    Finding.NOTHING: "No sign of faceswap was found. That does not say where the picture comes from: signs can be "
    "removed, and other tools leave others.",
}
_CHANGED = {
    "assertion.dataHash.mismatch": "the picture's bytes (pixels or metadata) are not those that were signed",
    "assertion.bmffHash.mismatch": "the video's bytes (pictures, sound or metadata) are not those that were signed",
    "assertion.boxesHash.mismatch": "parts of the file are not those that were signed",
    "assertion.hashedURI.mismatch": "the statement on its origin was changed",
    "assertion.missing": "a part of the statement on its origin was removed",
    "claimSignature.mismatch": "the signature does not fit the statement",
    "claimSignature.missing": "the signature was removed",
}
_DOUBTS = {
    "claimSignature.outsideValidity": "It was signed outside of the days for which the certificate was valid.",
    "signingCredential.expired": "The certificate has ended, or did not hold yet, and no time stamp says when it was "
    "signed.",
    "signingCredential.invalid": "The certificate is none that may sign.",
    "signingCredential.ocsp.revoked": "The certificate was revoked.",
    "signingCredential.revoked": "The certificate was revoked.",
    "signingCredential.untrusted": "",
}
"""What says nothing of the file, but of who signed it."""


class Verdict(BaseModel):
    """What was found.

    Attributes:
        finding: the strongest sign.
        signer: whom the certificate names; empty: no signature.
        known: whether all of it is as somebody signed it whose certificate this installation trusts.
        changed: what was altered, in clauses.
        details: what else can be said, in sentences.
        record: what the metadata say.
        strength: of the mark in the pixels, standard deviations; above :data:`watermark.THRESHOLD` it counts.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    finding: Finding
    signer: str = ""
    known: bool = False
    changed: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    record: dict[str, Any] | None = None
    strength: float = 0.0

    @property
    def meaning(self) -> str:
        """The finding in a sentence or two."""
        return _MEANING[self.finding]


def verify(path: Path, images: Sequence[NDArray[np.uint8]]) -> Verdict:
    """Look for all signs in a file.

    Args:
        path: picture or video.
        images: (H, W, 3) uint8 RGB: the picture, or some frames of the video.
    """
    reading = watermark.read(images)
    details: list[str] = []
    try:
        record = read_provenance(path)
    except UnreadableMedia as error:
        record = None
        details.append(f"The record in its metadata can't be read: {error.message}")
    signed = _signature(path, details)
    if reading.found:
        size = (
            ""
            if abs(reading.scale - 1) < 0.01
            else f", at {reading.scale:.0%} of the size that it was made in"
        )
        details.append(f"The mark is in the pixels{size}{', mirrored' if reading.mirrored else ''}.")
    elif signed is not None or record is not None:
        details.append(
            "The mark in the pixels was not found: it was switched off, or the pixels were changed much."
        )
    if record is not None:
        details.append(f"Its metadata say: {record.statement()}")
    known_record = record.to_dict() if record else None
    if signed is not None:
        finding = Finding.ALTERED if signed.changed else Finding.SIGNED
        return signed.model_copy(
            update={
                "finding": finding,
                "details": (*signed.details, *details),
                "record": known_record,
                "strength": reading.strength,
            }
        )
    finding = Finding.MARKED if reading.found else Finding.LABELLED if record else Finding.NOTHING
    return Verdict(finding=finding, details=tuple(details), record=known_record, strength=reading.strength)


def _signature(path: Path, remarks: list[str]) -> Verdict | None:
    """What the content credentials say; None where there are none, or none in the file, which is remarked."""
    try:
        found = content_credentials.read(path)
    except content_credentials.CredentialsElsewhere as error:
        remarks.append(f"{error.message}. Nobody was asked.")
        return None
    except CredentialsError as error:
        return Verdict(finding=Finding.ALTERED, changed=(error.message,))
    if found is None:
        return None
    active = found.get("manifests", {}).get(found.get("active_manifest", ""), {})
    about = active.get("signature_info", {})
    failures = _failures(found)
    changed = tuple(dict.fromkeys(_CHANGED.get(code, code) for code in failures if code not in _DOUBTS))
    if not failures and found.get("validation_state") == "Invalid":
        changed = ("the content credentials do not hold",)
    doubted = any(code in _DOUBTS for code in failures)
    known = not doubted and not changed
    signer = " / ".join(filter(None, (about.get("issuer"), about.get("common_name"))))
    details = [
        f"Signed by {signer or 'somebody'}, "
        + ("whose certificate is not known here." if doubted else "whose certificate is known here."),
        *dict.fromkeys(filter(None, (_DOUBTS.get(code) for code in failures))),
    ]
    kinds = [
        action.get("digitalSourceType", "")
        for one in active.get("assertions", [])
        for action in one.get("data", {}).get("actions", [])
        if isinstance(one.get("data"), dict)
    ]
    if SOURCE_TYPE in kinds:
        details.append("The credentials say: edited with what an algorithm generated.")
    else:
        details.append("The credentials do not say that it was generated.")
    for one in active.get("assertions", []):
        if one.get("label") == content_credentials.STATEMENT:
            said = ", ".join(f"{key} {value}" for key, value in one["data"].items() if key != "statement")
            details.append(f"Made from: {said}.")
    return Verdict(
        finding=Finding.SIGNED, signer=signer, known=known, changed=changed, details=tuple(details)
    )


def _failures(found: dict[str, Any]) -> list[str]:
    results = found.get("validation_results", {})
    failures = results.get("activeManifest", {}).get("failure", [])
    return [str(one.get("code", "")) for one in failures]
