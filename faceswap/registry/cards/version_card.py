"""What a version says of itself: its card, the tags made of it, and whether the two agree.

A registry's words are not trusted. The card names its weights by their digests, and the tag ``digest`` is the sha256
of the card: one number over the card and all weights. Model name, card and tags have to say the same.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import faceswap
from faceswap.errors import RegistryError
from faceswap.faces.crispness import Crispness
from faceswap.faces.geometry import Geometry
from faceswap.model.presets import Preset
from faceswap.provenance.consent.record import Consent
from faceswap.registry.model_names import PREFIX, Version

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""sha256, in hexadecimal."""
CARD, DECODER, ENCODER = "card.json", "decoder.keras", "encoder.keras"
"""Files: of a version, of a version, of its run."""
DIGEST, DECODER_DIGEST = "digest", "decoder_digest"
"""Tags: of the card and so of all of the version; versions of before have the decoder's alone."""
_MOST_BYTES = 8 << 20
"""Of a card; those of trainings with ten identities have 0.2 MB."""
_LARGEST_CROP = 2048
"""px; presets draw 64 to 256."""
_TAG = 5000
"""Characters that MLflow keeps of a tag."""


class Card(BaseModel):
    """What a version knows about itself; stored beside its decoder.

    ``identities`` maps every identity of the run to its mean embedding (128 floats); ``face_sets`` to the digest
    and the place of the face set it was trained on. ``unsharp`` and ``detail`` tell how much its pictures have
    to be sharpened (:class:`faceswap.faces.crispness.Crispness`), ``codes`` where its codes lie
    (:meth:`faceswap.inference.code_range.CodeRange.pack`; empty: not measured), ``seconds`` how long it was trained
    (0: not noted), ``graph_digest`` the file ``swap.onnx`` beside it (empty: a version from before there were graphs),
    ``fine_detail_digest`` what ``fine_detail.npz`` holds (empty: there is none).
    """

    model_config = ConfigDict(frozen=True)

    identity: str
    run_id: str = Field(pattern=r"^[\w-]{1,64}$")
    preset: Preset
    geometry: dict[str, Any]
    encoder_digest: Digest
    decoder_digest: Digest
    face_sets: dict[str, dict[str, str]]
    identities: dict[str, list[float]]
    consent: Consent
    unsharp: float = Field(Crispness.unsharp, allow_inf_nan=False)
    detail: float = Field(Crispness.detail, allow_inf_nan=False)
    codes: str = ""
    seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    graph_digest: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    fine_detail_digest: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    code_version: str = faceswap.__version__

    @model_validator(mode="after")
    def _consistent(self) -> "Card":
        if self.consent.subject != self.identity:
            raise ValueError(f"its consent is of {self.consent.subject!r}, not of {self.identity!r}")
        if self.identity not in self.identities:
            raise ValueError(f"it holds no embedding of {self.identity!r}")
        for name, embedding in self.identities.items():
            if len(embedding) != 128 or not all(map(math.isfinite, embedding)):
                raise ValueError(f"the embedding of {name!r} is not 128 numbers")
        return self

    def embedding(self, identity: str | None = None) -> NDArray[np.float64]:
        """(128,) mean embedding of an identity of the run, by default the version's own."""
        return np.asarray(self.identities[identity or self.identity])

    @property
    def crop(self) -> Geometry:
        """How a face maps to the network's crop.

        Raises:
            RegistryError: the card says no such thing.
        """
        try:
            geometry = Geometry.from_dict(self.geometry)
        except (KeyError, TypeError, ValueError) as error:
            raise RegistryError(f"The version's geometry can't be read: {error}") from error
        if not 0 < geometry.size <= _LARGEST_CROP:
            raise RegistryError(f"The version's crop of {geometry.size} px is out of range")
        return geometry

    def tags(self) -> dict[str, str]:
        """What the version's page shows; the tag ``digest`` comes from :func:`write`."""
        return {
            "run_id": self.run_id,
            "preset": self.preset.name,
            "bottleneck": str(self.preset.bottleneck),
            **({"minutes": f"{self.seconds / 60:.1f}"} if self.seconds else {}),
            "encoder_digest": self.encoder_digest,
            "face_sets": json.dumps({name: entry["digest"] for name, entry in self.face_sets.items()}),
            "consent": f"{self.consent.statement} (since {self.consent.since})"[:_TAG],
            "fictional": str(self.consent.fictional).lower(),
        }


def write(card: Card, file: Path) -> str:
    """Write a card; returns its digest."""
    data = card.model_dump_json(indent=1).encode()
    file.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read(file: Path, digest: str = "") -> Card:
    """Read a card.

    Args:
        file: ``card.json``.
        digest: sha256 that it has to have; empty: of a version from before cards had one.

    Raises:
        RegistryError: it is missing or damaged, or not the one that was registered.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise RegistryError(f"The card {file} is too large for one")
        data = file.read_bytes()
    except OSError as error:
        raise RegistryError(f"The card {file} can't be read: {error.strerror or error}") from error
    if digest and hashlib.sha256(data).hexdigest() != digest:
        raise RegistryError(
            f"The card {file} is not the one that was registered", "register the version anew"
        )
    try:
        return Card.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RegistryError(f"The card {file} is damaged: {where} {first['msg']}".strip()) from error


def digest_in(tags: Mapping[str, str]) -> str:
    """The digest that a version's tags name it by.

    Raises:
        RegistryError: there is none, or it is none.
    """
    digest = tags.get(DIGEST) or tags.get(DECODER_DIGEST, "")
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise RegistryError(f"The version's digest {digest[:80]!r} is not 64 hexadecimal digits")
    return digest


def is_complete(tags: Mapping[str, str]) -> bool:
    """False for what an interrupted registration of an earlier release left: a version without consent or digest."""
    return bool(tags.get("consent")) and bool(tags.get(DIGEST) or tags.get(DECODER_DIGEST))


def agree(version: Version, tags: Mapping[str, str], card: Card) -> None:
    """Make sure that a version's name, its tags and its card speak of the same.

    Raises:
        RegistryError: they do not.
    """
    if version.name != PREFIX + card.identity:
        raise RegistryError(
            f"{version} holds the decoder of {card.identity!r}, so it is not loaded as {version.identity!r}",
            "ask who registered it",
        )
    said = {**card.tags(), DECODER_DIGEST: card.decoder_digest}
    for key in ("run_id", "encoder_digest", DECODER_DIGEST, "consent", "fictional"):
        if key in tags and tags[key] != said[key]:
            raise RegistryError(
                f"{version}'s tag {key} says {tags[key][:80]!r}, its card {said[key][:80]!r}",
                "set the tag right in MLflow, or ask who changed it",
            )
