"""Two versions of one person, and an app's work on them without servers."""

from pathlib import Path

import pytest

from serving.work import Workshop
from tests.serving.fakes import MemoryRegistry, listed, workshop
from tests.swap.fakes import KnownFaces, face_at

RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture
def registry() -> MemoryRegistry:
    rows = MemoryRegistry(listed("ada", 2, "challenger"), listed("ada", 1, "production"))
    rows.colours = {rows.rows[1].version: RED, rows.rows[0].version: BLUE}
    return rows


@pytest.fixture
def shop(registry: MemoryRegistry, tmp_path: Path) -> Workshop:
    finder = KnownFaces(face_at(80, 100, 90), face_at(230, 100, 60))
    return workshop(registry, finder, tmp_path / "out")
