"""Local files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def part_of(path: Path) -> Path:
    """A name for an unfinished file beside ``path``: hidden, of the same suffix, never the same twice."""
    return path.with_name(f".{secrets.token_hex(8)}{path.suffix}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file atomically: yields a path beside it, which takes its place if the block ends well.

    On an exception ``path`` is as before. Errors of the system stay as they are: the caller knows the words.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text: all of it or nothing, on the disk when this returns, whenever the process is killed."""
    with replacing(path) as part, part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
