import os
from pathlib import Path

import pytest

from faceswap import storage
from faceswap.errors import MediaError
from faceswap.media.sources import MediaItem, find_media, look_through
from tests.s3 import s3_bucket


def test_folder_in_natural_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/10.JPG", "b/2.jpg", "a.mp4", ".hidden.jpg", ".cache/x.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [(i.name, i.kind) for i in find_media(tmp_path)] == [
        ("a.mp4", "video"),
        ("b/2.jpg", "image"),
        ("b/10.JPG", "image"),
    ]


def test_results_in_the_folder_are_no_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "a.png",
        "b.partial.mp4",
        "partial.mp4",
        "out/a.png",
        "out/sub/b.png",
        "outer/c.png",
        "out.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def names(without: Path | None) -> list[str]:
        return [item.name for item in find_media(tmp_path, without)]

    everything = ["a.png", "out.png", "out/a.png", "out/sub/b.png", "outer/c.png", "partial.mp4"]
    assert names(None) == names(tmp_path.parent / "elsewhere") == names(tmp_path) == everything
    assert names(tmp_path / "out") == ["a.png", "out.png", "outer/c.png", "partial.mp4"]
    assert "out.png" not in names(tmp_path / "out.png")
    monkeypatch.chdir(tmp_path)
    assert names(Path("outer/../out")) == names(tmp_path / "out"), "however it is named"
    assert find_media(tmp_path / "b.partial.mp4")[0].kind == "video", "by its name it may be taken"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no file or folder"):
        find_media(tmp_path / "missing")
    with pytest.raises(MediaError, match="holds nothing"):
        find_media(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(MediaError, match="1 other files"):
        find_media(tmp_path)
    with pytest.raises(MediaError, match="neither a picture nor a video"):
        find_media(tmp_path / "notes.txt")


def test_a_file_is_a_source_too(tmp_path: Path) -> None:
    (tmp_path / "A.MOV").touch()
    assert find_media(tmp_path / "A.MOV") == [MediaItem(tmp_path / "A.MOV", "video", "A.MOV")]
    (tmp_path / "1²2.jpg").touch()  # a digit that is no decimal
    assert len(find_media(str(tmp_path))) == 2


def test_a_prefix_in_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_bucket(monkeypatch) as bucket:
        _check_prefix(bucket)


def _check_prefix(bucket: str) -> None:
    for name in ("clip/10.png", "clip/9.png", "clip/notes.txt", "clips/1.png"):
        storage.write_bytes(f"{bucket}/{name}", b"x")
    items = find_media(f"{bucket}/clip")
    assert [item.name for item in items] == ["9.png", "10.png"]
    assert items[0].path.read_bytes() == b"x"
    assert [item.name for item in find_media(f"{bucket}/clip/9.png")] == ["9.png"]


def test_what_was_passed_over_is_counted(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.AVIF", "notes.txt", "more.TXT", "raw.cr3", "plain", ".DS_Store", ".swap.jsonl"):
        (tmp_path / name).touch()
    (tmp_path / ".a.mp4.parts").mkdir()
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    media = look_through(tmp_path)
    assert [item.name for item in media.items] == ["a.jpg", "b.AVIF"]
    assert media.passed_over == {
        "other files (.txt)": 2,
        "other files (.cr3)": 1,
        "other files (no suffix)": 1,
        "hidden files and folders": 1,
        "links that lead nowhere": 1,
        "pipes, devices and the like": 1,
    }


def test_links_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "other" / "deep").mkdir(parents=True)
    for name in ("in/sub/a.jpg", "other/b.jpg", "other/deep/c.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "in" / "a-link").symlink_to(tmp_path / "in" / "sub")
    (tmp_path / "in" / "other").symlink_to(tmp_path / "other")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "file.jpg").symlink_to(tmp_path / "other" / "b.jpg")
    media = look_through(tmp_path / "in")
    names = ["file.jpg", "other/b.jpg", "other/deep/c.jpg", "sub/a.jpg"]
    assert [item.name for item in media.items] == names
    assert media.passed_over == {"links to folders that were looked through already": 2}


def test_names_that_are_no_utf8_are_taken_and_shown(tmp_path: Path) -> None:
    path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.jpg"))
    path.touch()
    (item,) = find_media(tmp_path)
    assert (item.path, item.name) == (path, "caf%E9.jpg")
    with pytest.raises(MediaError, match="no%E9"):
        find_media(os.fsdecode(b"/no\xe9"))


def test_a_name_that_is_too_long_or_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="too long"):
        find_media(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MediaError, match="neither a file nor a folder"):
        find_media(tmp_path / "pipe")
