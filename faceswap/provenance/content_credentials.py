"""Content credentials: a signed statement in the file itself, by the standard C2PA, of where it comes from.

Signed are the bytes of the file: whoever changes one of them afterwards shows. The statement says that the target was
opened and edited, with the digital source type of composites with trained algorithmic media; that the target is its
parent (with the target's own credentials, where it has some); and by which version it was made. PNG, JPEG, WebP, MP4,
M4V and MOV hold one, and AVIF and TIFF with one picture: animations in AVIF and further pages in TIFF can't be read any
more once c2pa-python 0.38.1 has signed them, so these are not signed. It does not know MKV.
See https://spec.c2pa.org .
"""

import io
import json
import logging
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faceswap
from faceswap.errors import CredentialsError
from faceswap.files.atomic import part_of
from faceswap.provenance import credentials
from faceswap.provenance.credentials import Credentials
from faceswap.provenance.metadata import SOURCE_TYPE, Provenance

if TYPE_CHECKING:
    import c2pa

logger = logging.getLogger(__name__)
MIME = {
    ".png": "image/png",
    **dict.fromkeys((".jpg", ".jpeg"), "image/jpeg"),
    ".webp": "image/webp",
    **dict.fromkeys((".mp4", ".m4v"), "video/mp4"),
    ".mov": "video/quicktime",
}
"""Suffix -> format, of what holds content credentials."""
_STILL = {".avif": "image/avif", **dict.fromkeys((".tif", ".tiff"), "image/tiff")}
"""The same, of what holds them as long as it has one frame or page."""
_STARTS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
_BRANDS = {b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"qt  ": "video/quicktime"}
"""What the first bytes of a file, and the kind in an ISO container, say of its format."""
STATEMENT = "org.faceswap.swap"
"""Label of the part that names version, run and consent."""
_TARGET = "target"


class CredentialsElsewhere(CredentialsError):
    """A file's content credentials are not in it, but somewhere in the network."""


def sign_file(path: Path, record: Provenance, target: Path | None = None, frames: int = 1) -> None:
    """Sign a finished file, in place; one whose format holds no credentials stays as it is.

    Args:
        path: the file.
        record: of its origin.
        target: the picture or video that was edited; None: there was none.
        frames: or pages of a picture.

    Raises:
        CredentialsError: the certificate can't sign, or the file can't be signed.
        OSError: it can't be written.
    """
    suffix = path.suffix.lower()
    mime = MIME.get(suffix) or (_STILL.get(suffix) if frames == 1 else None)
    if mime is None:
        return
    signed = part_of(path)
    try:
        with path.open("rb") as source, signed.open("w+b") as out:
            _sign(mime, source, out, record, target)
        signed.replace(path)
    finally:
        signed.unlink(missing_ok=True)


def sign_bytes(data: bytes, suffix: str, record: Provenance) -> bytes:
    """A signed copy of a file in memory.

    Raises:
        CredentialsError: as :func:`sign_file`.
    """
    out = io.BytesIO()
    _sign(MIME[suffix], io.BytesIO(data), out, record, None)
    return out.getvalue()


def check() -> Credentials:
    """Make sure that files can be signed, before long work whose result shall be.

    Raises:
        CredentialsError: they can't.
    """
    return credentials.current()


def _sign(mime: str, source: Any, out: Any, record: Provenance, target: Path | None) -> None:
    import c2pa

    found = credentials.current()
    try:
        builder = c2pa.Builder.from_json(_manifest(mime, record, target is not None), _context())
        if target is not None:
            _add_target(builder, target)
        info = c2pa.C2paSignerInfo(
            found.algorithm.encode(),
            found.chain.encode(),
            found.key.encode(),
            found.about.timestamps.encode() or None,
        )
        builder.sign(c2pa.Signer.from_info(info), mime, source, out)
    except c2pa.C2paError as error:
        raise CredentialsError(
            f"The result can't be signed: {str(error)[:300]}",
            "look at `faceswap credentials show`; `faceswap credentials use` takes another certificate",
        ) from error


def _add_target(builder: "c2pa.Builder", target: Path) -> None:
    """As the parent; without its name, which may say whom it shows."""
    import c2pa

    about = {"title": _TARGET, "relationship": "parentOf", "label": _TARGET}
    mime = _mime(target)
    if mime is not None:
        with suppress(c2pa.C2paError, OSError), target.open("rb") as stream:
            builder.add_ingredient(about, mime, stream)
            return
    # a format without credentials: what remains to be said is that there was one; its hash is in the statement
    builder.add_ingredient(about, "application/octet-stream", io.BytesIO(b""))


def _mime(path: Path) -> str | None:
    """Of what may hold credentials, by its first bytes: files are renamed, and other suffixes are usual, too."""
    with path.open("rb") as file:
        head = file.read(16)
    for start, mime in _STARTS.items():
        if head.startswith(start):
            return mime
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] != b"ftyp":
        return None
    return _BRANDS.get(head[8:12], "video/mp4")


def _manifest(mime: str, record: Provenance, edited: bool) -> dict[str, Any]:
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [_TARGET]}}
    made = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    changed = {"action": "c2pa.edited", "digitalSourceType": SOURCE_TYPE}
    said = {
        "reference": record.reference,
        "model": record.model,
        "version": record.version,
        "run": record.run_id,
        "target_sha256": record.target,
        "consent": record.consent,
        "target_consent": record.target_consent,
        "statement": record.statement(),
    }
    return {
        "claim_generator_info": [{"name": "faceswap", "version": faceswap.__version__}],
        "title": "AI-generated",
        "format": mime,
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {"actions": [opened, changed] if edited else [made]},
            },
            {"label": STATEMENT, "data": {key: value for key, value in said.items() if value}},
        ],
    }


def _context() -> "c2pa.Context":
    return _context_of(credentials.trusted())


@lru_cache(maxsize=8)
def _context_of(anchors: str) -> "c2pa.Context":
    """Without thumbnails, and with nothing asked on the network."""
    import c2pa

    values: dict[str, Any] = {
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"verify_after_sign": False, "verify_trust": True, "remote_manifest_fetch": False},
    }
    if anchors:
        values["trust"] = {"trust_anchors": anchors}
    return c2pa.Context(c2pa.Settings.from_dict(values))


def read(path: Path) -> dict[str, Any] | None:
    """What a file's content credentials say, with how they hold; None where it has none.

    Raises:
        CredentialsElsewhere: the file only says where in the network they are; nobody is asked.
        CredentialsError: they are there, but damaged beyond reading.
        OSError: the file can't be read.
    """
    import c2pa

    mime = _mime(path)
    if mime is None:
        return None
    try:
        with path.open("rb") as stream:
            reader = c2pa.Reader(mime, stream, context=_context())
            found: dict[str, Any] = json.loads(reader.json())
            return found
    except c2pa.C2paError as error:
        if "ManifestNotFound" in type(error).__name__ or "ManifestNotFound" in str(error):
            return None
        if "Remote" in type(error).__name__ or str(error).startswith("Remote"):
            raise CredentialsElsewhere(
                f"{path} only says where its content credentials are: {str(error)[:200]}"
            ) from error
        raise CredentialsError(
            f"The content credentials of {path} are damaged: {str(error)[:200]}"
        ) from error
