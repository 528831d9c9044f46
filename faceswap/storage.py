"""Local paths and s3:// URIs through one small door (boto3)."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from faceswap.errors import StorageError
from faceswap.settings import settings

_THREADS = 8


def is_s3(uri: str) -> bool:
    """Whether a URI lies in S3."""
    return uri.startswith("s3://")


def join(uri: str, *parts: str) -> str:
    """A URI below another."""
    return "/".join([uri.rstrip("/"), *parts]) if is_s3(uri) else str(Path(uri, *parts))


def exists(uri: str) -> bool:
    """Whether a file exists."""
    if not is_s3(uri):
        return Path(uri).exists()
    bucket, key = _split(uri)
    with _explained(uri):
        return any(k == key for k, _ in _objects(bucket, key))


def list_files(uri: str) -> list[str]:
    """All files below a folder or prefix, relative to it, sorted."""
    if not is_s3(uri):
        return sorted(p.relative_to(uri).as_posix() for p in Path(uri).rglob("*") if p.is_file())
    bucket, key = _split(uri)
    prefix = key.rstrip("/") + "/" if key else ""
    with _explained(uri):
        return sorted(k.removeprefix(prefix) for k, _ in _objects(bucket, prefix))


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
    """Write a file; a reader sees the old or the new content, never half of it."""
    with _explained(uri):
        if is_s3(uri):
            bucket, key = _split(uri)
            _client().put_object(Bucket=bucket, Key=key, Body=content)
            return
        path = Path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{os.getpid()}-{path.name}")
        part.write_bytes(content)
        part.replace(path)


def fetch_folder(uri: str, cache: Path) -> Path:
    """A local folder with the files of a folder or prefix; from S3 each object is downloaded once.

    Args:
        uri: local folder or s3:// prefix.
        cache: where downloads are kept.

    Raises:
        StorageError: there is nothing, or it can't be read.
    """
    if not is_s3(uri):
        return Path(uri)
    bucket, key = _split(uri)
    prefix = key.rstrip("/") + "/" if key else ""
    target = cache / sha256(uri.rstrip("/").encode()).hexdigest()[:16]
    with _explained(uri):
        objects = list(_objects(bucket, prefix)) or [(k, s) for k, s in _objects(bucket, key) if k == key]
        if not objects:
            raise StorageError(f"There is nothing under {uri}", "check bucket and prefix")

        def one(item: tuple[str, int]) -> None:
            name, size = item
            path = target / (name.removeprefix(prefix) if name != key else Path(name).name)
            if path.exists() and path.stat().st_size == size:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{os.getpid()}-{path.name}")
            _client().download_file(bucket, name, str(part))
            part.replace(path)

        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(one, objects))
    return target


def publish_folder(local: Path, uri: str, last: str) -> None:
    """Move a finished local folder to its place.

    Args:
        local: the folder; gone afterwards.
        uri: local path or s3:// prefix.
        last: the file that is uploaded last, so that who sees it sees all.
    """
    with _explained(uri):
        if not is_s3(uri):
            target = Path(uri)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                local.rename(target)
            except OSError:
                if not (target / last).exists():  # another process may have been faster
                    raise
                shutil.rmtree(local)
            return
        bucket, key = _split(uri)
        names = [p.relative_to(local).as_posix() for p in local.rglob("*") if p.is_file()]
        with ThreadPoolExecutor(_THREADS) as pool:
            list(
                pool.map(
                    lambda n: _client().upload_file(str(local / n), bucket, f"{key}/{n}"), set(names) - {last}
                )
            )
        _client().upload_file(str(local / last), bucket, f"{key}/{last}")
        shutil.rmtree(local)


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise StorageError(f"{uri!r} names no bucket", "write s3://BUCKET/PREFIX")
    return bucket, key


def _objects(bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", []):
            yield entry["Key"], entry["Size"]


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
            connect_timeout=5, read_timeout=60, retries={"max_attempts": 3}, s3={"addressing_style": "path"}
        ),
    )


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turn the errors of the system and of boto3 into one that names the place and the fix."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        fix = "check FACESWAP_S3_ENDPOINT_URL, the keys, the bucket and its permissions"
        raise StorageError(f"{uri} can't be reached: {error}", fix) from error
    except OSError as error:
        raise StorageError(
            f"{uri} can't be used: {error.strerror or error}", "check path, permissions, space"
        ) from error
