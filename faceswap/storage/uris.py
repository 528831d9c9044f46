"""What a place is called: local paths and ``s3://BUCKET/KEY``."""

from pathlib import Path, PurePosixPath

from faceswap.errors import StorageError


def is_s3(uri: str) -> bool:
    """Whether a URI lies in S3."""
    return uri.startswith("s3://")


def join(uri: str, *parts: str) -> str:
    """A URI below another."""
    return "/".join([uri.rstrip("/"), *parts]) if is_s3(uri) else str(Path(uri, *parts))


def name_of(uri: str) -> str:
    """The last part of a path or a URI."""
    return PurePosixPath(uri.rstrip("/")).name


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3:// URI.

    Raises:
        StorageError: it names no bucket.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise StorageError(f"{uri!r} names no bucket", "write s3://BUCKET/PREFIX")
    return bucket, key


def as_folder(uri: str) -> tuple[str, str]:
    """Bucket and prefix of what lies below an s3:// URI; the prefix ends with a slash, or is empty."""
    bucket, key = split(uri)
    return bucket, key.rstrip("/") + "/" if key.rstrip("/") else ""
