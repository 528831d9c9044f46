import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from faceswap.errors import DiskFull, StorageError
from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.faces.extraction.segments import Segment, work_on
from faceswap.faces.geometry import Geometry
from faceswap.files import disk
from faceswap.files.disk import explained, is_full, require_space
from faceswap.media.images import write_image
from faceswap.provenance.consent.record import Consent
from tests import disks
from tests.swap.fakes import KnownFaces, face_at, smooth_noise


def with_free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=count))


def test_too_little_room_is_said_with_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_free(monkeypatch, 3_100_000)
    require_space(tmp_path / "not" / "yet" / "there", 3_000_000, "It")
    with pytest.raises(StorageError, match=r"It needs about 1\.5 GB in .*, 3\.1 MB are left") as caught:
        require_space(tmp_path, 1_500_000_000, "It")
    assert "make room" in (caught.value.fix or "")


def test_an_extraction_begins_only_where_its_crops_find_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        write_image(tmp_path / "in" / f"{number}.png", smooth_noise(60, 60, seed=number))
    with_free(monkeypatch, 1_000_000)
    consent = Consent(subject="ada", statement="a test", fictional=True)
    with pytest.raises(StorageError, match=r"'ada' needs about 1\.5 MB .* 1\.0 MB are left"):
        extract([str(tmp_path / "in")], "ada", consent=consent, options=ExtractionOptions(size=1024))


def test_a_full_disk_behind_an_error_is_known() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    outer = RuntimeError("the flow failed")
    outer.__cause__ = StorageError("x")
    outer.__cause__.__context__ = full
    assert is_full(outer)
    assert not is_full(OSError(errno.EACCES, "no"))
    assert not is_full(None)


def test_a_folder_that_could_not_be_copied_has_the_words_of_its_first_file(tmp_path: Path) -> None:
    """What :func:`shutil.copytree` raises holds only the words of each."""
    full = OSError(errno.ENOSPC, "No space left on device", "b/c")
    error = shutil.Error([("a/c", "b/c", str(full)), ("a/d", "b/d", str(full))])
    assert is_full(error)
    with pytest.raises(DiskFull, match="the disk is full"), explained(tmp_path / "b"):
        raise error
    assert not is_full(shutil.Error("it is the same file"))


def test_refusals_of_the_system_have_words(tmp_path: Path) -> None:
    for number, words in ((errno.EACCES, "permission"), (errno.EROFS, "read-only"), (errno.EIO, "error")):
        with pytest.raises(StorageError, match=words), explained(tmp_path / "a"):
            raise OSError(number, os.strerror(number))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 kB."""
    with disks.small_disk(tmp_path / "small", "200k") as one:
        yield one.folder


def test_a_segment_on_a_full_disk_ends_in_words_and_leaves_nothing(small_disk: Path, tmp_path: Path) -> None:
    names = []
    for number in range(4):
        write_image(tmp_path / f"{number}.png", smooth_noise(160, 160, seed=number))
        names.append((str(tmp_path / f"{number}.png"), f"{number}.png"))
    segment = Segment(str(small_disk / "work" / "one"), "image", tuple(names), None, None, 1)
    with pytest.raises(StorageError, match=r"small/work can't be written: the disk is full, .* are left in"):
        work_on(segment, KnownFaces(face_at(80, 80, 50)), Geometry(512, 2.2))
    assert list((small_disk / "work").iterdir()) == []


def test_a_picture_on_a_full_disk_ends_in_words_and_leaves_nothing(small_disk: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    with pytest.raises(StorageError, match=r"a\.png can't be written: the disk is full"):
        write_image(small_disk / "a.png", noise)
    assert list(small_disk.iterdir()) == []
