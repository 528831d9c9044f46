"""What a source holds: pictures and videos in a file, a folder or under an s3:// prefix."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from faceswap import storage
from faceswap.errors import MediaError
from faceswap.media.images import IMAGE_SUFFIXES
from faceswap.provenance.metadata import VIDEO_SUFFIXES
from faceswap.settings import settings


@dataclass(frozen=True)
class MediaItem:
    """One file: where it lies, what it is, and its name within the source."""

    path: Path
    kind: Literal["image", "video"]
    name: str


def kind_of(path: Path) -> Literal["image", "video"] | None:
    """What the suffix says, or None."""
    suffix = path.suffix.lower()
    return "image" if suffix in IMAGE_SUFFIXES else "video" if suffix in VIDEO_SUFFIXES else None


def find_media(source: str | Path, without: Path | None = None) -> list[MediaItem]:
    """All pictures and videos of a source, in natural order.

    Args:
        source: a file, a folder or an s3:// prefix. Of a folder, with its subfolders, hidden files and the unfinished
            results of cancelled swaps (NAME.partial.SUFFIX) are left out.
        without: a file or folder that is left out of a folder around it, for instance that of the results.

    Raises:
        MediaError: it does not exist, is empty, or holds no media.
    """
    text = str(source)
    root = storage.fetch_folder(text, settings().cache_path / "media") if storage.is_s3(text) else Path(text)
    if root.is_file():
        kind = kind_of(root)
        if kind is None:
            raise MediaError(f"{root} is neither a picture nor a video", f"known suffixes: {_suffixes()}")
        return [MediaItem(root, kind, root.name)]
    if not root.is_dir():
        raise MediaError(f"There is no file or folder {text}", "check the path")
    within = _within(root, without)
    files = [
        p
        for p in root.rglob("*")
        if p.is_file()
        and not any(x.startswith(".") for x in p.relative_to(root).parts)
        and not _is_partial(p)
        and (within is None or not p.is_relative_to(within))
    ]
    found = [MediaItem(p, kind, str(p.relative_to(root))) for p in files if (kind := kind_of(p))]
    if not found:
        held = f"{len(files)} other files" if files else "nothing"
        raise MediaError(
            f"The folder {text} holds {held}, no pictures or videos", f"known suffixes: {_suffixes()}"
        )
    return sorted(found, key=lambda item: _natural(item.name))


def _within(root: Path, path: Path | None) -> Path | None:
    """``path`` as a walk through ``root`` names it; None where it does not lie below."""
    if path is None or root.resolve() not in path.resolve().parents:
        return None
    return root / path.resolve().relative_to(root.resolve())


def _is_partial(path: Path) -> bool:
    """Whether the name is that of a cancelled swap's unfinished video."""
    return path.stem.endswith(".partial") and kind_of(path) == "video"


def _suffixes() -> str:
    return " ".join(sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]
