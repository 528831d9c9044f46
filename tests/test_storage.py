from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from faceswap import storage
from faceswap.errors import StorageError
from faceswap.settings import settings


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server of its own with one empty bucket."""
    server = ThreadedMotoServer(port=0)
    server.start()
    _host, port = server.get_host_and_port()
    monkeypatch.setenv("FACESWAP_S3_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("FACESWAP_S3_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("FACESWAP_S3_SECRET_ACCESS_KEY", "secret")
    settings.cache_clear()
    boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    ).create_bucket(Bucket="faces")
    yield "s3://faces"
    server.stop()


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder and an s3:// prefix: the same behaviour is wanted of both."""
    return (
        str(tmp_path / "store") if request.param == "local" else request.getfixturevalue("bucket") + "/store"
    )


def test_bytes_round_trip(place: str) -> None:
    uri = storage.join(place, "a", "b.txt")
    assert not storage.exists(uri)
    storage.write_bytes(uri, b"one")
    storage.write_bytes(uri, b"two")
    assert storage.exists(uri)
    assert storage.read_bytes(uri) == b"two"
    assert storage.list_files(place) == ["a/b.txt"]


def test_publish_and_fetch_a_folder(place: str, tmp_path: Path) -> None:
    local = tmp_path / "new"
    (local / "crops").mkdir(parents=True)
    (local / "crops" / "1.jpg").write_bytes(b"1")
    (local / "last.json").write_bytes(b"{}")
    storage.publish_folder(local, storage.join(place, "set"), last="last.json")
    assert not local.exists()
    fetched = storage.fetch_folder(storage.join(place, "set"), tmp_path / "cache")
    assert (fetched / "crops" / "1.jpg").read_bytes() == b"1"
    assert (fetched / "last.json").exists()


def test_missing_things_are_named(bucket: str, tmp_path: Path) -> None:
    for uri in (f"{bucket}/missing", "s3://no-such-bucket/x"):
        with pytest.raises(StorageError, match=uri):
            storage.read_bytes(uri)
        with pytest.raises(StorageError, match=uri):
            storage.fetch_folder(uri, tmp_path)
    with pytest.raises(StorageError, match="missing"):
        storage.read_bytes(str(tmp_path / "missing"))


def test_an_unreachable_server_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FACESWAP_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("FACESWAP_S3_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("FACESWAP_S3_SECRET_ACCESS_KEY", "secret")
    settings.cache_clear()
    with pytest.raises(StorageError, match="FACESWAP_S3_ENDPOINT_URL"):
        storage.read_bytes("s3://faces/x")
