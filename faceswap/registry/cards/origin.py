"""What a file says of its origin where a registered version made it."""

from collections.abc import Iterable, Mapping
from typing import Any

from faceswap.provenance.metadata import Provenance
from faceswap.registry import LoadedVersion, consents


def provenance(loaded: LoadedVersion, options: Mapping[str, Any]) -> Provenance:
    """The record for a swap.

    Args:
        loaded: the version whose decoder was used.
        options: of the swap, as plain values.
    """
    return Provenance(
        reference=loaded.card.identity,
        model=loaded.version.name if loaded.version else "",
        version=str(loaded.version.version) if loaded.version else "",
        run_id=loaded.card.run_id,
        options=dict(options),
        consent=_consent(loaded),
    )


def in_training(identities: Iterable[str], run_id: str) -> Provenance:
    """The record for pictures that a run shows of versions that are not registered yet, or of several."""
    return Provenance(" + ".join(identities), "in training", "", run_id)


def _consent(loaded: LoadedVersion) -> str:
    """Which consent it is, by number and day: whoever has the records finds it, nobody else learns anything."""
    terms = consents.life_of(loaded.card.identity, loaded.card.consent).terms
    return f"{terms.id[:12]} since {terms.since}" if terms else ""
