"""What a file says of its origin where a registered version made it."""

from collections.abc import Mapping
from typing import Any

from faceswap.provenance.metadata import Provenance
from faceswap.registry import LoadedVersion


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
    )
