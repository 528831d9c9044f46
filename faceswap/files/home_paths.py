"""Where local things are."""

from pathlib import Path
from urllib.parse import unquote, urlsplit


def local_path(uri: str) -> Path | None:
    """The path of a folder or a ``file://`` URI; None for other schemes."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme else Path(uri)


def moved_below(path: Path, root: Path) -> Path | None:
    """Where a path that lay in a folder named like ``root`` lies below ``root``, if it is there.

    Homes are moved, copied and renamed, and what was stored holds absolute paths.
    """
    parts = path.parts
    for index in (i for i, part in enumerate(parts) if part == root.name):
        here = root.joinpath(*parts[index + 1 :])
        if here.exists():
            return here
    return None
