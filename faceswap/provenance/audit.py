"""The audit log: who trained, promoted, swapped, recorded or withdrew a consent, when, and which files came of it.

A line of JSON for each act, in ``audit.jsonl`` below the home folder. Lines are only ever added, and each holds the
SHA-256 of the line before it: one that is changed, removed or put in between breaks the chain from there on. Lines cut
off at the end leave a chain that is whole; ``audit.head`` holds the last line's hash, and the hash that ``faceswap
audit verify`` prints can be kept elsewhere and given to a later check. Who can write to the home folder can write the
whole log anew: the log shows accidents and hasty hands, and with a hash that was kept elsewhere all others, too.
"""

import datetime as dt
import getpass
import hashlib
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field

from faceswap.errors import AuditError, StorageError
from faceswap.files.atomic import write_text
from faceswap.settings import settings

_FIRST = "0" * 64
"""What stands in the first line as the hash of the line before it."""


DAMAGE = "damage found"
"""The act of noting, before the next one, that the log does not end as it did."""


class Entry(BaseModel):
    """One act."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(ge=1, description="1 for the first")
    at: str = Field(description="ISO 8601, UTC")
    by: str = Field(description="who")
    what: str = Field(description="trained, promoted, swapped, …")
    identities: tuple[str, ...] = Field((), description="whose likeness")
    facts: dict[str, Any] = {}
    files: dict[str, str] = Field({}, description="absolute path or URI -> sha256 of what was written")
    before: str = Field(description="sha256 of the line before")


def who(given: str = "") -> str:
    """Who does it: the name given, else that with which MLflow is told, else the user of this machine."""
    if given.strip():
        return " ".join(given.split())
    try:
        user = os.environ.get("MLFLOW_TRACKING_USERNAME") or getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def log_file() -> Path:
    """Where the log is."""
    return settings().home_path / "audit.jsonl"


def record(
    what: str,
    identities: Iterable[str] = (),
    facts: Mapping[str, Any] | None = None,
    files: Iterable[Path] = (),
    by: str = "",
    sent: Mapping[str, str] | None = None,
) -> Entry:
    """Add an act; it is on the disk when this returns.

    Args:
        what: the act, one word of the past.
        identities: whose likeness it is about.
        facts: plain values; versions, runs, reasons.
        files: that were written; folders and missing ones are left out.
        by: who; empty: the user of this machine.
        sent: URI -> sha256 of what went elsewhere.

    Raises:
        StorageError: the log can't be written.
    """
    hashes = {str(path.resolve()): sha256_of(path) for path in files if path.is_file()} | dict(sent or {})
    file = log_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):
            if damage := _damage(file):
                _add(file, who(by), DAMAGE, (), damage, {})  # or this act would hide it
            told = json.loads(json.dumps(dict(facts or {}), default=str))
            entry = _add(file, who(by), what, tuple(sorted(set(identities))), told, hashes)
    except OSError as error:
        raise StorageError(
            f"The audit log {file} can't be written: {error.strerror or error}", "make room, or allow it"
        ) from error
    return entry


def _add(
    file: Path, by: str, what: str, identities: tuple[str, ...], facts: dict[str, Any], files: dict[str, str]
) -> Entry:
    number, before = _last(file)
    entry = Entry(
        number=number + 1,
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        by=by,
        what=what,
        identities=identities,
        facts=facts,
        files=files,
        before=before,
    )
    line = entry.model_dump_json()
    with file.open("a", encoding="utf-8") as log:
        log.write(line + "\n")
        log.flush()
        os.fsync(log.fileno())
    write_text(_head(file), f"{entry.number} {_hash(line)}\n")
    return entry


def _damage(file: Path) -> dict[str, Any]:
    """What the note of the log's end says, where the log ends otherwise; empty where the two agree."""
    number, last = _last(file)
    head = _head(file)
    noted = head.read_text("utf-8", "replace").split() if head.exists() else []
    fits = [[str(number), last]] + ([[]] if number <= 1 else [])
    if number:  # a kill between the line and the note
        with suppress(ValueError), file.open("rb") as log:
            fits.append([str(number - 1), Entry.model_validate_json(_tail(log).splitlines()[-1]).before])
    return {} if noted in fits else {"noted": " ".join(noted), "found": f"{number} {last}"}


def entries() -> Iterator[Entry]:
    """All acts, oldest first, without a look at the chain; damaged lines are passed over."""
    file = log_file()
    if not file.exists():
        return
    for line in file.read_text("utf-8", "replace").splitlines():
        try:
            yield Entry.model_validate_json(line)
        except ValueError:
            continue


def verify(known: str = "") -> tuple[int, str]:
    """Look whether the log is as it was written.

    Args:
        known: a hash that an earlier check gave; it has to be in the chain.

    Returns:
        how many acts it holds, and the last line's hash.

    Raises:
        AuditError: a line was changed, removed or put in; says which.
    """
    file = log_file()
    lines = file.read_bytes().decode("utf-8", "replace").splitlines() if file.exists() else []
    before, chain = _FIRST, {_FIRST}
    for number, line in enumerate(lines, start=1):
        try:
            entry = Entry.model_validate_json(line)
        except ValueError as error:
            raise AuditError(f"Line {number} of {file} is damaged", _FIX) from error
        if entry.number != number:
            raise AuditError(f"Line {number} of {file} says it is number {entry.number}", _FIX)
        if entry.what == DAMAGE:
            raise AuditError(f"Before line {number} of {file} the last acts were changed or cut off", _FIX)
        if entry.before != before:
            what = "the line before it was changed" if number > 1 else "lines before it were removed"
            raise AuditError(f"Line {number} of {file} does not follow: {what}", _FIX)
        before = _hash(line)
        chain.add(before)
    head = _head(file)
    noted = head.read_text("utf-8", "replace").split() if head.exists() else []
    if noted and (
        len(noted) != 2 or noted[1] not in chain or noted[0] not in map(str, range(len(lines) + 1))
    ):
        raise AuditError(
            f"{file} holds {len(lines)} acts, it held {noted[0]}: the last was changed or cut off", _FIX
        )
    if lines and not noted:
        raise AuditError(f"{head}, which says how the log ends, is missing", _FIX)
    if known and known not in chain:
        raise AuditError(f"The hash {known} is not in {file}: what it stood for was changed or removed", _FIX)
    return len(lines), before


_FIX = "compare it with a backup; what comes after that line can't be trusted"


def sha256_of(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _head(file: Path) -> Path:
    return file.with_name("audit.head")


def _hash(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()


def _last(file: Path) -> tuple[int, str]:
    """Number and hash of the last line. One that a kill cut off is kept, as a line that the check will name."""
    if not file.exists() or not file.stat().st_size:
        return 0, _FIRST
    with file.open("rb+") as log:
        data = _tail(log)
        if not data.endswith(b"\n"):
            log.seek(0, os.SEEK_END)
            log.write(b"\n")
            data += b"\n"
    line = data.splitlines()[-1].decode("utf-8", "replace")
    try:
        return Entry.model_validate_json(line).number, _hash(line)
    except ValueError:
        return sum(1 for _ in file.open("rb")), _hash(line)


def _tail(log: Any) -> bytes:
    """The end of a file, with at least one whole line."""
    size = log.seek(0, os.SEEK_END)
    for length in (1 << 16, size):
        log.seek(max(0, size - length))
        data: bytes = log.read()
        if data.rstrip(b"\n").count(b"\n") or length >= size:
            return data
    return b""
