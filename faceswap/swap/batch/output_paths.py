"""Where the results of a swap go, told or refused before any work is done."""

import os
import re
from pathlib import Path
from typing import Literal

from faceswap.errors import MediaError
from faceswap.files.names import cut, longest_name, printable
from faceswap.media.formats import IMAGE_SUFFIXES
from faceswap.media.sources import MediaItem, look_through
from faceswap.provenance.metadata import LABELLED_SUFFIXES, VIDEO_SUFFIXES

Kind = Literal["image", "video"]
_WRITTEN: dict[Kind, frozenset[str]] = {
    "image": LABELLED_SUFFIXES,
    "video": frozenset({".mp4", ".m4v", ".mov", ".mkv"}),
}
"""Suffixes of files that can say that they are generated."""
_BECOMES = {
    ".gif": ".webp",
    **dict.fromkeys((".jfif", ".jpe", ".mpo", ".heic", ".heif", ".hif"), ".jpg"),
}
"""What pictures become that are not written as what they are: an animation stays one, a photo a photo; others .png."""
_BESIDE: dict[Kind, int] = {"image": 0, "video": 8}
"""Bytes by which the names of what is written beside a result, until it is whole, are longer than its own."""
_FILES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
"""Suffixes that nobody gives a folder."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
"""As it is written or as :class:`Path` shortens it; C:/ is none."""


def plan(target: str | Path, out: str | Path) -> list[tuple[MediaItem, Path]]:
    """The first part of :func:`survey`."""
    return survey(target, out)[0]


def survey(target: str | Path, out: str | Path) -> tuple[list[tuple[MediaItem, Path]], dict[str, int]]:
    """What is to be swapped, in order, and where each result goes; and how many files are passed over, by reason.

    No two results share a file, and the folders below the target are kept. Results of earlier swaps that lie in
    ``out`` are no targets.

    Args:
        target: a file, a folder or an s3:// prefix.
        out: for one file: the file to write, or a folder if it has no suffix or exists; for several: a folder.

    Raises:
        MediaError: the target does not exist or holds no media; ``out`` is an address or the target's own folder, its
            suffix can't be written, its name is too long, or several files shall go into one.
    """
    place = _local(out)
    media = look_through(target, without=place)
    items = media.items
    # the target is a file itself, not a folder that happens to hold one
    is_file = len(items) == 1 and printable(Path(target).name) == items[0].name
    if not place.is_dir() and (place.suffix if is_file else place.suffix.lower() in _FILES):
        if len(items) > 1:
            raise MediaError(
                f"{target} holds {len(items)} files, {out} is one", "name a folder for the results"
            )
        one = file_for(out, items[0].kind, f"The {items[0].kind} {items[0].path}")
        return [(items[0], one)], media.passed_over
    if Path(target).is_dir() and place.resolve() == Path(target).resolve():
        raise MediaError(
            f"The results can't go to {out}, among their targets", f"name another folder: {place / 'swapped'}"
        )
    places: list[Path] = []
    taken: set[Path] = set()
    for item in items:
        first = _named(place / item.name, item.kind)
        one, number = first, 2
        while one in taken:  # a.bmp beside a.png
            one, number = _named(first, item.kind, f"-{number}"), number + 1
        places.append(one)
        taken.add(one)
    return list(zip(items, places, strict=True)), media.passed_over


def _named(place: Path, kind: Kind, mark: str = "") -> Path:
    """A place whose suffix can be written, with a mark at the end of its stem, cut where it would be too long."""
    suffix = place.suffix
    if suffix.lower() not in _WRITTEN[kind]:
        suffix = ".mp4" if kind == "video" else _BECOMES.get(suffix.lower(), ".png")
    most = longest_name(place.parent) - _BESIDE[kind] - len(suffix) - len(mark)
    return place.with_name(cut(place.stem, most) + mark + suffix)


def file_for(out: str | Path, kind: Kind, what: str) -> Path:
    """``out`` as the file to write.

    Args:
        out: as the user named it.
        kind: of the result.
        what: shall be written there; the error begins with it.

    Raises:
        MediaError: it is an address, or no such file can be written.
    """
    place = _local(out)
    if place.suffix.lower() not in _WRITTEN[kind]:
        known = ", ".join(sorted(_WRITTEN[kind]))
        raise MediaError(
            f"{what} can't be written as {place.name}",
            f"end the name with one of: {known}",
        )
    size, most = len(os.fsencode(place.name)), longest_name(place.parent) - _BESIDE[kind]
    if size > most:
        raise MediaError(
            f"The name {place.name} has {size} bytes, {most} fit in {place.parent}", "choose a shorter one"
        )
    return place


def _local(out: str | Path) -> Path:
    if _ADDRESS.match(str(out)):
        raise MediaError(
            f"Results are not written to addresses such as {out}",
            "name a file or folder of this machine, or an s3:// URI",
        )
    place = Path(out)
    size, most = len(os.fsencode(place.name)), longest_name(place.parent)
    if size > most:
        raise MediaError(
            f"The name {place.name} has {size} bytes, {most} fit in {place.parent}", "choose a shorter one"
        )
    return place
