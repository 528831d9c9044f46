"""Everything that exists of a person: listed, erased, and searched for once more.

The list is written down before the first thing goes. Where a server is lost on the way, the same call goes on.
"""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from faceswap import storage
from faceswap.errors import FaceswapError, StorageError
from faceswap.faces.faceset import HEADER, present
from faceswap.jobs.upkeep import caches
from faceswap.output.progress import Report
from faceswap.provenance import audit
from faceswap.provenance.consent import remains
from faceswap.provenance.consent.event_files import FOLDER
from faceswap.provenance.consent.remains import Item, Remains
from faceswap.registry import erasing
from faceswap.settings import settings

_PRIORS = (
    "Priors that came with the package have seen fictional people only: nothing of anybody is in them.",
    "Copies that were downloaded, sent or published are not known here.",
    "Prefect keeps parameters and logs of flow runs, and its pictures, too, where PREFECT_API_URL does not lead to it.",
)

_VERSIONING = (
    "A bucket in S3 with versioning keeps what was deleted as older versions: its owner has to remove those."
)


def find(identity: str) -> Remains:
    """What there is of a person in the stores that the settings name, and on this machine.

    Raises:
        TrackingError, StorageError: a server does not answer.
    """
    in_mlflow, stay, outputs = erasing.find(identity)
    files, changed = _outputs(identity, outputs)
    on_workers, unknown = caches.find_on_workers(identity)
    items = [
        *_face_sets(identity),
        *_work(identity),
        *caches.find(identity),
        *on_workers,
        *files,
        *_links(identity),
        *in_mlflow,
    ]
    in_s3 = any(map(storage.is_s3, (settings().face_sets_root, settings().artifacts, settings().outputs)))
    kept = [_VERSIONING] if in_s3 else []
    return Remains(items=list(dict.fromkeys(items)), stay=[*stay, *changed, *unknown, *kept, *_PRIORS])


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
            _remove(item)
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


def _remove(item: Item) -> None:
    if item.kind in erasing.KINDS:
        erasing.remove(item)
    elif item.kind in {caches.HERE, caches.ON_WORKERS}:
        caches.remove(item)
    else:
        storage.delete(item.place)


_ORDER = (
    *("output", "face set", "work", caches.HERE, caches.ON_WORKERS),
    *("pictures", "run", "encoder", "weights", "version", "model"),
)
"""Last goes what the search goes by."""


def _face_sets(identity: str) -> Iterator[Item]:
    """Below the root, and wherever else those lie that runs were given."""
    root = storage.join(settings().face_sets_root, identity)
    names = storage.list_files(root)
    for name in sorted({name.partition("/")[0] for name in names} - {FOLDER}):
        yield Item(kind="face set", place=storage.join(root, name), about=f"face set of {identity}")
    for place in erasing.face_set_places(identity):
        uri = present(place.removeprefix("file://"), settings().face_sets_root)
        if uri == root or uri.startswith(f"{root}/"):
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
    root = settings().checkpoints
    for name in storage.list_files(root) if root else []:
        if name.count("/") == 1 and name.endswith("/face_sets.json"):
            uris = json.loads(storage.read_bytes(storage.join(root, name)))
            if identity in {_named(uri) for uri in uris}:
                place = storage.join(root, name.partition("/")[0])
                yield Item(kind="work", place=place, about="checkpoints of an interrupted training")
    for header in sorted(work.glob(f"extract-*/{HEADER}")):
        if caches.identity_in(header) == identity:
            yield Item(kind="work", place=str(header.parent), about="an unfinished extraction")


def _named(uri: str) -> str:
    try:
        header = json.loads(storage.read_bytes(storage.join(uri, HEADER)))
        return str(header.get("identity", ""))
    except (StorageError, ValueError):
        return uri.rstrip("/").split("/")[-2] if uri.count("/") > 1 else uri


def _outputs(identity: str, noted: list[str]) -> tuple[list[Item], list[str]]:
    """Files that the audit log or a run of a swap names; those that are something else by now stay, and are said."""
    local = (place for place in noted if not storage.is_s3(place))
    hashes: dict[str, str] = dict.fromkeys((str(Path(place).resolve()) for place in local), "")
    for entry in audit.entries():
        if identity in entry.identities:
            hashes |= entry.files
    items, changed = [], []
    for place, digest in sorted(hashes.items()):
        if not (storage.exists(place) if storage.is_s3(place) else Path(place).is_file()):
            continue
        if _is_output(place, digest, identity):
            items.append(Item(kind="output", place=place, about="an output"))
        else:
            changed.append(f"{place} was written as an output, but is something else by now: look at it.")
    return items, changed


def _is_output(place: str, digest: str, identity: str) -> bool:
    """Whether it is what was written there, or says itself that it shows the person."""
    if not storage.is_s3(place) and identity in caches.references(Path(place)):
        return True
    return storage.sha256_of(place) == digest


def _links(identity: str) -> Iterator[Item]:
    """Results of the app that were sent to S3 for a while; those of a person have the name in theirs."""
    root = settings().outputs
    for name in storage.list_files(root) if root else []:
        if not PurePosixPath(name).stem.endswith(f"-{identity}"):
            continue
        place = storage.join(root, name)
        with TemporaryDirectory() as folder:
            copy = Path(folder) / PurePosixPath(name).name
            copy.write_bytes(storage.read_bytes(place))
            if identity in caches.references(copy):
                yield Item(kind="output", place=place, about="a result of the app")
