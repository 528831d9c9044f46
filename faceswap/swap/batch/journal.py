"""What of a folder is swapped already, so that the same swap goes on where it was cancelled or killed."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from faceswap.provenance.metadata import Provenance
from faceswap.swap.swapper import Swapper

logger = logging.getLogger(__name__)
_NAME = ".swap.jsonl"


def swap_key(
    source: Path, swapper: Swapper, metadata: Provenance | None, start: float | None, end: float | None
) -> str:
    """What must be equal for one run to go on with the results of another: the file as it is, people, options."""
    state = source.stat()
    origin = metadata.to_dict() if metadata else {}
    origin.pop("created", None)
    people = [None if role.match is None else role.match.round(6).tolist() for role in swapper.roles]
    sizes = [role.network.geometry.to_dict() for role in swapper.roles]
    described = {
        "source": [str(source.resolve()), state.st_size, state.st_mtime_ns],
        "span": [start, end],
        "origin": origin,
        "options": swapper.options.model_dump(mode="json"),
        "roles": [people, sizes],
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()


class Journal:
    """A hidden file beside the results: one line for each finished file, added when it is whole.

    Args:
        folder: of the results.
        resume: go on with what is there; else begin anew.
    """

    def __init__(self, folder: Path, *, resume: bool = True) -> None:
        self._path = folder / _NAME
        self._known: dict[str, dict[str, Any]] = {}
        if not resume:
            self.remove()
        elif self._path.is_file():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._known[entry["key"]] = entry["report"]
                except (ValueError, KeyError, TypeError):
                    continue  # cut off by a kill: that file is done again

    def known(self, key: str) -> dict[str, Any] | None:
        """The report of a file that the same swap has finished, or None."""
        return self._known.get(key)

    def add(self, key: str, report: dict[str, Any]) -> None:
        """Note a finished file; where the disk refuses, it stays finished and is only done again the next time."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "report": report}) + "\n")
        except OSError as error:
            logger.warning("%s can't be written, the same swap will do a file again: %s", self._path, error)

    def remove(self) -> None:
        """All is done: the same swap begins anew the next time."""
        self._path.unlink(missing_ok=True)
