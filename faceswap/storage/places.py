"""Files at local paths and s3:// URIs, read and written in one way."""

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from faceswap.files.atomic import part_of, replacing
from faceswap.storage import transfers
from faceswap.storage.s3 import client, code_of, explained, objects
from faceswap.storage.uris import as_folder, is_s3, split

_AT_A_TIME = 1000
"""Objects that S3 deletes by one request at most."""
_TAKEN = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}


def exists(uri: str) -> bool:
    """Whether there is a file, or a folder (in S3: a prefix with something under it).

    Raises:
        StorageError: there is no such bucket, or it can't be asked.
    """
    if not is_s3(uri):
        return Path(uri).exists()
    bucket, key = split(uri)
    with explained(uri):
        # two questions: between "a" and "a/…" in S3's order lie "a-b" and "a.b"
        first, below = (next(objects(bucket, prefix), None) for prefix in (key, as_folder(uri)[1]))
    return not key or below is not None or (first is not None and first.key == key)


def list_files(uri: str) -> list[str]:
    """All files below a folder or prefix, relative to it, sorted; none where it does not exist.

    Raises:
        StorageError: there is no such bucket, or it can't be read.
    """
    return sorted(sizes(uri))


def sizes(uri: str) -> dict[str, int]:
    """Bytes of all files below a folder or prefix, by their names relative to it.

    Raises:
        StorageError: there is no such bucket, or it can't be read.
    """
    if not is_s3(uri):
        return {p.relative_to(uri).as_posix(): p.stat().st_size for p in Path(uri).rglob("*") if p.is_file()}
    bucket, prefix = as_folder(uri)
    with explained(uri):
        return {one.key.removeprefix(prefix): one.size for one in objects(bucket, prefix)}


def read_bytes(uri: str) -> bytes:
    """The content of a file.

    Raises:
        StorageError: it does not exist or can't be read.
    """
    with explained(uri):
        if not is_s3(uri):
            return Path(uri).read_bytes()
        bucket, key = split(uri)
        return bytes(client().get_object(Bucket=bucket, Key=key)["Body"].read())


def sha256_of(uri: str) -> str:
    """The digest of a file's content, in hexadecimal; an object's as it was told when it was sent.

    Raises:
        StorageError: it does not exist or can't be read.
    """
    with explained(uri):
        if not is_s3(uri):
            return transfers.sha256_of(Path(uri))
        bucket, key = split(uri)
        if told := client().head_object(Bucket=bucket, Key=key).get("Metadata", {}).get(transfers.SUM):
            return str(told)
        digest = hashlib.sha256()
        for part in client().get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 << 20):
            digest.update(part)
        return digest.hexdigest()


def write_bytes(uri: str, content: bytes) -> None:
    """Write a file; a reader sees the old or the new content, never half of it.

    Raises:
        StorageError: it can't be written.
    """
    with explained(uri):
        if is_s3(uri):
            bucket, key = split(uri)
            client().put_object(Bucket=bucket, Key=key, Body=content)
            return
        with replacing(Path(uri)) as part:
            part.write_bytes(content)


def create(uri: str, content: bytes) -> bool:
    """Write a file unless there is one; of several that try, one succeeds. Whether it was this call.

    Raises:
        StorageError: it can't be written.
    """
    with explained(uri):
        if not is_s3(uri):
            path = Path(uri)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = part_of(path)
            try:
                part.write_bytes(content)
                path.hardlink_to(part)
            except FileExistsError:
                return False
            finally:
                part.unlink(missing_ok=True)
            return True
        bucket, key = split(uri)
        try:
            client().put_object(Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
        except Exception as error:
            if code_of(error) in _TAKEN:
                return False
            raise
    return True


def delete(uri: str, first: Sequence[str] = ()) -> int:
    """Delete a file, or a folder with all that is in it; returns how many files. What is not there is no error.

    Args:
        uri: local path or s3:// URI.
        first: names below the folder that go before the others, such as the marker by which readers know a whole set.

    Raises:
        StorageError: it can't be deleted.
    """
    with explained(uri):
        if not is_s3(uri):
            return _delete_locally(Path(uri))
        bucket, key = split(uri)
        prefix = as_folder(uri)[1]
        keys = [one.key for one in objects(bucket, prefix)] if prefix else []
        keys += [one.key for one in objects(bucket, key) if one.key == key]
        early = [prefix + name for name in first if prefix + name in keys]
        _delete_keys(bucket, early)
        _delete_keys(bucket, [one for one in keys if one not in set(early)])
        return len(keys)


def _delete_keys(bucket: str, keys: list[str]) -> None:
    for start in range(0, len(keys), _AT_A_TIME):
        wanted = {"Objects": [{"Key": key} for key in keys[start : start + _AT_A_TIME]], "Quiet": True}
        refused = client().delete_objects(Bucket=bucket, Delete=wanted).get("Errors", [])
        if refused:
            raise OSError(f"{refused[0].get('Key')} can't be deleted: {refused[0].get('Message')}")


def _delete_locally(path: Path) -> int:
    if path.is_file() or path.is_symlink():
        path.unlink()
        return 1
    if not path.exists():
        return 0
    gone = part_of(path)  # all of it at once: nobody sees half a set
    path.rename(gone)
    count = sum(1 for one in gone.rglob("*") if one.is_file())
    with suppress(FileNotFoundError):
        shutil.rmtree(gone)
    return count


def presigned_url(uri: str, seconds: int, name: str = "") -> str:
    """An address from which a browser gets an object without keys, for a while.

    Args:
        uri: of the object.
        seconds: it is valid.
        name: the file is called when it is saved; as the object, where empty.
    """
    with explained(uri):
        bucket, key = split(uri)
        wanted = {"Bucket": bucket, "Key": key}
        if name:
            wanted["ResponseContentDisposition"] = f'attachment; filename="{name}"'
        found: str = client(public=True).generate_presigned_url(
            "get_object", Params=wanted, ExpiresIn=seconds
        )
    return found
