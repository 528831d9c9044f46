"""``faceswap backup`` and ``restore``: databases, artifacts and face sets in one tar file, while the servers run.

The databases are copied first, each as of one moment: SQLite by its own online backup, PostgreSQL by ``pg_dump``.
Artifacts and face sets are written once, before the database names them, so what the copies name is there when the
files are copied after them. The last file of the archive, ``backup.json``, lists the SHA-256 of all others.
"""

import datetime as dt
import hashlib
import json
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import faceswap
from faceswap import storage
from faceswap.errors import SettingsError, StorageError
from faceswap.files.atomic import extract, part_of, replacing
from faceswap.files.disk import explained
from faceswap.files.home_paths import local_path
from faceswap.output.progress import Report
from faceswap.settings import settings
from infra import postgres

INDEX = "backup.json"
_VERSION = 1
_CHUNK = 1 << 20


def places() -> dict[str, str]:
    """Where the files are that a backup holds, by their folder in it: local paths or s3:// prefixes."""
    if postgres.is_used():
        return {"artifacts": postgres.artifacts(), "face-sets": settings().face_sets_root}
    root = settings().artifacts
    own = root if storage.is_s3(root) else str(local_path(root) or "")
    if not own:
        raise SettingsError(
            f"Artifacts at {root} can't be backed up from here",
            "back up where they are, or set it to an s3:// prefix",
        )
    return {"artifacts": own, "face-sets": settings().face_sets_root}


def sqlite_files() -> dict[str, Path]:
    """The databases of a home folder, by their name in the backup."""
    home = settings().home_path
    return {"mlflow.sqlite": home / "mlflow.db", "prefect.sqlite": home / "prefect" / "prefect.db"}


def backup(file: Path, progress: Report | None = None) -> dict[str, int]:
    """Write everything into a tar file, which appears once it is whole.

    Args:
        file: to write.
        progress: told after each file.

    Returns:
        how many files of each kind, and "bytes".

    Raises:
        SettingsError: the databases are those of a server elsewhere.
        StorageError: something can't be read, or the file can't be written.
    """
    _require_own_databases()
    sums: dict[str, str] = {}
    counts = {"databases": 0, "artifacts": 0, "face-sets": 0, "bytes": 0}
    with (
        explained(file),
        replacing(file) as part,
        tempfile.TemporaryDirectory(dir=file.absolute().parent) as scratch,
    ):
        with tarfile.open(part, "w") as archive:
            for kind, name, path in _all_files(Path(scratch), progress):
                sums[f"{kind}/{name}"] = _sha256(path)
                archive.add(path, f"{kind}/{name}", recursive=False)
                counts[kind] += 1
                counts["bytes"] += path.stat().st_size
            index = Path(scratch, INDEX)
            made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            told = {"version": _VERSION, "created": made, "faceswap": faceswap.__version__, "sha256": sums}
            index.write_text(json.dumps(told, indent=1))
            archive.add(index, INDEX)
        part.chmod(0o600)  # likenesses of people
    return counts


def _all_files(scratch: Path, progress: Report | None) -> Iterator[tuple[str, str, Path]]:
    """(kind, name, local file) of all that is kept; databases come first."""
    for path in _copied_databases(scratch):
        yield "databases", path.name, path
    for kind, place in places().items():
        names = storage.list_files(place)
        for number, name in enumerate(names, 1):
            if any(word.startswith(".") for word in name.split("/")):  # what is being written
                continue
            if storage.is_s3(place):
                path = scratch / "file"
                path.write_bytes(storage.read_bytes(storage.join(place, name)))
            else:
                path = Path(place, name)
            yield kind, name, path
            if progress:
                progress(number, len(names), kind)


def _copied_databases(scratch: Path) -> Iterator[Path]:
    if postgres.is_used():
        yield from postgres.dump(scratch)
        return
    for name, path in sqlite_files().items():
        if path.exists():
            with (
                closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(scratch / name)) as copy,
            ):
                source.backup(copy)  # as of one moment, whoever writes meanwhile
            yield scratch / name


def restore(file: Path, progress: Report | None = None) -> dict[str, int]:
    """Bring back what a backup holds, into a home folder or servers that are empty.

    Everything is checked before anything is put in its place.

    Args:
        file: that :func:`backup` has written.
        progress: told after each file.

    Returns:
        how many files of each kind.

    Raises:
        SettingsError: something is there already, or the backup is of another kind of databases.
        StorageError: the file is damaged or can't be read.
    """
    _require_own_databases()
    _require_empty()
    home = settings().home_path
    home.mkdir(parents=True, exist_ok=True)
    unpacked = part_of(home / "restored")
    try:
        index = _unpack(file, unpacked)
        databases = sorted((unpacked / "databases").glob("*"))
        _require_fitting([one.name for one in databases])
        counts = {"databases": len(databases)}
        for kind, place in places().items():
            files = [name for name in index if name.startswith(f"{kind}/")]
            for number, name in enumerate(files, 1):
                target = storage.join(place, name.removeprefix(f"{kind}/"))
                if storage.is_s3(place):
                    storage.publish_file(unpacked / name, target)
                else:
                    Path(target).parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(unpacked / name, target)
                if progress:
                    progress(number, len(files), kind)
            counts[kind] = len(files)
        if postgres.is_used():
            postgres.load(databases)
        else:
            for name, path in sqlite_files().items():
                if (unpacked / "databases" / name).exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(unpacked / "databases" / name, path)  # last: what they name is there
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    return counts


def _unpack(file: Path, folder: Path) -> dict[str, str]:
    """Unpack and check; returns the SHA-256 of all files by name."""
    try:
        with tarfile.open(file) as archive:
            extract(archive, folder)
        told = json.loads((folder / INDEX).read_text())
    except FileNotFoundError as error:
        missing = "there is no such file" if not file.exists() else f"it has no {INDEX}, so it was cut short"
        raise StorageError(f"{file} is no backup: {missing}", "name a file of `faceswap backup`") from error
    except (tarfile.TarError, OSError, ValueError) as error:
        raise StorageError(f"{file} can't be read: {error}", "take another backup") from error
    if told.get("version") != _VERSION:
        raise StorageError(f"{file} was made by a newer faceswap ({told.get('faceswap')})", "update faceswap")
    index: dict[str, str] = told["sha256"]
    for name, expected in index.items():
        path = folder / name
        if not path.is_file() or _sha256(path) != expected:
            raise StorageError(f"{file} is damaged: {name} is not what was stored", "take another backup")
    return index


def _require_own_databases() -> None:
    if (
        not postgres.is_used()
        and settings().tracking_uri
        and not settings().tracking_uri.startswith("sqlite")
    ):
        raise SettingsError(
            f"The databases are those of a server ({settings().tracking})",
            "run this where the server runs: without FACESWAP_TRACKING_URI on its home, or in a team's stack "
            "(docs/team.md)",
        )


def _require_empty() -> None:
    found = [str(path) for path in sqlite_files().values() if path.exists() and not postgres.is_used()]
    found += [place for place in places().values() if next(iter(storage.list_files(place)), None)]
    found += postgres.tables() if postgres.is_used() else []
    if found:
        raise SettingsError(
            f"There is something already: {', '.join(found[:3])}",
            "restore into an empty home (FACESWAP_HOME) or empty servers; nothing was changed",
        )


def _require_fitting(names: list[str]) -> None:
    kind = ".pgdump" if postgres.is_used() else ".sqlite"
    if wrong := [name for name in names if not name.endswith(kind)]:
        where = "a home folder's" if kind == ".pgdump" else "a team's PostgreSQL"
        raise SettingsError(f"{', '.join(wrong)} are databases of {where}", "restore where such are used")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
