import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from faceswap.errors import MediaTooLarge, UnreadableMedia
from faceswap.media.formats import IMAGE_SUFFIXES
from faceswap.media.images import read_image, write_picture
from faceswap.media.pictures import read_picture
from faceswap.provenance.metadata import Provenance, read_provenance
from tests.media.test_profiles import profile
from tests.swap.fakes import smooth_noise

MADE = Provenance("ada", "face-ada", "1", "run")
KEEPING = [".png", ".jpg", ".webp", ".tif", ".avif"]
RED = (255, 0, 0)


def marked(image: np.ndarray) -> np.ndarray:
    """With a red square, which is what an edit changes."""
    edited = image.copy()
    edited[8:16, 8:16] = RED
    return edited


def rewritten(source: Path, suffix: str) -> tuple[Path, list[str]]:
    picture = read_picture(source)
    out = source.with_name(f"out{suffix}")
    notes = write_picture(out, picture, [marked(still.image) for still in picture.stills], metadata=MADE)
    assert read_provenance(out) == MADE
    return out, notes


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Artist] = "ACME", "A. Photographer"
    exif[ExifTags.Base.Copyright], exif[ExifTags.Base.Orientation] = "(c) A.", 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:04 03:02:01"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (52.0, 31.0, 12.0)})
    return exif


@pytest.mark.parametrize("suffix", KEEPING)
def test_camera_author_place_and_resolution_go_along_the_orientation_does_not(
    tmp_path: Path, suffix: str
) -> None:
    Image.fromarray(smooth_noise(40, 60)).save(tmp_path / "a.jpg", exif=camera_exif(), dpi=(300, 300))
    out, notes = rewritten(tmp_path / "a.jpg", suffix)
    assert notes == []
    with Image.open(out) as image:
        assert image.size == (40, 60), "upright"
        exif = image.getexif()
        assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Artist]) == ("ACME", "A. Photographer")
        assert exif[ExifTags.Base.Copyright] == "(c) A."
        assert exif.get(ExifTags.Base.Orientation, 1) == 1
        assert (
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal].rstrip("\0")
            == "2026:05:04 03:02:01"
        )
        assert [float(x) for x in exif.get_ifd(ExifTags.IFD.GPSInfo)[2]] == [52, 31, 12]
        assert float(exif[ExifTags.Base.XResolution]) == 300


def test_a_thumbnail_of_the_old_face_does_not_go_along(tmp_path: Path) -> None:
    make, thumb = b"ACME Inc\0", b"thumbnail\0"
    entries = struct.pack("<HHHII", 1, 0x10F, 2, len(make), 60) + struct.pack("<I", 26)
    entries += struct.pack("<HHHII", 1, 0x131, 2, len(thumb), 80) + bytes(4)
    exif = (b"II*\0" + struct.pack("<I", 8) + entries).ljust(60, b"\0") + make
    Image.fromarray(smooth_noise(40, 60)).save(
        tmp_path / "a.jpg", exif=b"Exif\0\0" + exif.ljust(80, b"\0") + thumb
    )
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1)
    out, _ = rewritten(tmp_path / "a.jpg", ".jpg")
    assert b"ACME Inc" in out.read_bytes()
    assert b"thumbnail" not in out.read_bytes()


def test_damaged_exif_costs_only_itself(tmp_path: Path) -> None:
    Image.fromarray(smooth_noise(40, 60)).save(
        tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(range(60))
    )
    out, _ = rewritten(tmp_path / "a.jpg", ".jpg")
    assert read_image(out).shape == (40, 60, 3)


def test_xmp_and_texts_of_others_go_along_those_of_an_earlier_swap_give_way(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_itxt("Author", "A. Painter")
    info.add_itxt(
        "XML:com.adobe.xmp",
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/>'
        "</rdf:RDF></x:xmpmeta>",
    )
    Image.fromarray(smooth_noise(40, 60)).save(tmp_path / "a.png", pnginfo=info)
    once, _ = rewritten(tmp_path / "a.png", ".png")
    twice, _ = rewritten(once.rename(tmp_path / "b.png"), ".png")
    with Image.open(twice) as image:
        packet = image.info["XML:com.adobe.xmp"]
        assert image.text["Author"] == "A. Painter"
    assert packet.count('Rating="4"') == 1
    assert packet.count("<faceswap:record>") == 1
    assert packet.count("DigitalSourceType>") == 2, "one element"
    with Image.open(rewritten(tmp_path / "b.png", ".jpg")[0]) as image:
        assert image.getexif()[ExifTags.Base.Artist] == "A. Painter"


def clear_picture() -> np.ndarray:
    """(40, 60, 4): a wedge of opacity, nothing at the left, everything at the right."""
    alpha = np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1))
    return np.dstack([smooth_noise(40, 60), alpha])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_what_is_not_edited_stays_to_the_bit_with_its_transparency(tmp_path: Path, suffix: str) -> None:
    source = clear_picture()
    Image.fromarray(source).save(tmp_path / "a.png")
    out, notes = rewritten(tmp_path / "a.png", suffix)
    with Image.open(out) as image:
        found = np.array(image)
    assert notes == []
    same = np.ones((40, 60), bool)
    same[8:16, 8:16] = False
    np.testing.assert_array_equal(found[same], source[same])
    white = read_image(out)
    assert (white[8:16, 8:16] == RED).all(), "and what is, looks as it shall on white"


def test_transparency_is_kept_in_webp_and_missed_with_words_in_jpeg(tmp_path: Path) -> None:
    Image.fromarray(clear_picture()).save(tmp_path / "a.png")
    with Image.open(rewritten(tmp_path / "a.png", ".webp")[0]) as image:
        np.testing.assert_array_equal(np.array(image)[20:, :, 3], clear_picture()[20:, :, 3])
    out, notes = rewritten(tmp_path / "a.png", ".jpg")
    assert ["transparency" in note for note in notes] == [True]
    assert read_image(out)[30, 0].min() > 240


def test_a_palette_with_transparency_is_read(tmp_path: Path) -> None:
    image = Image.fromarray(np.repeat(np.arange(60, dtype=np.uint8)[None] // 20, 40, axis=0), "P")
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    image.save(tmp_path / "a.png", transparency=1)
    (still,) = read_picture(tmp_path / "a.png").stills
    assert [tuple(still.image[5, x]) for x in (5, 30, 55)] == [(200, 0, 0), (255, 255, 255), (0, 0, 200)]
    assert still.alpha is not None
    assert [still.alpha[5, x] for x in (5, 30, 55)] == [255, 0, 255]


def test_a_profile_stays_with_its_colours(tmp_path: Path) -> None:
    source, wide = smooth_noise(40, 60), profile()
    Image.fromarray(source).save(tmp_path / "a.png", icc_profile=wide)
    assert np.abs(read_image(tmp_path / "a.png").astype(int) - source).max() > 10, "other colours"
    out, notes = rewritten(tmp_path / "a.png", ".png")
    with Image.open(out) as image:
        assert image.info["icc_profile"] == wide
        stored = np.array(image)
    assert notes == []
    np.testing.assert_array_equal(stored[20:], source[20:])
    assert np.abs(read_image(out)[8:16, 8:16].astype(int) - RED).max() <= 3
    assert stored[10, 10, 1] > 40, "sRGB's red is less than all red there"


def animation(path: Path, **more: object) -> list[np.ndarray]:
    frames = [smooth_noise(40, 60, seed=seed) for seed in range(3)]
    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(path, save_all=True, append_images=images[1:], **more)  # type: ignore[arg-type]
    return frames


@pytest.mark.parametrize("suffix", [".png", ".webp", ".avif"])
@pytest.mark.parametrize("source", ["a.gif", "a.png", "a.webp"])
def test_an_animation_stays_one(tmp_path: Path, source: str, suffix: str) -> None:
    animation(tmp_path / source, duration=[80, 200, 120], loop=0)
    assert read_picture(tmp_path / source).animated
    out, notes = rewritten(tmp_path / source, suffix)
    found = read_picture(out)
    assert [still.milliseconds for still in found.stills] == [80, 200, 120]
    assert notes == []
    assert all(np.abs(still.image[10:14, 10:14].astype(int) - RED).max() < 40 for still in found.stills)


def test_pages_stay_in_tiff_and_are_missed_with_words_elsewhere(tmp_path: Path) -> None:
    frames = animation(tmp_path / "a.tif")
    out, notes = rewritten(tmp_path / "a.tif", ".tiff")
    assert notes == []
    for still, frame in zip(read_picture(out).stills, frames, strict=True):
        np.testing.assert_array_equal(still.image, marked(frame))
    out, notes = rewritten(tmp_path / "a.tif", ".png")
    assert len(read_picture(out).stills) == 1
    assert "3 pages only the first" in notes[0]
    animation(tmp_path / "b.gif", duration=50)
    assert "3 frames only the first" in rewritten(tmp_path / "b.gif", ".jpg")[1][0]


def test_the_first_of_several_frames_is_taken_with_words(tmp_path: Path) -> None:
    frames = animation(tmp_path / "a.png", duration=50)
    picture = read_picture(tmp_path / "a.png", first_only=True)
    np.testing.assert_array_equal(picture.stills[0].image, frames[0])
    assert len(picture.stills) == 1
    assert "of its 3 frames or pages only the first was taken" in picture.notes


def test_many_frames_count_together(tmp_path: Path) -> None:
    animation(tmp_path / "a.gif", duration=50)
    with pytest.raises(MediaTooLarge, match="3 frames of 60 x 40"):
        read_picture(tmp_path / "a.gif", max_pixels=60 * 40 * 2)


def test_sixteen_bits_and_print_colours_are_said(tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 60), 100 * 257, np.uint16)).save(tmp_path / "grey.png")
    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)  # 16 bits RGB, which Pillow can't write
    chunks = (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(b"".join(b"\0" + b"\x64\x80" * 12 for _ in range(4)))),
    )
    (tmp_path / "deep.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in (*chunks, (b"IEND", b""))
        )
    )
    for name in ("grey.png", "deep.png"):
        assert read_picture(tmp_path / name).notes == ("its 16 bits a channel became 8",)
        assert (read_image(tmp_path / name) == 100).all()
    Image.new("CMYK", (60, 40)).save(tmp_path / "print.jpg")
    assert "CMYK" in read_picture(tmp_path / "print.jpg").notes[0]


def test_a_jpeg_that_lacks_its_end_is_read_with_a_note(tmp_path: Path) -> None:
    Image.fromarray(smooth_noise(200, 200)).save(tmp_path / "a.jpg", quality=95)
    whole, data = read_image(tmp_path / "a.jpg"), (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(data[:-200])
    picture = read_picture(tmp_path / "b.jpg")
    assert "the end of the file is missing" in picture.notes[0]
    np.testing.assert_array_equal(picture.stills[0].image[:160], whole[:160])
    (tmp_path / "c.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableMedia, match=r"lower \d+ % of the picture are missing"):
        read_picture(tmp_path / "c.jpg")


@pytest.mark.parametrize("after", [False, True])
def test_a_png_with_a_very_long_text_is_read_with_a_note(tmp_path: Path, after: bool) -> None:
    info = PngInfo()
    info.add_itxt("Author", "A. Painter")
    info.add_text("Prompt", "x" * 1_200_000, zip=True)
    Image.fromarray(smooth_noise(40, 60)).save(tmp_path / "a.png", pnginfo=info)
    if after:  # texts may lie behind the pixels
        data = (tmp_path / "a.png").read_bytes()
        at = data.index(b"zTXt") - 4
        end = at + 12 + struct.unpack(">I", data[at : at + 4])[0]
        (tmp_path / "a.png").write_bytes(data[:at] + data[end:-12] + data[at:end] + data[-12:])
    picture = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.stills[0].image, smooth_noise(40, 60))
    assert picture.notes == ("a long text in the file was passed over",)
    assert picture.keep.texts == {"Author": "A. Painter"}


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - {".psd", ".mpo", ".apng", ".pbm", ".pgm"}))
def test_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    image = np.full((40, 60, 3), (200, 90, 40), np.uint8)
    formats = {".hif": "HEIF", ".jfif": "JPEG", ".jpx": "JPEG2000", ".qoi": "QOI"}
    Image.fromarray(image).save(tmp_path / f"a{suffix}", format=formats.get(suffix))
    assert np.abs(read_image(tmp_path / f"a{suffix}").astype(int) - image).max() <= 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_also_mirrored_ones_are_upright(tmp_path: Path, orientation: int) -> None:
    upright = smooth_noise(20, 30)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), upright)
    out, _ = rewritten(tmp_path / "a.png", ".png")
    np.testing.assert_array_equal(read_image(out), marked(upright))
