from pathlib import Path

import pytest

from faceswap.errors import MediaError
from faceswap.swap.batch.output_paths import file_for, plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("in/a.png", "in/a.bmp", "in/sub/b.JPG", "in/c.avi", "in/d.m4v", "one/e.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_results_keep_their_folders_and_share_no_name(folder: Path) -> None:
    planned = plan(folder / "in", folder / "out.2026")
    assert [str(place.relative_to(folder)) for _, place in planned] == [
        "out.2026/a.png",
        "out.2026/a-2.png",
        "out.2026/c.mp4",
        "out.2026/d.m4v",
        "out.2026/sub/b.JPG",
    ]
    assert [item.name for item, _ in planned][:2] == ["a.bmp", "a.png"]


@pytest.mark.parametrize(
    "out", ["r.avi", "r.webm", "r.gif", "r.tif", "r.bmp", "r.xyz", "r.MP4", "s3://b/r.png", "https://h/r"]
)
def test_a_picture_can_not_be_written_so(folder: Path, out: str) -> None:
    with pytest.raises(MediaError) as caught:
        plan(folder / "in" / "a.png", out if "://" in out else folder / out)
    assert Path(out).name in str(caught.value) or out in str(caught.value)
    assert caught.value.fix
    assert sorted(path.name for path in folder.iterdir()) == ["in", "one"]


@pytest.mark.parametrize("out", ["r.avi", "r.webm", "r.gif", "r.png"])
def test_a_video_can_not_be_written_so(folder: Path, out: str) -> None:
    with pytest.raises(MediaError, match=rf"c\.avi can't be written as {out}") as caught:
        plan(folder / "in" / "c.avi", folder / out)
    assert ".m4v, .mkv, .mov, .mp4" in (caught.value.fix or "")


def test_one_file_goes_to_a_file_or_a_folder(folder: Path) -> None:
    target = folder / "in" / "c.avi"
    (folder / "has.dots").mkdir()
    for out, place in (
        ("r.m4v", "r.m4v"),
        ("r.MOV", "r.MOV"),
        ("new", "new/c.mp4"),
        ("has.dots", "has.dots/c.mp4"),
    ):
        assert [place for _, place in plan(target, folder / out)] == [folder / place]
    assert plan(folder / "one", folder / "x.y")[0][1] == folder / "x.y" / "e.png", "a folder with one file"
    assert plan(folder / "one", folder / "x.webp")[0][1] == folder / "x.webp"


def test_a_folder_goes_to_a_folder_of_its_own(folder: Path) -> None:
    for out in ("r.png", "r.avi", "r.GIF"):
        with pytest.raises(MediaError, match="holds 5 files"):
            plan(folder / "in", folder / out)
    with pytest.raises(MediaError, match="among their targets"):
        plan(folder / "in", folder / "one" / ".." / "in")
    with pytest.raises(MediaError, match="no file or folder"):
        plan(folder / "nowhere", folder / "out")


def test_a_sheet_is_a_picture(folder: Path) -> None:
    assert file_for(str(folder / "s.jpg"), "image", "The sheet") == folder / "s.jpg"
    with pytest.raises(MediaError, match=r"The sheet can't be written as s\.tif"):
        file_for(str(folder / "s.tif"), "image", "The sheet")
    with pytest.raises(MediaError, match="addresses"):
        file_for("s3://bucket/s.png", "image", "The sheet")
