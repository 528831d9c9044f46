"""An S3 server on this machine for tests (moto)."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto.server import ThreadedMotoServer

from faceswap.settings import settings


@contextmanager
def s3_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of an empty bucket, to which the settings lead."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"")  # its state is that of the process
    use_server(monkeypatch, url)
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys).create_bucket(Bucket="faces")
    try:
        yield "s3://faces"
    finally:
        server.stop()


def use_server(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Point the settings to a server."""
    monkeypatch.setenv("FACESWAP_S3_ENDPOINT_URL", url)
    monkeypatch.setenv("FACESWAP_S3_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("FACESWAP_S3_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("FACESWAP_S3_ATTEMPTS", "2")  # no test waits for one that does not come
    settings.cache_clear()
