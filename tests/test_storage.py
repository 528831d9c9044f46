import errno
import os
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from faceswap import storage
from faceswap.errors import SettingsError, StorageError, UnfinishedSet
from faceswap.files.atomic import replacing
from faceswap.settings import settings
from faceswap.storage import cache, publishing, s3, transfers
from tests.s3 import s3_bucket, use_server


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with s3_bucket(monkeypatch) as uri:
        yield uri


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder and an s3:// prefix: the same behaviour is wanted of both."""
    return (
        str(tmp_path / "store") if request.param == "local" else request.getfixturevalue("bucket") + "/store"
    )


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A server that answers every request with the status and the error code that are set."""
    answer: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = f"<Error><Code>{answer['code']}</Code><Message>no</Message></Error>".encode()
            self.send_response(answer["status"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_server(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    yield answer
    server.shutdown()
    server.server_close()


def new_set(folder: Path, **files: str) -> Path:
    for name, text in ({"crops/1.jpg": "1", "last.json": "{}"} | files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_bytes_round_trip(place: str) -> None:
    uri = storage.join(place, "a", "b.txt")
    assert not storage.exists(uri)
    storage.write_bytes(uri, b"one")
    storage.write_bytes(uri, b"two")
    storage.write_bytes(storage.join(place, "a-b.txt"), b"")
    assert storage.read_bytes(uri) == b"two"
    assert storage.list_files(place) == ["a-b.txt", "a/b.txt"]
    assert storage.list_files(storage.join(place, "a")) == ["b.txt"]
    assert storage.list_files(storage.join(place, "none")) == []
    there = [
        storage.exists(storage.join(place, *parts))
        for parts in (["a", "b.txt"], ["a"], ["a", "b"], ["b"], [])
    ]
    assert there == [True, True, False, False, True]


def test_publish_and_fetch_a_folder(place: str, tmp_path: Path) -> None:
    local = new_set(tmp_path / "new")
    storage.publish_folder(local, storage.join(place, "set"), last="last.json")
    assert not local.exists()
    fetched = storage.fetch_folder(storage.join(place, "set"), tmp_path / "cache")
    assert (fetched / "crops" / "1.jpg").read_text() == "1"
    assert (fetched / "last.json").exists()
    assert storage.list_files(place) == ["set/crops/1.jpg", "set/last.json"]


def test_publishing_again_is_no_error(place: str, tmp_path: Path) -> None:
    for _ in range(2):
        storage.publish_folder(new_set(tmp_path / "new"), storage.join(place, "set"), last="last.json")
    assert not (tmp_path / "new").exists()
    assert storage.list_files(place) == ["set/crops/1.jpg", "set/last.json"]


def test_an_unfinished_set_is_not_published(place: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"last\.json"):
        storage.publish_folder(tmp_path, storage.join(place, "set"), last="last.json")
    assert not storage.exists(storage.join(place, "set"))


def test_a_set_moves_to_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local, rename = new_set(tmp_path / "new"), os.rename

    def between_disks(source: Any, target: Any, **options: Any) -> None:
        if Path(source) == local:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target, **options)

    monkeypatch.setattr(os, "rename", between_disks)
    storage.publish_folder(local, str(tmp_path / "sets" / "set"), last="last.json")
    assert storage.list_files(str(tmp_path / "sets")) == ["set/crops/1.jpg", "set/last.json"]
    assert not local.exists()


def test_the_marker_is_uploaded_last(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    upload, create = publishing.upload, publishing.create

    def noting(file: Path, *rest: str) -> None:
        upload(file, *rest)
        order.append(file.name)

    def noting_marker(uri: str, content: bytes) -> bool:
        order.append(storage.name_of(uri))
        return create(uri, content)

    monkeypatch.setattr(publishing, "upload", noting)
    monkeypatch.setattr(publishing, "create", noting_marker)
    local = new_set(tmp_path / "new", **{f"crops/{i}.jpg": "x" for i in range(20)})
    storage.publish_folder(local, f"{bucket}/set/", last="last.json")
    assert order[-1] == "last.json"
    assert len(order) == 21
    assert storage.list_files(bucket)[0] == "set/crops/0.jpg"


def test_a_copy_is_made_once_and_follows_the_content(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, count = tmp_path / "cache", 0
    download = cache.download

    def counting(*args: Any) -> None:
        nonlocal count
        count += 1
        download(*args)

    monkeypatch.setattr(cache, "download", counting)
    for name in ("a", "b"):
        storage.write_bytes(f"{bucket}/set/{name}", b"old")
    first = storage.fetch_folder(f"{bucket}/set", path)
    assert storage.fetch_folder(f"{bucket}/set/", path) == first
    assert count == 2
    storage.write_bytes(f"{bucket}/set/a", b"new")  # of the same size
    storage.delete(f"{bucket}/set/b")
    second = storage.fetch_folder(f"{bucket}/set", path)
    assert (second / "a").read_bytes() == b"new"
    assert not (second / "b").exists()
    assert (first / "a").read_bytes() == b"old", "who reads the old copy is not disturbed"


def test_a_damaged_object_is_found_and_nothing_is_left(bucket: str, tmp_path: Path) -> None:
    storage.write_bytes(f"{bucket}/set/a", b"content")
    (tmp_path / "b").write_bytes(b"content")
    storage.publish_file(tmp_path / "b", f"{bucket}/set/b")
    told = s3.client().head_object(Bucket="faces", Key="set/b")["Metadata"]
    s3.client().put_object(Bucket="faces", Key="set/b", Body=b"c0ntent", Metadata=told)  # a bit has flipped
    with pytest.raises(StorageError, match=r"set/b is damaged"):
        storage.fetch_folder(f"{bucket}/set", tmp_path / "cache")
    assert not [one for one in (tmp_path / "cache").iterdir() if one.is_dir()]


@pytest.mark.parametrize("key", ["set/../../../evil", "set//etc/evil"])
def test_a_name_that_leads_out_of_the_folder_is_refused(bucket: str, tmp_path: Path, key: str) -> None:
    s3.client().put_object(Bucket="faces", Key=key, Body=b"x")
    with pytest.raises(StorageError, match="leads out"):
        storage.fetch_folder(f"{bucket}/set", tmp_path / "a" / "b" / "cache")
    assert not list(tmp_path.rglob("evil"))


def test_half_a_set_is_not_seen(bucket: str, tmp_path: Path) -> None:
    storage.write_bytes(f"{bucket}/set/crops/1.jpg", b"1")
    with pytest.raises(UnfinishedSet, match=r"last\.json"):
        storage.fetch_folder(f"{bucket}/set", tmp_path / "cache", marker="last.json")
    storage.write_bytes(f"{bucket}/set/last.json", b"{}")
    whole = storage.fetch_folder(f"{bucket}/set", tmp_path / "cache", marker="last.json")
    assert (whole / "crops" / "1.jpg").exists()


def test_of_several_writers_of_a_marker_one_succeeds(place: str) -> None:
    uri = storage.join(place, "marker")
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: storage.create(uri, str(number).encode()), range(8)))
    assert sum(won) == 1
    assert storage.read_bytes(uri) == str(won.index(True)).encode()


def test_deleting(place: str) -> None:
    for name in ("set/a", "set/b/c", "set-2", "other"):
        storage.write_bytes(storage.join(place, name), b"x")
    assert storage.delete(storage.join(place, "set"), first=["a"]) == 2
    assert storage.delete(storage.join(place, "other")) == 1
    assert storage.delete(storage.join(place, "none")) == 0
    assert storage.list_files(place) == ["set-2"]


def test_a_large_file_goes_in_parts_and_comes_back(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "PART", 5 * 1024**2)  # S3's least
    (tmp_path / "large").write_bytes(os.urandom(11 * 1024**2))
    uri = storage.publish_file(tmp_path / "large", f"{bucket}/large")
    assert s3.client().head_object(Bucket="faces", Key="large")["ETag"].endswith('-3"')
    back = storage.fetch_file(uri, tmp_path / "cache")
    assert back.read_bytes() == (tmp_path / "large").read_bytes()


def test_old_copies_make_room_but_not_those_in_use(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for name in "abc":
        storage.write_bytes(f"{bucket}/{name}/x", name.encode() * 1000)
        made.append(storage.fetch_folder(f"{bucket}/{name}", tmp_path / "cache"))
        os.utime(made[-1], (len(made), len(made)))
    assert storage.make_room(tmp_path / "cache", 1500) == 0, "this process uses all of them"
    for copy in made[:2]:
        cache._held.pop(copy).close()
    assert storage.make_room(tmp_path / "cache", 2500) == 1000
    assert [one.exists() for one in made] == [False, True, True]
    monkeypatch.setenv("FACESWAP_CACHE_GB", "1e-6")
    settings.cache_clear()
    storage.write_bytes(f"{bucket}/d/x", b"d" * 10)
    storage.fetch_folder(f"{bucket}/d", tmp_path / "cache")
    assert [one.exists() for one in made] == [False, False, True]


def test_a_link_opens_without_keys_until_it_ends(bucket: str) -> None:
    storage.write_bytes(f"{bucket}/a/result.png", b"content")
    url = storage.presigned_url(f"{bucket}/a/result.png", 60, "result.png")
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"content"
    assert "X-Amz-Expires=60" in url


def test_folder_marks_of_consoles_are_no_files(bucket: str, tmp_path: Path) -> None:
    storage.write_bytes(f"{bucket}/set/", b"")
    storage.write_bytes(f"{bucket}/set/a", b"x")
    assert storage.list_files(f"{bucket}/set") == ["a"]
    assert [p.name for p in storage.fetch_folder(f"{bucket}/set", tmp_path / "cache").iterdir()] == ["a"]


def test_missing_things_are_named(bucket: str, tmp_path: Path) -> None:
    for uri, why in (
        (f"{bucket}/missing", "does not exist|nothing"),
        ("s3://no-such-bucket/x", "no such bucket"),
    ):
        with pytest.raises(StorageError, match=why) as caught:
            storage.read_bytes(uri)
        assert uri in str(caught.value)
        with pytest.raises(StorageError, match=why):
            storage.fetch_folder(uri, tmp_path)
    local = new_set(tmp_path / "new")
    for action in (
        lambda: storage.publish_folder(local, "s3://no-such-bucket/x", last="last.json"),
        lambda: storage.write_bytes("s3://no-such-bucket/x", b""),
        lambda: storage.exists("s3://no-such-bucket/x"),
        lambda: storage.list_files("s3://no-such-bucket/x"),
    ):
        with pytest.raises(StorageError, match="no such bucket"):
            action()
    assert (local / "last.json").exists()
    with pytest.raises(StorageError, match="missing"):
        storage.read_bytes(str(tmp_path / "missing"))
    with pytest.raises(StorageError, match="names no bucket"):
        storage.read_bytes("s3:///x")


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (403, "InvalidAccessKeyId", "keys are refused.*\n.*FACESWAP_S3_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "keys are refused.*\n.*FACESWAP_S3_SECRET_ACCESS_KEY"),
        (403, "AccessDenied", "permission is denied"),
        (418, "Teapot", "Teapot"),
    ],
)
def test_refusals_name_the_cause(
    refusing: dict[str, Any], tmp_path: Path, status: int, code: str, why: str
) -> None:
    refusing.update(status=status, code=code)
    local = new_set(tmp_path / "new")
    for action in (
        lambda: storage.read_bytes("s3://faces/x"),
        lambda: storage.write_bytes("s3://faces/x", b"x"),
        lambda: storage.fetch_folder("s3://faces/x", tmp_path / "cache"),
        lambda: storage.publish_folder(local, "s3://faces/x", last="last.json"),
    ):
        with pytest.raises(StorageError, match=why) as caught:
            action()
        assert "secret" not in str(caught.value).replace("SECRET", "")


def test_an_unreachable_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    use_server(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=r"can't be reached.*\n.*FACESWAP_S3_ENDPOINT_URL"):
        storage.read_bytes("s3://faces/x")


def test_an_address_without_its_scheme_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"FACESWAP_S3_ENDPOINT_URL.*127\.0\.0\.1:9000"):
        use_server(monkeypatch, "127.0.0.1:9000")
        storage.read_bytes("s3://faces/x")


def test_an_address_that_can_not_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    use_server(monkeypatch, "http://no host:9000")
    with pytest.raises(StorageError, match=r"no host:9000.*\n.*FACESWAP_S3_ENDPOINT_URL"):
        storage.read_bytes("s3://faces/x")


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="make room"):
        storage.write_bytes(str(tmp_path / "a"), b"new")
    assert (tmp_path / "a").read_bytes() == b"old"


def test_an_unfinished_file_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise RuntimeError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]
