import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageFont
from PIL.PngImagePlugin import PngInfo

from faceswap.errors import ConsentError, MediaError, UnreadableMedia
from faceswap.media.images import read_image, write_image
from faceswap.provenance.consent.record import Consent, require_consent
from faceswap.provenance.label import stamp
from faceswap.provenance.metadata import SOURCE_TYPE, Provenance, read_provenance, xmp

ORIGIN = Provenance("zoë", "face-zoë", "7", "abc", {"note": 'a "quote" <tag> & more', "long": "x" * 3000})


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_pictures_say_what_they_are_also_as_a_copy(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, np.zeros((32, 32, 3), np.uint8), metadata=ORIGIN)
    assert read_provenance(Path(shutil.copy(path, tmp_path / f"b{suffix}"))) == ORIGIN
    assert SOURCE_TYPE.encode() in path.read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_the_record_survives_a_tool_that_drops_xmp(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, np.zeros((32, 32, 3), np.uint8), metadata=ORIGIN)
    with Image.open(path) as image:
        text = PngInfo()
        text.add_itxt("faceswap", image.info.get("faceswap", ""))
        options = {"pnginfo": text} if suffix == ".png" else {"exif": image.info["exif"]}
        image.info.clear()
        image.save(tmp_path / f"b{suffix}", **options)
    assert SOURCE_TYPE.encode() not in (tmp_path / f"b{suffix}").read_bytes()
    assert read_provenance(tmp_path / f"b{suffix}") == ORIGIN


def test_the_xmp_is_well_formed_and_says_what_iptc_asks_for() -> None:
    packet = xmp(replace(ORIGIN, reference="a\x07\ud800<&名"))
    root = ElementTree.fromstring(packet.decode())
    found = {element.tag: element.text for element in root.iter()}
    assert found["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"] == SOURCE_TYPE
    assert "名" in (found["{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"] or "")


def test_exif_speaks_to_people(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", np.zeros((8, 8, 3), np.uint8), metadata=ORIGIN)
    with Image.open(tmp_path / "a.jpg") as image:
        assert "not a recording" in image.getexif()[0x010E]


def test_options_of_any_kind_are_written_and_long_ones_refused(tmp_path: Path) -> None:
    options = {"path": tmp_path, "number": np.float32(0.5), "pair": (1, 2)}
    write_image(tmp_path / "a.jpg", np.zeros((8, 8, 3), np.uint8), metadata=replace(ORIGIN, options=options))
    found = read_provenance(tmp_path / "a.jpg")
    assert found is not None
    assert found.options == {"path": str(tmp_path), "number": "0.5", "pair": [1, 2]}
    with pytest.raises(MediaError, match="shorten"):
        write_image(
            tmp_path / "b.jpg",
            np.zeros((8, 8, 3), np.uint8),
            metadata=replace(ORIGIN, options={"text": "x" * 70_000}),
        )
    assert not (tmp_path / "b.jpg").exists()


def test_a_record_always_says_generated() -> None:
    assert ORIGIN.to_dict()["generated"] is True
    assert Provenance.from_dict(ORIGIN.to_dict() | {"generated": False, "later": 1}) == ORIGIN
    for wrong in ({"reference": 3}, {"options": []}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Provenance.from_dict(ORIGIN.to_dict() | wrong)
    with pytest.raises(ValueError, match="run_id"):
        Provenance.from_dict({"reference": "a", "model": "b", "version": "1"})


def test_a_plain_picture_says_nothing(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    assert read_provenance(tmp_path / "a.png") is None
    (tmp_path / "b.png").write_text("text")
    (tmp_path / "b.mp4").write_text("text")
    for name in ("b.png", "b.mp4", "missing.jpg", "missing.mp4"):
        with pytest.raises(UnreadableMedia, match=name):
            read_provenance(tmp_path / name)


def test_the_statement_names_identity_and_version() -> None:
    assert "'zoë'" in ORIGIN.statement()
    assert "version 7" in ORIGIN.statement()


@pytest.mark.parametrize("size", [(1080, 1920), (256, 256), (64, 48), (12, 9), (3, 3)])
@pytest.mark.parametrize("level", [0, 255])
def test_label_is_inside_and_readable(size: tuple[int, int], level: int) -> None:
    image = np.full((*size, 3), level, np.uint8)
    before = image.copy()
    labelled = stamp(image, "AI-GENERATED FACE of somebody with a long name")
    np.testing.assert_array_equal(image, before)
    changed = np.argwhere((labelled != image).any(-1))
    assert labelled.shape == image.shape
    if min(size) >= 48:
        plate = labelled[changed[:, 0].min() :, : changed[:, 1].max() + 1]
        assert plate.std() > 20, "letters stand out from their plate"
        assert changed[:, 0].min() >= size[0] * 0.6
        np.testing.assert_array_equal(labelled[: size[0] // 2], image[: size[0] // 2])


def test_only_the_plate_changes_and_alike_pictures_alike() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 720, 1280, 3), dtype=np.uint8)
    plates = [(stamp(image) != image).any(-1) for image in (first, second)]
    rows, columns = np.nonzero(plates[0] | plates[1])
    height, width = 720 - rows.min(), columns.max() + 1
    assert 0.03 * 720 <= height <= 0.06 * 720
    assert width < 1280 / 4
    np.testing.assert_array_equal(stamp(first)[: 720 - height], first[: 720 - height])
    np.testing.assert_array_equal(stamp(first)[:, width:], first[:, width:])
    np.testing.assert_array_equal(stamp(first), stamp(first.copy()))


def test_long_text_is_shortened_and_foreign_letters_are_readable() -> None:
    image = np.full((100, 200, 3), 255, np.uint8)
    long = stamp(image, "AI-GENERATED " * 20)
    assert (long[:, -1] == 255).all() or (long != 255).any(), "it ends within the picture"
    np.testing.assert_array_equal(stamp(image, "Zoë"), stamp(image, "Zoe"))
    np.testing.assert_array_equal(stamp(image, "名"), stamp(image, "?"))
    assert stamp(image, "").shape == image.shape


def test_the_letters_of_a_video_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    load = ImageFont.load_default

    def counted(size: int) -> object:
        drawn.append(size)
        return load(size)

    monkeypatch.setattr(ImageFont, "load_default", counted)
    frames = np.random.default_rng(0).integers(0, 256, (4, 360, 642, 3), dtype=np.uint8)
    for frame in frames:
        stamp(frame, "of this test alone")
    assert len(drawn) == 1


def test_metadata_does_not_change_the_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    write_image(tmp_path / "a.png", pixels, metadata=ORIGIN)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), pixels)


def test_consent_is_required_and_must_be_of_the_same_person() -> None:
    with pytest.raises(ConsentError, match="'ada'"):
        require_consent("ada", None)
    with pytest.raises(ConsentError, match="'ben'"):
        require_consent("ada", Consent(subject="ben", statement="signed release"))
    with pytest.raises(ValueError, match="consent"):
        Consent(subject="ada", statement="     ")
