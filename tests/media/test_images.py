import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from faceswap.errors import MediaError, MediaTooLarge, StorageError, UnreadableMedia
from faceswap.media.images import encoded, read_image, write_image
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


def test_dark_sixteen_bit_stays_dark_and_palettes_are_looked_up(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 200, np.uint16)).save(tmp_path / "dark.png")
    assert (read_image(tmp_path / "dark.png") == 1).all()
    Image.fromarray(np.full((4, 4, 3), (10, 200, 90), np.uint8)).convert("P").save(tmp_path / "palette.png")
    np.testing.assert_allclose(read_image(tmp_path / "palette.png")[0, 0], (10, 200, 90), atol=26)
    Image.fromarray(np.full((4, 4, 4), 0, np.uint8), "CMYK").save(tmp_path / "print.tif")
    assert (read_image(tmp_path / "print.tif") == 255).all()
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(UnreadableMedia, match="floating point"):
        read_image(tmp_path / "float.tif")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_any_damage_is_an_error_of_ours_or_a_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    refused = 0
    for suffix in (".jpg", ".png", ".webp", ".tif", ".bmp"):
        Image.fromarray(picture()).save(tmp_path / f"a{suffix}")
        whole = (tmp_path / f"a{suffix}").read_bytes()
        for _ in range(60):
            data = bytearray(whole)
            for at in rng.integers(0, len(data), 8):
                data[at] = rng.integers(256)
            (tmp_path / f"b{suffix}").write_bytes(data)
            try:
                image = read_image(tmp_path / f"b{suffix}", max_pixels=10_000)
                assert image.ndim == 3
                assert image.dtype == np.uint8
            except (UnreadableMedia, MediaTooLarge):
                refused += 1
    assert refused > 50


def test_broken_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as importing face_recognition does
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
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 9) + b"IDAT"
    )  # no pixels
    with pytest.raises(MediaTooLarge, match="30000 x 30000"):
        read_image(tmp_path / "huge.png")
    with pytest.raises(UnreadableMedia):
        read_image(tmp_path / "huge.png", max_pixels=10**9)


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.webp").write_bytes(b"old")
    with pytest.raises(MediaError, match=r"a\.webp"):
        write_image(tmp_path / "a.webp", np.zeros((1, 20_000, 3), np.uint8))
    with pytest.raises(MediaError, match="uint8"):
        write_image(tmp_path / "a.webp", np.zeros((4, 4, 3)))  # type: ignore[arg-type]
    with pytest.raises(MediaError, match="suffix"):
        write_image(tmp_path / "a.gif", picture())
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir() if p.name != "home"] == [("a.webp", b"old")]
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"):
        write_image(tmp_path / "file" / "a.png", picture())


def test_many_threads_may_write_the_same_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: write_image(tmp_path / "a.png", picture()), range(20)))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), picture())
    assert len([p for p in tmp_path.iterdir() if p.name != "home"]) == 1


def test_a_format_without_metadata_can_not_hold_a_generated_picture(tmp_path: Path) -> None:
    origin = Provenance("ada", "face-ada", "1", "run")
    with pytest.raises(MediaError, match="generated"):
        write_image(tmp_path / "a.bmp", picture(), metadata=origin)
    assert not [p for p in tmp_path.iterdir() if p.name != "home"]


def test_a_preview_in_memory_is_the_picture() -> None:
    image = np.full((40, 60, 3), (200, 100, 50), np.uint8)
    back = np.asarray(Image.open(io.BytesIO(encoded(image))))
    assert np.abs(back.astype(int) - image).max() <= 3
