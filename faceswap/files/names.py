"""Names of files: bytes to the system, text to people and programs."""

import os
from pathlib import Path

_ESCAPED = {0xDC00 + byte: f"%{byte:02X}" for byte in range(128, 256)}
_USUAL = 255


def printable(name: str | Path) -> str:
    """A name, or text with names, as every program takes it: a byte that is no UTF-8 becomes ``%E9`` and the like."""
    return str(name).translate(_ESCAPED)


def longest_name(folder: Path) -> int:
    """How many bytes a name may have where a folder lies or will lie."""
    place = folder.absolute()
    while place != place.parent:
        try:
            return os.pathconf(place, "PC_NAME_MAX")
        except OSError:  # not there yet, or itself too long
            place = place.parent
        except (ValueError, AttributeError):  # a system that does not tell
            break
    return _USUAL


def cut(stem: str, most: int) -> str:
    """The beginning of a name, at most so many bytes of UTF-8."""
    return os.fsencode(stem)[: max(1, most)].decode("utf-8", "ignore")
