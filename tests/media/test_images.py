from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceswap.errors import MediaError, MediaTooLarge, UnreadableMedia
from faceswap.media.images import read_image, write_image
from faceswap.provenance.metadata import Provenance


def picture(height: int = 20, width: int = 30) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_lossless_round_trip(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"a{suffix}", picture())
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), picture())


def test_channels_are_rgb(tmp_path: Path) -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    write_image(tmp_path / "red.jpg", red)
    with Image.open(tmp_path / "red.jpg") as image:
        assert image.getpixel((4, 4))[0] > 240  # type: ignore[index]
    assert read_image(tmp_path / "red.jpg")[4, 4, 0] > 240


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:10, :15] = 255
    turns = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]  # how the camera stored it
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(np.rot90(upright, turns))).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), upright)


def test_grey_sixteen_bit_and_transparent_become_rgb(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 100, np.uint8)).save(tmp_path / "grey.png")
    assert (read_image(tmp_path / "grey.png") == 100).all()
    Image.fromarray(np.full((4, 4), 100 * 257, np.uint16)).save(tmp_path / "deep.png")
    assert (read_image(tmp_path / "deep.png") == 100).all()
    Image.fromarray(np.zeros((4, 4, 4), np.uint8)).save(tmp_path / "clear.png")
    assert (read_image(tmp_path / "clear.png") == 255).all()


def test_broken_files_are_named(tmp_path: Path) -> None:
    write_image(tmp_path / "whole.jpg", picture(200, 200))
    data = (tmp_path / "whole.jpg").read_bytes()
    broken = {"cut.jpg": data[: len(data) // 2], "text.jpg": b"not a picture", "empty.png": b""}
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableMedia, match=name):
            read_image(tmp_path / name)
    with pytest.raises(UnreadableMedia, match="no file"):
        read_image(tmp_path / "missing.jpg")


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "huge.png")
    with pytest.raises(MediaTooLarge, match="30000 x 30000"):
        read_image(tmp_path / "huge.png")


def test_a_format_without_metadata_can_not_hold_a_generated_picture(tmp_path: Path) -> None:
    origin = Provenance("ada", "face-ada", "1", "run")
    with pytest.raises(MediaError, match="generated"):
        write_image(tmp_path / "a.bmp", picture(), metadata=origin)
    assert not list(tmp_path.iterdir())
