import os
import time
import urllib.request
from pathlib import Path

import pytest

from faceswap import storage
from faceswap.errors import StorageError
from serving.results.outbox import Outbox
from tests.s3 import s3_bucket, use_server


def aged(place: Path, seconds: float) -> Path:
    """The file and its folder, as if they had been written so long ago."""
    place.write_bytes(b"x")
    then = time.time() - seconds
    for path in (place, place.parent):
        os.utime(path, (then, then))
    return place


def gone(path: Path, within: float = 10.0) -> bool:
    end = time.monotonic() + within
    while path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    return not path.exists()


def test_results_have_places_of_their_own(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box", keep=100)
    one, two = box.place("a.jpg"), box.place("a.jpg")
    assert one != two
    assert one.parent.is_dir()
    (one.parent / ".a.mp4.parts").mkdir()
    one.touch()
    box.discard(one)
    assert [path.name for path in box.folder.iterdir()] == [two.parent.name]
    box.discard(one)
    (tmp_path / "box").rename(tmp_path / "was")
    (tmp_path / "box").touch()
    with pytest.raises(StorageError, match="FACESWAP_CACHE"):
        box.place("a.jpg")


def test_what_is_too_old_goes_with_all_that_a_stopped_video_left(tmp_path: Path) -> None:
    box = Outbox(tmp_path, keep=100)
    old, new = aged(box.place("a.jpg"), 101), aged(box.place("b.jpg"), 90)
    stopped = box.place("c.mp4").parent
    (stopped / ".c.mp4.parts").mkdir()
    for path in (stopped / ".c.mp4.parts" / "00000.mp4", stopped / "c.partial.mp4"):
        path.touch()
        os.utime(path, (0, 0))
    for path in (stopped / ".c.mp4.parts", stopped):
        os.utime(path, (0, 0))
    running = aged(box.place("d.mp4"), 300).parent
    (running / ".d.mp4.parts").mkdir()
    os.utime(running, (0, 0))
    Outbox(tmp_path, keep=100).prune()  # as an app that was started since
    assert not old.parent.exists()
    assert not stopped.exists()
    assert new.exists()
    assert running.exists(), "something was written a moment ago"


def test_an_idle_app_deletes_results_at_the_start_and_then_in_time(tmp_path: Path) -> None:
    left = aged(Outbox(tmp_path, keep=1).place("left.jpg"), 50)
    box = Outbox(tmp_path, keep=1)
    box.start()
    try:
        assert gone(left.parent)
        fresh = box.place("fresh.jpg")
        fresh.touch()
        assert gone(fresh.parent)
    finally:
        box.stop()
    late = aged(box.place("late.jpg"), 50)
    time.sleep(0.3)
    assert late.exists(), "nobody looks any more"


def test_a_clock_that_is_set_forwards_takes_no_new_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Outbox(tmp_path, keep=100)
    new = box.place("a.jpg")
    new.touch()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    box.prune()
    assert new.exists()
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 101)
    box.prune()
    assert not new.parent.exists()


def test_a_folder_that_is_gone_does_not_end_the_looks(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box", keep=1)
    (tmp_path / "box").rmdir()
    box.start()
    try:
        time.sleep(0.1)
        assert gone(aged(box.place("a.jpg"), 50).parent)
    finally:
        box.stop()


def test_a_result_is_linked_until_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_bucket(monkeypatch) as bucket:
        box = Outbox(tmp_path / "box", keep=100, prefix=f"{bucket}/results")
        place = box.place("ben-ada.png")
        place.write_bytes(b"picture")
        with urllib.request.urlopen(box.link(place)) as answer:
            assert answer.read() == b"picture"
            assert "ben-ada.png" in answer.headers["Content-Disposition"]
        box.prune()
        assert len(storage.list_files(f"{bucket}/results")) == 1
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 101)
        box.prune()
        assert storage.list_files(f"{bucket}/results") == []


def test_a_result_without_its_store_is_there_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use_server(monkeypatch, "http://127.0.0.1:9")
    box = Outbox(tmp_path / "box", keep=100, prefix="s3://faces/results")
    place = box.place("a.png")
    place.write_bytes(b"picture")
    assert box.link(place) == ""
    assert "can't be reached" in caplog.text
