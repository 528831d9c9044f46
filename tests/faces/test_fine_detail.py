"""The fine detail of photos as bytes, and by what a photo of it is found."""

import io
import zipfile

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
        rng.random((3, 48, 48)) < 0.9,
        rng.random((3, 48, 48)) < 0.1,
    )


def test_packed_and_unpacked_it_is_the_same() -> None:
    detail = some()
    again = FineDetail.unpack(detail.packed())
    for name in ("generated", "missing", "seen", "glasses"):
        np.testing.assert_array_equal(getattr(again, name), getattr(detail, name))


def arrays(**named: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **named)
    return file.getvalue()


WHOLE = {name: getattr(some(), name) for name in ("generated", "missing", "seen", "glasses")}


def claiming(shape: tuple[int, ...]) -> bytes:
    """An ``.npz`` of which one array claims another shape."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    file = io.BytesIO(arrays(**WHOLE))
    with zipfile.ZipFile(file) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    members["generated.npy"] = header.getvalue() + bytes(100)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return changed.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        some().packed()[:2000],
        claiming((10**6, 10**8)),
        *(arrays(**{n: a for n, a in WHOLE.items() if n != left_out}) for left_out in WHOLE),
        *(arrays(**WHOLE | {name: WHOLE[name][:2]}) for name in WHOLE),
        *(arrays(**WHOLE | {name: WHOLE[name][:, :40]}) for name in WHOLE),
        arrays(**WHOLE | {"generated": WHOLE["missing"], "missing": WHOLE["generated"]}),
        arrays(**WHOLE | {"seen": WHOLE["generated"]}),
        arrays(**WHOLE | {"glasses": WHOLE["generated"]}),
        arrays(**{name: array[:0] for name, array in WHOLE.items()}),
        arrays(**WHOLE | {"generated": np.array([{}], dtype=object)}),
    ],
)
def test_what_is_no_detail_is_told(data: bytes) -> None:
    with pytest.raises(RegistryError, match="fine detail"):
        FineDetail.unpack(data)


def test_a_small_file_that_grows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = FineDetail(
        np.zeros((3, 48, 48), np.uint8), np.zeros((3, 96, 96), np.int8), *np.zeros((2, 3, 48, 48), bool)
    )
    monkeypatch.setattr(fine_detail, "MOST_BYTES", 20_000)
    assert len(empty.packed()) < 20_000
    with pytest.raises(RegistryError, match="MB"):
        FineDetail.unpack(empty.packed())


def test_a_face_is_found_again_in_another_light() -> None:
    detail = some()
    for number, face in enumerate(detail.generated):
        dimmer = (face * 0.4 + 30).astype(np.uint8)
        distances = np.square(detail.keys - likeness_key(dimmer)).sum(axis=1)
        assert distances.argmin() == number
        assert sorted(distances)[0] < 0.05 * sorted(distances)[1]
