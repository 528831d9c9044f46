"""Everything that exists of a person: listed, erased, and searched for once more.

The list is written down before the first thing goes. Where a server is lost on the way, the same call goes on.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from faceswap import storage
from faceswap.errors import FaceswapError, StorageError
from faceswap.faces.faceset import HEADER, present
from faceswap.progress import Report
from faceswap.provenance import audit
from faceswap.provenance.consent import remains
from faceswap.provenance.consent.event_files import FOLDER
from faceswap.provenance.consent.remains import Item, Remains
from faceswap.provenance.metadata import read_provenance
from faceswap.registry import erasing
from faceswap.registry.cards import version_card
from faceswap.settings import settings

_PRIORS = (
    "Priors that came with the package have seen fictional people only: nothing of anybody is in them.",
    "Copies that were downloaded, sent or published are not known here.",
)


def find(identity: str) -> Remains:
    """What there is of a person in the stores that the settings name, and on this machine.

    Raises:
        TrackingError, StorageError: a server does not answer.
    """
    in_mlflow, stay, outputs = erasing.find(identity)
    files, changed = _outputs(identity, outputs)
    items = [
        *_face_sets(identity),
        *_work(identity),
        *_caches(identity),
        *files,
        *in_mlflow,
    ]
    return Remains(items=list(dict.fromkeys(items)), stay=[*stay, *changed, *_PRIORS])


def erase(identity: str, report: Report) -> tuple[list[Item], Remains]:
    """Erase what :func:`find` lists, and what an interrupted call has left to do.

    Args:
        identity: whose consent was withdrawn.
        report: told after each thing.

    Returns:
        what was erased, and what a search found afterwards.

    Raises:
        FaceswapError: a server does not answer, or refuses; what is left is written down, the same call goes on.
    """
    left = list(dict.fromkeys([*remains.begun(identity), *find(identity).items]))
    left.sort(key=lambda item: _ORDER.index(item.kind))
    gone: list[Item] = []
    total = len(left)
    remains.note(identity, left)
    while left:
        item = left[0]
        try:
            erasing.remove(item) if item.kind in erasing.KINDS else storage.delete(item.place)
        except FaceswapError as error:
            raise type(error)(
                f"{len(gone)} of {total} things of {identity!r} are erased; then: {error.message}",
                f"{error.fix}; the same command goes on with the rest",
            ) from error
        gone.append(left.pop(0))
        remains.note(identity, left)
        report(len(gone), total, str(item))
    left_behind = erasing.forget_rows()
    found = find(identity)
    return gone, found.model_copy(update={"stay": [*found.stay, *filter(None, [left_behind])]})


_ORDER = ("output", "face set", "work", "cache", "pictures", "run", "encoder", "version", "model")
"""Last goes what the search goes by."""


def _face_sets(identity: str) -> Iterator[Item]:
    """Below the root, and wherever else those lie that runs were given."""
    root = storage.join(settings().face_sets_root, identity)
    names = storage.list_files(root)
    for name in sorted({name.partition("/")[0] for name in names} - {FOLDER}):
        yield Item(kind="face set", place=storage.join(root, name), about=f"face set of {identity}")
    for place in erasing.face_set_places(identity):
        uri = present(place.removeprefix("file://"), settings().face_sets_root)
        if uri.startswith(root):
            continue
        try:
            header = json.loads(storage.read_bytes(storage.join(uri, HEADER)))
        except (StorageError, ValueError):
            continue  # it is gone
        if header.get("identity") == identity:
            yield Item(kind="face set", place=uri, about=f"face set of {identity}")


def _work(identity: str) -> Iterator[Item]:
    """Checkpoints of interrupted trainings and searches that saw the person."""
    work = settings().work_path
    for file in sorted([*work.glob("train/*/face_sets.json"), *work.glob("tune/*/search.json")]):
        try:
            said = json.loads(file.read_bytes())
        except (OSError, ValueError):
            said = None
        sets = said.get("face_sets", []) if isinstance(said, dict) else said or []
        if identity in {_named(uri) for uri in sets}:
            yield Item(kind="work", place=str(file.parent), about="checkpoints of an interrupted training")
    for header in sorted(work.glob(f"extract-*/{HEADER}")):
        if _identity_in(header) == identity:
            yield Item(kind="work", place=str(header.parent), about="an unfinished extraction")


def _named(uri: str) -> str:
    try:
        header = json.loads(storage.read_bytes(storage.join(uri, HEADER)))
        return str(header.get("identity", ""))
    except (StorageError, ValueError):
        return uri.rstrip("/").split("/")[-2] if uri.count("/") > 1 else uri


def _identity_in(header: Path) -> str:
    try:
        return str(json.loads(header.read_bytes()).get("identity", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _caches(identity: str) -> Iterator[Item]:
    """Downloaded face sets and versions, and results of the app."""
    cache = settings().cache_path
    for header in sorted(cache.glob(f"face-sets/*/{HEADER}")):
        if _identity_in(header) == identity:
            yield Item(kind="cache", place=str(header.parent), about="a downloaded face set")
    for card in sorted(cache.glob(f"decoders/*/{version_card.CARD}")):
        if _identity_in(card) == identity:
            yield Item(kind="cache", place=str(card.parent), about="a downloaded version")
    for file in sorted(cache.glob("app/results/*/*")):
        if file.is_file() and identity in _references(file):
            yield Item(kind="cache", place=str(file.parent), about="a result of the app")


def _references(file: Path) -> list[str]:
    try:
        origin = read_provenance(file)
    except FaceswapError:
        return []
    return origin.reference.split(" + ") if origin else []


def _outputs(identity: str, noted: list[str]) -> tuple[list[Item], list[str]]:
    """Files that the audit log or a run of a swap names; those that are something else by now stay, and are said."""
    hashes: dict[str, str] = dict.fromkeys((str(Path(place).resolve()) for place in noted), "")
    for entry in audit.entries():
        if identity in entry.identities:
            hashes |= entry.files
    items, changed = [], []
    for place, digest in sorted(hashes.items()):
        path = Path(place)
        if not path.is_file():
            continue
        if identity in _references(path) or audit.sha256_of(path) == digest:
            items.append(Item(kind="output", place=place, about="an output"))
        else:
            changed.append(f"{place} was written as an output, but is something else by now: look at it.")
    return items, changed
