"""Local paths and s3:// URIs through one small door (boto3)."""

import errno
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from faceswap.errors import StorageError
from faceswap.files import part_of, replacing
from faceswap.settings import settings

_THREADS = 8
_ENDPOINT = "check FACESWAP_S3_ENDPOINT_URL, and that the server runs"
_KEYS = "check FACESWAP_S3_ACCESS_KEY_ID and FACESWAP_S3_SECRET_ACCESS_KEY"
_MISSING = "it does not exist", "check bucket and prefix"
_BAD_KEYS = "the keys are refused", _KEYS
_REFUSED = {
    "NoSuchBucket": ("there is no such bucket", "create it or correct its name"),
    "AccessDenied": ("permission is denied", "allow these keys to list, read and write there"),
    "403": ("permission is denied", f"{_KEYS}, and what they may do there"),
    **dict.fromkeys(("NoSuchKey", "404"), _MISSING),
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"), _BAD_KEYS),
}
"""What S3 answers: the cause and the fix."""


def is_s3(uri: str) -> bool:
    """Whether a URI lies in S3."""
    return uri.startswith("s3://")


def join(uri: str, *parts: str) -> str:
    """A URI below another."""
    return "/".join([uri.rstrip("/"), *parts]) if is_s3(uri) else str(Path(uri, *parts))


def exists(uri: str) -> bool:
    """Whether there is a file, or a folder (in S3: a prefix with something under it).

    Raises:
        StorageError: there is no such bucket, or it can't be asked.
    """
    if not is_s3(uri):
        return Path(uri).exists()
    bucket, key = _split(uri)
    with _explained(uri):
        # two questions: between "a" and "a/…" in S3's order lie "a-b" and "a.b"
        first, below = (next(_objects(bucket, prefix), None) for prefix in (key, _folder(uri)[1]))
    return not key or below is not None or (first is not None and first[0] == key)


def list_files(uri: str) -> list[str]:
    """All files below a folder or prefix, relative to it, sorted; none where it does not exist.

    Raises:
        StorageError: there is no such bucket, or it can't be read.
    """
    if not is_s3(uri):
        return sorted(p.relative_to(uri).as_posix() for p in Path(uri).rglob("*") if p.is_file())
    bucket, prefix = _folder(uri)
    with _explained(uri):
        return sorted(key.removeprefix(prefix) for key, _, _ in _objects(bucket, prefix))


def read_bytes(uri: str) -> bytes:
    """The content of a file.

    Raises:
        StorageError: it does not exist or can't be read.
    """
    with _explained(uri):
        if not is_s3(uri):
            return Path(uri).read_bytes()
        bucket, key = _split(uri)
        return bytes(_client().get_object(Bucket=bucket, Key=key)["Body"].read())


def write_bytes(uri: str, content: bytes) -> None:
    """Write a file; a reader sees the old or the new content, never half of it.

    Raises:
        StorageError: it can't be written.
    """
    with _explained(uri):
        if is_s3(uri):
            bucket, key = _split(uri)
            _client().put_object(Bucket=bucket, Key=key, Body=content)
            return
        with replacing(Path(uri)) as part:
            part.write_bytes(content)


def remove(uri: str) -> None:
    """Delete a file, or a folder or prefix with all below it; nothing happens where there is none.

    Raises:
        StorageError: it can't be deleted.
    """
    with _explained(uri):
        if not is_s3(uri):
            path = Path(uri)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            return
        bucket, key = _split(uri)
        if not key:
            raise StorageError(f"{uri} is a whole bucket", "name a prefix in it")
        for prefix, exact in ((_folder(uri)[1], False), (key, True)):
            for found in [one for one, _, _ in _objects(bucket, prefix)]:
                if not exact or found == key:
                    _client().delete_object(Bucket=bucket, Key=found)


def fetch_folder(uri: str, cache: Path) -> Path:
    """A local folder with the files of a folder, a prefix or a single object.

    A local folder is returned as it is. From S3 all objects are downloaded once; the copy appears when it is
    whole, and belongs to this very content: once an object is changed, added or removed, a new copy is made.

    Args:
        uri: local folder or s3:// URI.
        cache: where downloads are kept.

    Raises:
        StorageError: there is nothing in S3, it can't be read, or the disk is full.
    """
    if not is_s3(uri):
        return Path(uri)
    with _explained(uri):
        bucket, key = _split(uri)
        prefix = _folder(uri)[1]
        objects = sorted(_objects(bucket, prefix))
        if not objects:
            prefix = key.removesuffix(PurePosixPath(key).name)
            objects = [found for found in _objects(bucket, key) if found[0] == key]
        if not objects:
            raise StorageError(f"There is nothing under {uri}", "check bucket and prefix")
        target = cache / sha256(repr((settings().s3_endpoint_url, bucket, objects)).encode()).hexdigest()[:16]
        if target.is_dir():
            return target
        part = part_of(target)
        try:
            _in_parallel(lambda found: _download(bucket, found, prefix, part), objects)
            _move(part, target, last="")
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return target


def publish_folder(local: Path, uri: str, last: str) -> None:
    """Move a finished local folder to its place. A set that is there already, with its marker, is left as it is.

    Args:
        local: the folder; gone afterwards.
        uri: local path or s3:// prefix.
        last: the marker, one of its files; in S3 it is uploaded last, so that who sees it sees all.

    Raises:
        StorageError: the marker is missing, or the place can't be written; ``local`` is kept then.
    """
    if not (local / last).is_file():
        raise StorageError(f"{local} has no {last}: it is not finished", "write it before publishing")
    with _explained(uri):
        if is_s3(uri):
            bucket, prefix = _folder(uri)
            names = [name for name in list_files(str(local)) if name != last]
            put = _client().upload_file  # made before the threads start: boto3 can't make two at once
            _in_parallel(lambda name: put(str(local / name), bucket, prefix + name), names)
            put(str(local / last), bucket, prefix + last)
        else:
            _move(local, Path(uri), last)
    shutil.rmtree(local, ignore_errors=True)


def _move(local: Path, target: Path, last: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        local.rename(target)
    except OSError as error:
        if (target / last).exists():  # another process was faster
            return
        if error.errno != errno.EXDEV:
            raise
        part = part_of(target)  # another disk: copy, then rename
        try:
            shutil.copytree(local, part)
            part.rename(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _in_parallel(work: Callable[[Any], None], items: Iterable[Any]) -> None:
    """Do the work on all items; the first error ends it."""
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for future in [pool.submit(work, item) for item in items]:
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _download(bucket: str, found: tuple[str, int, str], prefix: str, folder: Path) -> None:
    key, size, _ = found
    name = PurePosixPath(key.removeprefix(prefix))
    if name.is_absolute() or ".." in name.parts:
        raise StorageError(f"s3://{bucket}/{key} has a name that leads out of its folder", "remove it")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    _client().download_file(bucket, key, str(path))
    if path.stat().st_size != size:
        raise StorageError(f"s3://{bucket}/{key} was changed while it was read", "try again")


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise StorageError(f"{uri!r} names no bucket", "write s3://BUCKET/PREFIX")
    return bucket, key


def _folder(uri: str) -> tuple[str, str]:
    bucket, key = _split(uri)
    return bucket, key.rstrip("/") + "/" if key.rstrip("/") else ""


def _objects(bucket: str, prefix: str) -> Iterator[tuple[str, int, str]]:
    """(key, size, etag) of all objects; not the empty ones with which consoles show a folder."""
    for page in _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            if not entry["Key"].endswith("/"):
                yield entry["Key"], entry["Size"], entry.get("ETag", "")


def _client() -> Any:
    s = settings()
    return _client_for(
        s.s3_endpoint_url, s.s3_region, s.s3_access_key_id, s.s3_secret_access_key.get_secret_value()
    )


@lru_cache
def _client_for(endpoint: str, region: str, key: str, secret: str) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region,
        aws_access_key_id=key or None,
        aws_secret_access_key=secret or None,
        config=Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"total_max_attempts": 3, "mode": "standard"},
            max_pool_connections=4 * _THREADS,
            s3={"addressing_style": "path"},
        ),
    )


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turn the errors of the system and of boto3 into one that names the place, the cause and the fix."""
    try:
        yield
    except Exception as error:
        cause = _cause_in_s3(error) if is_s3(uri) else None
        if cause is None and isinstance(error, OSError):
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            fix = "make room on the disk" if full else "check the path and its permissions"
            cause = error.strerror or str(error), fix
        if cause is None:
            raise
        raise StorageError(f"{uri} can't be used: {cause[0]}", cause[1]) from error


def _cause_in_s3(error: Exception) -> tuple[str, str] | None:
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as known

    if isinstance(error, Boto3Error) and isinstance(error.__context__, Exception):
        error = error.__context__  # boto3 wraps what went wrong while uploading
    if isinstance(error, known.ClientError):
        return _REFUSED.get(
            error.response.get("Error", {}).get("Code", ""), (str(error), f"{_ENDPOINT}; {_KEYS}")
        )
    if isinstance(error, known.ConnectionError | known.HTTPClientError):
        return f"the server can't be reached: {error}", _ENDPOINT
    if isinstance(error, known.NoCredentialsError):
        return "there are no keys", _KEYS
    if isinstance(error, known.BotoCoreError | Boto3Error | ValueError):  # the last: no address at all
        return str(error), f"{_ENDPOINT}; {_KEYS}"
    return None
