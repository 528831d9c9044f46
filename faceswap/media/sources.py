"""What a source holds: pictures and videos in a file, a folder or under an s3:// prefix."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from faceswap import storage
from faceswap.errors import MediaError
from faceswap.files.names import printable
from faceswap.media.formats import IMAGE_SUFFIXES
from faceswap.output.progress import Report
from faceswap.provenance.metadata import VIDEO_SUFFIXES
from faceswap.settings import settings

_OWN = re.compile(r"\.swap\.jsonl|\..*\.parts|\.[0-9a-f]{16}\..*")
"""Hidden files and folders of interrupted swaps."""
_NAMED = 5
"""So many kinds of files that were passed over are named, the rest are counted together."""


@dataclass(frozen=True)
class MediaItem:
    """One file: where it lies, what it is, and its name within the source as printable text.

    Of a copy from S3 ``origin`` is the URI; of others it is empty.
    """

    path: Path
    kind: Literal["image", "video"]
    name: str
    origin: str = ""


@dataclass(frozen=True)
class Media:
    """What was found in a source.

    Attributes:
        items: pictures and videos, in natural order.
        passed_over: how many files or folders were not taken, by reason.
    """

    items: list[MediaItem]
    passed_over: dict[str, int] = field(default_factory=dict)


def kind_of(path: Path) -> Literal["image", "video"] | None:
    """What the suffix says, or None."""
    suffix = path.suffix.lower()
    return "image" if suffix in IMAGE_SUFFIXES else "video" if suffix in VIDEO_SUFFIXES else None


def find_media(source: str | Path, without: Path | None = None) -> list[MediaItem]:
    """The items of :func:`look_through`."""
    return look_through(source, without).items


def local_copy(file: str) -> Path:
    """A file of this machine: a local one itself, of an s3:// URI the copy in the cache.

    Raises:
        StorageError: it can't be read from S3.
    """
    return storage.fetch_file(file, settings().cache_path / "media")


def look_through(source: str | Path, without: Path | None = None, progress: Report | None = None) -> Media:
    """All pictures and videos of a source, in natural order, and what was passed over.

    Args:
        source: a file, a folder or an s3:// prefix. Of a folder, with its subfolders and those that links lead to (each
            once), hidden files and the unfinished results of cancelled swaps (NAME.partial.SUFFIX) are left out.
        without: a file or folder that is left out of a folder around it, for instance that of the results.
        progress: told of what comes from S3.

    Raises:
        MediaError: it does not exist, can't be read, or holds no media.
    """
    text = str(source)
    root = Path(text)
    if storage.is_s3(text):
        root = storage.fetch_folder(text, settings().cache_path / "media", progress=progress)
    try:
        is_file, is_folder, is_there = root.is_file(), root.is_dir(), root.exists()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise MediaError(f"{text} can't be read: {error.strerror}", "check the path") from error
    if is_file:
        kind = kind_of(root)
        if kind is None:
            raise MediaError(
                f"{root} is neither a picture nor a video by its name",
                f"known suffixes: {_suffixes()}",
            )
        return Media([MediaItem(root, kind, printable(root.name))])
    if not is_folder:
        what = f"{text} is neither a file nor a folder"
        raise MediaError(what if is_there else f"There is no file or folder {text}", "check the path")
    passed: Counter[str] = Counter()
    files = list(_Walk(root, _within(root, without), passed).files())
    found = [
        MediaItem(p, kind, printable(p.relative_to(root)), _origin(text, p.relative_to(root).as_posix()))
        for p in files
        if (kind := kind_of(p))
    ]
    passed.update(_reasons([p for p in files if kind_of(p) is None]))
    if not found:
        raise MediaError(
            f"The folder {text} holds {_held(passed)}, no pictures or videos",
            f"known suffixes: {_suffixes()}",
        )
    return Media(sorted(found, key=lambda item: _natural(item.name)), dict(passed))


def _origin(source: str, name: str) -> str:
    """The URI of a file below an s3:// prefix, or of the one object that the source names."""
    if not storage.is_s3(source):
        return ""
    return source if storage.name_of(source) == name else storage.join(source, name)


class _Walk:
    """The files below a folder, links followed, each folder once."""

    def __init__(self, root: Path, without: Path | None, passed: Counter[str]) -> None:
        self.root, self.without, self.passed = root, without, passed
        self._seen: set[tuple[int, int]] = set()
        self._links: list[Path] = []

    def files(self) -> Iterator[Path]:
        """Real folders first, so that a file has its real name."""
        yield from self._below(self.root)
        while self._links:
            yield from self._below(self._links.pop(0))

    def _below(self, folder: Path) -> Iterator[Path]:
        try:
            state = folder.stat()
            entries = sorted(folder.iterdir())
        except OSError:
            self.passed["folders that can't be read"] += 1
            return
        if (state.st_dev, state.st_ino) in self._seen:
            self.passed["links to folders that were looked through already"] += 1
            return
        self._seen.add((state.st_dev, state.st_ino))
        for path in entries:
            if path == self.without or _OWN.fullmatch(path.name) or _is_partial(path):
                continue
            if path.name.startswith("."):
                self.passed["hidden files and folders"] += 1
            elif path.is_dir():
                if path.is_symlink():
                    self._links.append(path)
                else:
                    yield from self._below(path)
            elif path.is_file():
                yield path
            elif path.is_symlink():
                self.passed["links that lead nowhere"] += 1
            else:
                self.passed["pipes, devices and the like"] += 1


def _reasons(others: list[Path]) -> dict[str, int]:
    """Counts of files of other kinds by suffix, the most frequent first."""
    kinds = Counter(printable(path.suffix.lower()) or "no suffix" for path in others).most_common()
    found = {f"other files ({kind})": count for kind, count in kinds[:_NAMED]}
    if rest := sum(count for _, count in kinds[_NAMED:]):
        found["other files (of further kinds)"] = rest
    return found


def _held(passed: Counter[str]) -> str:
    if not passed:
        return "nothing"
    others = sum(count for reason, count in passed.items() if reason.startswith("other files"))
    rest = [f"{count} {reason}" for reason, count in passed.items() if not reason.startswith("other files")]
    return ", ".join([f"{others} other files"] * bool(others) + rest)


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
