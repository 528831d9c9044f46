"""A backup is restored into an empty home, and the version in it draws what it drew."""

import shutil
import sqlite3
import tarfile
from pathlib import Path

import numpy as np
import pytest

from faceswap import registry
from faceswap.errors import SettingsError, StorageError
from faceswap.faces.faceset import FaceSet, newest
from faceswap.settings import settings
from infra.backup import backup, restore
from tests.registry.test_old_artifacts import V1, drawn_then, registered_then


@pytest.fixture
def full(home: Path, database: Path) -> Path:
    """A home with a registered version and a face set."""
    registered_then(home)
    made = FaceSet.load(str(V1 / "face-set"))
    shutil.copytree(V1 / "face-set", home / "face-sets" / made.identity / made.digest[:16])
    return home


def use(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("FACESWAP_HOME", str(home))
    settings.cache_clear()


def test_a_restored_home_swaps(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(full / "mlflow.db") as writer:  # a server is writing
        writer.execute("UPDATE experiments SET name = 'half done' WHERE experiment_id = 0")
        counts = backup(tmp_path / "all.tar")
        writer.rollback()
    assert counts["databases"] == 1
    assert (tmp_path / "all.tar").stat().st_mode & 0o077 == 0
    full.rename(tmp_path / "gone")
    use(monkeypatch, tmp_path / "elsewhere" / "new")
    assert restore(tmp_path / "all.tar")["artifacts"] == counts["artifacts"]
    crops, expected = drawn_then()
    loaded = registry.load("ada/1")
    np.testing.assert_allclose(loaded.network(crops), expected, atol=1e-4)
    identity = FaceSet.load(str(V1 / "face-set")).identity
    assert newest(settings().face_sets_root, identity) is not None
    with pytest.raises(SettingsError, match="something already"):
        restore(tmp_path / "all.tar")


def test_a_damaged_or_cut_backup_changes_nothing(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "all.tar"
    backup(file)
    whole = file.read_bytes()
    use(monkeypatch, tmp_path / "new")
    with tarfile.open(file) as archive:
        crop = next(one for one in archive if one.name.endswith(".jpg"))
    at = crop.offset_data + 100
    for content, why in (
        (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], "not what was stored"),
        (whole[: len(whole) // 2], "can't be read|cut short"),
    ):
        file.write_bytes(content)
        with pytest.raises(StorageError, match=why):
            restore(file)
        assert not list((tmp_path / "new").iterdir())
