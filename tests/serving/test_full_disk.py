"""A full disk is told in words: for an upload, and while results are written."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from faceswap.files.disk import is_full
from faceswap.media.images import write_image
from serving.guard import doors
from serving.guard.gate import spoken
from serving.server import server
from tests import disks
from tests.serving.fakes import MemoryRegistry, listed, workshop
from tests.serving.test_server import given
from tests.swap.fakes import KnownFaces, face_at, smooth_noise


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    with disks.small_disk(tmp_path / "disk", "1m") as one:
        yield one.folder


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))


def client(folder: Path) -> TestClient:
    shop = workshop(MemoryRegistry(listed("ada", 1, "production")), KnownFaces(face_at(80, 100, 90)), folder)
    shop.catalogue.refresh()
    return TestClient(server(shop, given()), base_url="http://127.0.0.1")


def upload(app: TestClient, size: int = 3_000_000) -> httpx.Response:
    return app.post("/gradio_api/upload", files={"files": ("a.png", os.urandom(size))})


def test_an_upload_for_which_there_is_no_room_is_refused_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = client(tmp_path)
    assert upload(app).status_code == 200
    monkeypatch.setattr(doors, "free_space", lambda _: 65_000_000)
    answer = upload(app)
    assert answer.status_code == 507
    assert "The disk of the app's machine is full" in answer.text
    assert upload(app, 1000).status_code == 200


def test_an_upload_that_finds_the_disk_full(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(small_disk / "uploads"))
    app = client(small_disk)
    monkeypatch.setattr(doors, "free_space", lambda _: 10**12)  # as where somebody else fills it meanwhile
    answer = upload(app)
    assert answer.status_code == 507
    assert "The disk of the app's machine is full" in answer.text
    assert shutil.disk_usage(small_disk).free > 500_000, "what was written of it stayed"


def test_a_result_that_finds_the_disk_full(small_disk: Path, tmp_path: Path) -> None:
    app = client(small_disk / "results")
    write_image(tmp_path / "a.png", smooth_noise(800, 1200))
    with (tmp_path / "a.png").open("rb") as content:
        (path,) = app.post("/gradio_api/upload", files={"files": ("a.png", content)}).json()
    (small_disk / "fill").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    calls = app.get("/config").json()["dependencies"]
    number = next(call["id"] for call in calls if call["api_name"] == "swap")
    target = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = {"data": [target, "ada", "production", 0, False, {}, ""], "fn_index": number, "session_hash": "s"}
    answer = app.post("/gradio_api/run/predict", json=body)
    assert "The disk of the app's machine is full" in answer.json()["error"]
    assert "Errno" not in answer.json()["error"]
    assert not list((small_disk / "results").rglob("*.jpg*"))


def test_unexpected_errors_say_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    inside = RuntimeError("http://ann:secret@mlflow.local failed")
    assert "secret" not in str(spoken(inside))
    assert "its log says more" in str(spoken(inside))
    assert caplog.records
    full = OSError(errno.ENOSPC, "No space left on device", "/home/ann/x")
    try:
        raise RuntimeError("writing") from full
    except RuntimeError as error:
        assert is_full(error)
        assert "/home/ann" not in str(spoken(error))
        assert "disk of the app's machine is full" in str(spoken(error))
    assert not is_full(OSError(errno.EACCES, "no"))
