"""The S3 client of the settings, what it lists, and its errors in words."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from faceswap.errors import StorageError
from faceswap.files.disk import is_full, write_error
from faceswap.settings import settings
from faceswap.storage.uris import is_s3

THREADS = 8
"""Files that are transferred at a time."""
_ENDPOINT = "check FACESWAP_S3_ENDPOINT_URL, and that the server runs"
_KEYS = "check FACESWAP_S3_ACCESS_KEY_ID and FACESWAP_S3_SECRET_ACCESS_KEY"
_MISSING = "it does not exist", "check bucket and prefix"
_BAD_KEYS = "the keys are refused", _KEYS
_REFUSED = {
    "NoSuchBucket": ("there is no such bucket", "create it or correct its name"),
    "AccessDenied": ("permission is denied", "allow these keys to list, read, write and delete there"),
    "403": ("permission is denied", f"{_KEYS}, and what they may do there"),
    **dict.fromkeys(("NoSuchKey", "404"), _MISSING),
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"), _BAD_KEYS),
}
"""What S3 answers: the cause and the fix."""
_SKEW_SECONDS = 15 * 60
"""So far apart S3 lets the clocks of both sides be."""
_WITHOUT_QUERY = re.compile(r"\?[^\s\"]*")
"""What follows the question mark of an address."""


@dataclass(frozen=True, order=True)
class Stored:
    """An object as a listing tells of it."""

    key: str
    size: int
    etag: str
    modified: float
    """Seconds since 1970."""


def objects(bucket: str, prefix: str) -> Iterator[Stored]:
    """All objects below a prefix, by key; not the empty ones with which consoles show a folder."""
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            if not entry["Key"].endswith("/"):
                yield Stored(
                    entry["Key"], entry["Size"], entry.get("ETag", ""), entry["LastModified"].timestamp()
                )


def client(public: bool = False) -> Any:
    """The client of the settings, one for all threads.

    Args:
        public: for addresses that browsers are given (see the setting ``s3_public_url``).
    """
    own = settings()
    return _client_for(
        own.s3_public_url if public and own.s3_public_url else own.s3_endpoint_url,
        own.s3_region,
        own.s3_access_key_id,
        own.s3_secret_access_key.get_secret_value(),
        own.s3_attempts,
    )


@lru_cache
def _client_for(endpoint: str, region: str, key: str, secret: str, attempts: int) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region,
        aws_access_key_id=key or None,
        aws_secret_access_key=secret or None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=60,
            # exponential backoff with jitter: up to 1, 2, 4, 8, 16, 20, 20, … s between two tries
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=4 * THREADS,
            s3={"addressing_style": "path"},
        ),
    )


def code_of(error: Exception) -> str:
    """The code with which S3 refused; empty where it did not come from there."""
    found: str = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    return found


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn the errors of the system and of boto3 into one that names the place, the cause and the fix."""
    try:
        yield
    except Exception as error:
        cause = _cause_in_s3(error) if is_s3(uri) else None
        if cause is None and isinstance(error, OSError):
            if is_full(error) and not is_s3(uri):
                raise write_error(Path(uri), error) from error
            cause = error.strerror or str(error), "check the path and its permissions"
        if cause is None:
            raise
        raise StorageError(f"{uri} can't be used: {cause[0]}", cause[1]) from error


def _cause_in_s3(error: Exception) -> tuple[str, str] | None:
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as known

    if isinstance(error, Boto3Error) and isinstance(error.__context__, Exception):
        error = error.__context__  # boto3 wraps what went wrong while uploading
    if isinstance(error, known.ClientError):
        ahead = _seconds_ahead(error)
        if code_of(error) == "RequestTimeTooSkewed" or abs(ahead) > _SKEW_SECONDS:
            return _wrong_clock(ahead)
        return _REFUSED.get(code_of(error), (str(error), f"{_ENDPOINT}; {_KEYS}"))
    if isinstance(error, known.ConnectionError | known.HTTPClientError):
        return f"the server can't be reached: {_WITHOUT_QUERY.sub('', str(error))}", _ENDPOINT
    if isinstance(error, known.NoCredentialsError):
        return "there are no keys", _KEYS
    if isinstance(error, known.BotoCoreError | Boto3Error | ValueError):  # the last: no address at all
        return str(error), f"{_ENDPOINT}; {_KEYS}"
    return None


def _seconds_ahead(refusal: Exception) -> float:
    """How far this machine's clock is ahead of that of the server which refused with 403; 0: it did not tell its time.

    By the answer's head: to a request for a head alone S3 names no cause, and some servers never name the clock.
    """
    answer = getattr(refusal, "response", {}).get("ResponseMetadata", {})
    said = answer.get("HTTPHeaders", {}).get("date", "")
    if answer.get("HTTPStatusCode") != 403 or not said:
        return 0.0
    try:
        return time.time() - parsedate_to_datetime(said).timestamp()
    except ValueError:
        return 0.0


def _wrong_clock(ahead: float) -> tuple[str, str]:
    off = (
        f", {abs(ahead) / 60:.0f} minutes {'ahead of' if ahead > 0 else 'behind'} the server's"
        if ahead
        else ""
    )
    return f"this machine's clock is wrong{off}", "set the clock (NTP); S3 allows 15 minutes"
