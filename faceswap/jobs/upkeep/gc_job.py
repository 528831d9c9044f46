"""Garbage collection: what is old and used by nobody goes; what is in production, or has any alias, never does."""

import datetime as dt
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from faceswap import storage
from faceswap.errors import FaceswapError
from faceswap.faces.faceset import HEADER, find_headers, known_identities
from faceswap.registry import retention
from faceswap.registry.retention import Retention
from faceswap.registry.versions import Listed, versions
from faceswap.settings import settings


@dataclass(frozen=True)
class Garbage:
    """One thing that may go.

    Attributes:
        kind: "version", "run", "face set" or "checkpoints".
        name: of it.
        size: bytes that become free; 0: not known.
        why: in words.
        remove: makes it go; False: it is used again, and stays.
    """

    kind: str
    name: str
    size: int
    why: str
    remove: Callable[[], object]


def find_garbage(kept: Retention) -> list[Garbage]:
    """All that may go, in the order in which it does; nothing is changed."""
    going = retention.old_versions(kept)
    gone = {row.version for row in going}
    staying = [row for row in versions() if row.version not in gone]
    found = [
        Garbage(
            "version",
            str(row.version),
            0,
            f"no alias, {_age(row.created)} old, not among the newest {kept.newest}",
            partial(retention.delete_version, row),
        )
        for row in going
    ]
    found += [
        Garbage(
            "run",
            f"{run.info.run_name} ({run.info.run_id[:8]})",
            0,
            f"{run.info.status.lower()} {_age(run.info.start_time / 1000)} ago, without a version",
            partial(retention.delete_run, run.info.run_id),
        )
        for run in retention.old_runs(kept, staying)
    ]
    return [*found, *_face_sets(kept, staying), *_checkpoints(kept)]


def collect(garbage: list[Garbage]) -> tuple[int, list[str]]:
    """Remove it; returns how much went, and what could not, with the reason. One failure does not hold up the rest."""
    done, failed = 0, []
    for one in garbage:
        try:
            if one.remove() is False:
                failed.append(f"{one.kind} {one.name}: it is used again, and stays")
            else:
                done += 1
        except FaceswapError as error:
            failed.append(f"{one.kind} {one.name}: {error.message}")
    return done, failed


def _face_sets(kept: Retention, staying: list[Listed]) -> Iterator[Garbage]:
    """Face sets that no version was trained on, but the newest of each identity."""
    used, root = retention.digests_of_face_sets(staying), settings().face_sets_root
    for identity in known_identities():
        for uri, header in find_headers(root, identity)[1:]:
            created = _seconds(str(header.get("created", "")))
            if header["digest"] in used or created > kept.before:
                continue
            size = sum(storage.sizes(uri).values())
            why = f"no version was trained on it, {_age(created)} old, there is a newer one"
            yield Garbage("face set", uri, size, why, partial(_delete_face_set, uri, str(header["digest"])))


def _delete_face_set(uri: str, digest: str) -> bool:
    if digest in retention.digests_of_face_sets(versions()):
        return False
    storage.delete(uri, first=[HEADER])
    return True


def _checkpoints(kept: Retention) -> Iterator[Garbage]:
    """Checkpoints of trainings that are finished, deleted, or were interrupted long ago; here and in S3."""
    here = settings().work_path / "train"
    for folder in sorted(here.iterdir()) if here.is_dir() else ():
        if not retention.running_or_resumable(folder.name, kept) and folder.stat().st_mtime < kept.before:
            size = sum(storage.sizes(str(folder)).values())
            remove = partial(shutil.rmtree, folder, ignore_errors=True)
            yield Garbage("checkpoints", str(folder), size, "nobody will resume it", remove)
    if not (root := settings().checkpoints):
        return
    sizes = storage.sizes(root)
    for run_id in sorted({name.partition("/")[0] for name in sizes}):
        if not retention.running_or_resumable(run_id, kept):
            size = sum(count for name, count in sizes.items() if name.startswith(f"{run_id}/"))
            uri = storage.join(root, run_id)
            yield Garbage("checkpoints", uri, size, "nobody will resume it", partial(storage.delete, uri))


def _seconds(created: str) -> float:
    try:
        return dt.datetime.fromisoformat(created).timestamp()
    except ValueError:
        return time.time()  # of unknown age: it stays


def _age(created: float) -> str:
    return f"{(time.time() - created) / 86400:.0f} days"
