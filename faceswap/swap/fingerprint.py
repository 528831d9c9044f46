"""What makes two swaps the same, so that one may go on with the results of the other."""

import hashlib
import json
from pathlib import Path

from faceswap.provenance.metadata import Provenance
from faceswap.swap.swapper import Swapper


def swap_key(
    source: Path, swapper: Swapper, metadata: Provenance | None, start: float | None, end: float | None
) -> str:
    """What must be equal for one run to go on with the results of another: the file as it is, people, options."""
    state = source.stat()
    origin = metadata.to_dict() if metadata else {}
    origin.pop("created", None)
    people = [
        None if reference.match is None else reference.match.round(6).tolist()
        for reference in swapper.references
    ]
    sizes = [reference.network.geometry.to_dict() for reference in swapper.references]
    described = {
        "source": [str(source.resolve()), state.st_size, state.st_mtime_ns],
        "span": [start, end],
        "origin": origin,
        "options": swapper.options.model_dump(mode="json"),
        "roles": [people, sizes],
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()
