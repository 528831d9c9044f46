"""Where a job's results go: a place of this machine, or S3, to which they are sent once they are finished."""

import hashlib
import shutil
from pathlib import Path

from faceswap import storage
from faceswap.output.progress import Report
from faceswap.provenance import audit
from faceswap.provenance.audit import Entry
from faceswap.settings import settings


def workplace(out: str | Path) -> Path:
    """Where results are written before they go to ``out``: that itself, if it is a local path.

    For an s3:// URI it is always the same place on this machine, so that an interrupted job goes on with what it has.
    """
    if not storage.is_s3(str(out)):
        return Path(out)
    place = hashlib.sha256(str(out).rstrip("/").encode()).hexdigest()[:16]
    return settings().work_path / "outputs" / place / storage.name_of(str(out))


def deliver(
    files: list[Path], out: str | Path, progress: Report | None = None, act: Entry | None = None
) -> list[str]:
    """Send finished files to S3 and remove them here; where ``out`` is a local path, they are there already.

    Args:
        files: below the workplace of ``out``, or that file itself.
        out: path or s3:// URI as the user named it.
        progress: told after each file.
        act: of the log, that made the files: where they went is logged, too, so that an erasure finds them.

    Returns:
        paths or URIs, in the order of the files.

    Raises:
        StorageError: S3 does not take them; they are kept, and the same command goes on.
    """
    place, target = workplace(out), str(out)
    if not storage.is_s3(target):
        return [str(file) for file in files]
    if files == [place]:
        sent = [storage.publish_file(place, target)]
    else:
        names = [file.relative_to(place).as_posix() for file in files]
        sent = storage.publish_files(place, names, target, progress)
    if act is not None:
        hashes = {uri: act.files.get(str(file.resolve()), "") for file, uri in zip(files, sent, strict=True)}
        audit.record("sent", act.identities, {"act": act.number, "to": target}, by=act.by, sent=hashes)
    shutil.rmtree(place.parent, ignore_errors=True)
    return sent


def finished(out: str | Path) -> list[Path]:
    """All files of a workplace but hidden ones."""
    place = workplace(out)
    files = sorted(one for one in place.rglob("*") if one.is_file())
    return [one for one in files if not any(part.startswith(".") for part in one.relative_to(place).parts)]
