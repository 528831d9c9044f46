"""Files to S3 and from there: in parallel, large ones in parts, each with its SHA-256."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from faceswap.errors import StorageError
from faceswap.output.progress import Report
from faceswap.storage.s3 import THREADS, Stored, client

if TYPE_CHECKING:
    from boto3.s3.transfer import TransferConfig

Item = TypeVar("Item")
PART = 16 * 1024**2
"""Bytes of a part; what is larger is sent and fetched in parts, each of which is tried again by itself."""
SUM = "sha256"
"""The object's metadata that holds the digest; objects which others have made have none."""


def in_parallel(
    work: Callable[[Item], None],
    items: Sequence[Item],
    progress: Report | None = None,
    what: str = "files",
) -> None:
    """Do the work on all items, some at a time; the first error ends it.

    Args:
        work: for one item.
        items: of the work.
        progress: told after each.
        what: the items are called.
    """
    pool = ThreadPoolExecutor(THREADS)
    try:
        for done, future in enumerate(as_completed([pool.submit(work, item) for item in items]), 1):
            future.result()
            if progress:
                progress(done, len(items), what)
    finally:
        pool.shutdown(cancel_futures=True)


def upload(local: Path, bucket: str, key: str) -> None:
    """Send a file, with its digest."""
    told = {"Metadata": {SUM: sha256_of(local)}}
    client().upload_file(str(local), bucket, key, ExtraArgs=told, Config=_in_parts())


def download(bucket: str, found: Stored, path: Path) -> None:
    """Fetch an object; the file has the object's time.

    Raises:
        StorageError: what came is not what was stored, or it was changed meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if found.size <= PART:
        answer = client().get_object(Bucket=bucket, Key=found.key)
        path.write_bytes(answer["Body"].read())
    else:
        client().download_file(bucket, found.key, str(path), Config=_in_parts())
        answer = client().head_object(Bucket=bucket, Key=found.key)
    uri = f"s3://{bucket}/{found.key}"
    if answer.get("ETag", found.etag) != found.etag or path.stat().st_size != found.size:
        raise StorageError(f"{uri} was changed while it was read", "try again")
    told = answer.get("Metadata", {}).get(SUM)
    if told and sha256_of(path) != told:
        raise StorageError(f"{uri} is damaged: it is not what was stored", "restore it, or make it anew")
    os.utime(path, (found.modified, found.modified))


def place_below(folder: Path, bucket: str, found: Stored, prefix: str) -> Path:
    """Where an object goes in a local folder.

    Raises:
        StorageError: its name leads out of the folder.
    """
    name = PurePosixPath(found.key.removeprefix(prefix))
    if name.is_absolute() or ".." in name.parts:
        raise StorageError(f"s3://{bucket}/{found.key} has a name that leads out of its folder", "remove it")
    return folder / name


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _in_parts() -> "TransferConfig":
    from boto3.s3.transfer import TransferConfig

    options: dict[str, Any] = {"multipart_threshold": PART, "multipart_chunksize": PART, "max_concurrency": 4}
    return TransferConfig(**options)
