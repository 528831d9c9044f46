from pathlib import Path

import pytest

from faceswap.errors import MediaError
from faceswap.media.sources import find_media


def test_folder_in_natural_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/10.JPG", "b/2.jpg", "a.mp4", ".hidden.jpg", ".cache/x.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [(i.name, i.kind) for i in find_media(tmp_path)] == [
        ("a.mp4", "video"),
        ("b/2.jpg", "image"),
        ("b/10.JPG", "image"),
    ]


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
