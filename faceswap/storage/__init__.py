"""Local paths and s3:// URIs through one small door (boto3).

``places`` reads, writes, lists and deletes files, ``publishing`` puts finished folders where others find them,
``cache`` holds local copies of what lies in S3, ``transfers`` moves the bytes, ``s3`` knows the client and its errors.
"""

from faceswap.storage.cache import fetch_file, fetch_folder, make_room, release
from faceswap.storage.places import (
    create,
    delete,
    exists,
    list_files,
    presigned_url,
    read_bytes,
    sha256_of,
    sizes,
    write_bytes,
)
from faceswap.storage.publishing import publish_file, publish_files, publish_folder
from faceswap.storage.uris import is_s3, join, name_of

__all__ = [
    "create",
    "delete",
    "exists",
    "fetch_file",
    "fetch_folder",
    "is_s3",
    "join",
    "list_files",
    "make_room",
    "name_of",
    "presigned_url",
    "publish_file",
    "publish_files",
    "publish_folder",
    "read_bytes",
    "release",
    "sha256_of",
    "sizes",
    "write_bytes",
]
