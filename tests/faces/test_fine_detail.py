"""The fine detail of photos as bytes, and by what a photo of it is found."""

import io

import numpy as np
import pytest

from faceswap.errors import RegistryError
from faceswap.faces import fine_detail
from faceswap.faces.fine_detail import FineDetail, likeness_key


def some(seed: int = 0) -> FineDetail:
    rng = np.random.default_rng(seed)
    return FineDetail(
        rng.integers(0, 256, (3, 48, 48), np.uint8),
        rng.integers(-127, 128, (3, 96, 96)).astype(np.int8),
        rng.random((3, 48, 48)) < 0.1,
    )


def test_packed_and_unpacked_it_is_the_same() -> None:
    detail = some()
    again = FineDetail.unpack(detail.packed())
    np.testing.assert_array_equal(again.generated, detail.generated)
    np.testing.assert_array_equal(again.missing, detail.missing)
    np.testing.assert_array_equal(again.glasses, detail.glasses)


def arrays(**named: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **named)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        some().packed()[:2000],
        arrays(generated=some().generated),
        arrays(generated=some().generated, missing=some().missing),
        arrays(generated=some().generated, missing=some().missing, glasses=some().glasses[:2]),
        arrays(generated=some().generated, missing=some().missing, glasses=some().generated),
        arrays(generated=some().generated, missing=some().missing[:2], glasses=some().glasses),
        arrays(generated=some().generated[:, :40], missing=some().missing, glasses=some().glasses),
        arrays(generated=some().missing, missing=some().generated, glasses=some().glasses),
        arrays(generated=some().generated[:0], missing=some().missing[:0], glasses=some().glasses),
        arrays(generated=np.array([{}], dtype=object), missing=some().missing, glasses=some().glasses),
    ],
)
def test_what_is_no_detail_is_told(data: bytes) -> None:
    with pytest.raises(RegistryError, match="fine detail"):
        FineDetail.unpack(data)


def test_a_small_file_that_grows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = FineDetail(np.zeros((3, 48, 48), np.uint8), np.zeros((3, 96, 96), np.int8), some().glasses)
    monkeypatch.setattr(fine_detail, "MOST_BYTES", 20_000)
    assert len(empty.packed()) < 20_000
    with pytest.raises(RegistryError, match="too large"):
        FineDetail.unpack(empty.packed())


def test_a_face_is_found_again_in_another_light() -> None:
    detail = some()
    for number, face in enumerate(detail.generated):
        dimmer = (face * 0.4 + 30).astype(np.uint8)
        distances = np.square(detail.keys - likeness_key(dimmer)).sum(axis=1)
        assert distances.argmin() == number
        assert sorted(distances)[0] < 0.05 * sorted(distances)[1]
