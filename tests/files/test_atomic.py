"""Archives are unpacked into their folder and nowhere else."""

import io
import tarfile
from pathlib import Path

import pytest

from faceswap.files.atomic import extract


def archive(*members: tuple[str, bytes]) -> tarfile.TarFile:
    """A tar file of (name, type) entries, each with the content ``x`` where it is a file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for name, kind in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, int(kind == tarfile.REGTYPE), "/etc/passwd"
            made.addfile(info, io.BytesIO(b"x"))
    packed.seek(0)
    return tarfile.open(fileobj=packed)


def test_files_and_folders_arrive(tmp_path: Path) -> None:
    extract(archive(("./a/b.txt", tarfile.REGTYPE), ("c", tarfile.DIRTYPE)), tmp_path)
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"x"
    assert (tmp_path / "c").is_dir()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../out", tarfile.REGTYPE),
        ("/tmp/out", tarfile.REGTYPE),
        ("link", tarfile.SYMTYPE),
        ("link", tarfile.LNKTYPE),
        ("fifo", tarfile.FIFOTYPE),
    ],
)
def test_nothing_else_does(tmp_path: Path, name: str, kind: bytes) -> None:
    with pytest.raises(tarfile.TarError, match="belongs there"):
        extract(archive((name, kind)), tmp_path / "in")
    assert not (tmp_path / "out").exists()
