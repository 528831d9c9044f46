"""Where the results of a swap go, told or refused before any work is done."""

import re
from pathlib import Path
from typing import Literal

from faceswap.errors import MediaError
from faceswap.media.images import IMAGE_SUFFIXES
from faceswap.media.sources import MediaItem, find_media
from faceswap.provenance.metadata import VIDEO_SUFFIXES

Kind = Literal["image", "video"]
_WRITTEN: dict[Kind, frozenset[str]] = {
    "image": frozenset({".png", ".jpg", ".jpeg", ".webp"}),
    "video": frozenset({".mp4", ".m4v", ".mov", ".mkv"}),
}
"""Suffixes of files that can say that they are generated."""
_FILES = IMAGE_SUFFIXES | VIDEO_SUFFIXES | {".gif"}
"""Suffixes that nobody gives a folder."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
"""As it is written or as :class:`Path` shortens it; C:/ is none."""


def plan(target: str | Path, out: str | Path) -> list[tuple[MediaItem, Path]]:
    """What is to be swapped, in order, and where each result goes.

    No two results share a file, and the folders below the target are kept. Results of earlier swaps that lie in
    ``out`` are no targets.

    Args:
        target: a file, a folder or an s3:// prefix.
        out: for one file: the file to write, or a folder if it has no suffix or exists; for several: a folder.

    Raises:
        MediaError: the target does not exist or holds no media; ``out`` is an address or the target's own folder, its
            suffix can't be written, or several files shall go into one.
    """
    place = _local(out)
    items = find_media(target, without=place)
    # the target is a file itself, not a folder that happens to hold one
    is_file = len(items) == 1 and Path(target).name == items[0].name
    if not place.is_dir() and (place.suffix if is_file else place.suffix.lower() in _FILES):
        if len(items) > 1:
            raise MediaError(
                f"{target} holds {len(items)} files, {out} is one", "name a folder for the results"
            )
        return [(items[0], file_for(out, items[0].kind, f"The {items[0].kind} {items[0].path}"))]
    if Path(target).is_dir() and place.resolve() == Path(target).resolve():
        raise MediaError(
            f"The results can't go to {out}, among their targets", f"name another folder: {place / 'swapped'}"
        )
    places: list[Path] = []
    for item in items:
        one = place / item.name
        if one.suffix.lower() not in _WRITTEN[item.kind]:
            one = one.with_suffix(".mp4" if item.kind == "video" else ".png")
        first, number = one, 2
        while one in places:  # a.bmp beside a.png
            one, number = first.with_stem(f"{first.stem}-{number}"), number + 1
        places.append(one)
    return list(zip(items, places, strict=True))


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
    return place


def _local(out: str | Path) -> Path:
    if _ADDRESS.match(str(out)):
        raise MediaError(
            f"Results are not written to addresses such as {out}",
            "name a file or folder of this machine, and copy it from there",
        )
    return Path(out)
