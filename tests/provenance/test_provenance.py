import shutil
from pathlib import Path

import numpy as np
import pytest

from faceswap.errors import ConsentError, UnreadableMedia
from faceswap.media.images import read_image, write_image
from faceswap.provenance.consent import Consent, require_consent
from faceswap.provenance.label import stamp
from faceswap.provenance.metadata import SOURCE_TYPE, Provenance, read_provenance

ORIGIN = Provenance("zoë", "face-zoë", "7", "abc", {"note": 'a "quote" <tag> & more', "long": "x" * 3000})


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_pictures_say_what_they_are_also_as_a_copy(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, np.zeros((32, 32, 3), np.uint8), metadata=ORIGIN)
    assert read_provenance(Path(shutil.copy(path, tmp_path / f"b{suffix}"))) == ORIGIN
    assert SOURCE_TYPE.encode() in path.read_bytes()


def test_a_plain_picture_says_nothing(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    assert read_provenance(tmp_path / "a.png") is None
    (tmp_path / "b.png").write_text("text")
    with pytest.raises(UnreadableMedia, match=r"b\.png"):
        read_provenance(tmp_path / "b.png")


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
