from pathlib import Path

import pytest

from faceswap import storage
from faceswap.errors import MediaError
from faceswap.media.sources import MediaItem, find_media
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
