"""What the app writes down of a result: its origin in the file, and a line in the audit log."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.files.disk import explained
from faceswap.media.images import encoded
from faceswap.provenance import audit
from faceswap.provenance.metadata import Provenance
from faceswap.registry.cards.origin import provenance
from faceswap.swap.options import SwapOptions
from serving.catalogue import Served
from serving.results.outbox import Outbox


def origin(served: Served, options: SwapOptions, target_consent: str) -> Provenance:
    """The record of a swap.

    Args:
        served: the version.
        options: of the swap.
        target_consent: who confirmed that the target may be edited.
    """
    record = provenance(served.loaded, options.model_dump(mode="json"))
    return replace(record, target_consent=" ".join(target_consent.split()))


def log(served: Served, out: Path, target_consent: str) -> None:
    """Write into the audit log that a file was made."""
    facts = {"versions": [str(served.row.version)], "app": True, "target_consent": target_consent}
    audit.record("swapped", [served.loaded.card.identity], facts, [out])


def still(image: NDArray[np.uint8], outbox: Outbox, record: Provenance) -> Path:
    """A swapped frame, (H, W, 3) uint8 RGB as the swapper made it, as a signed picture for the page.

    Raises:
        StorageError: it can't be written.
    """
    out = outbox.place("frame.jpg")
    with explained(out):
        out.write_bytes(encoded(image, metadata=record))
    return out
