"""Disks of some kilobytes, so that tests can fill them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A disk of its own, at a folder."""

    folder: Path

    @property
    def free(self) -> int:
        """Bytes that are free."""
        return shutil.disk_usage(self.folder).free

    def fill(self, leaving: int = 0) -> None:
        """Somebody else fills it up.

        Args:
            leaving: so many bytes.
        """
        with suppress(OSError):  # what others write meanwhile fills it, too
            (self.folder / "ballast").write_bytes(bytes(max(0, self.free - leaving)))

    def make_room(self) -> None:
        """What filled it is gone."""
        (self.folder / "ballast").unlink()

    def files(self) -> list[Path]:
        """All that others have written."""
        return sorted(p for p in self.folder.rglob("*") if p.is_file() and p.name != "ballast")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Disk]:
    """A disk at a new folder, while the block runs; where none can be mounted, the test is skipped.

    Args:
        folder: where it is.
        size: as mount takes it: "3m".
    """
    folder.mkdir(parents=True)
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
