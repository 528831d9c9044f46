from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.errors import MediaTooLarge
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort, overlap
from faceswap.swap.options import SwapOptions
from tests.serving.fakes import MemoryRegistry, listed, workshop
from tests.swap.fakes import KnownFaces, face_at, smooth_noise

Pixels = NDArray[np.uint8]


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry(listed("ada", 1, "production"))


def test_the_camera_is_labelled(registry: MemoryRegistry, tmp_path: Path) -> None:
    shop = workshop(registry, KnownFaces(face_at(80, 100, 90)), tmp_path / "out")
    frame = smooth_noise(200, 320)
    image, _ = shop.live(frame, "ada")
    assert not np.array_equal(image[190:, :60], frame[190:, :60]), "the visible label"
    sharp, _ = shop.live(frame, "ada", options=SwapOptions(mask="rect", colour="none"))
    assert not np.array_equal(sharp, image)
    with pytest.raises(MediaTooLarge):
        shop.live(np.zeros((1080, 1920, 3), np.uint8), "ada")


class NearHint(KnownFaces):
    """As dlib's: with a hint only the face there is found."""

    def find(
        self, frame: Pixels, hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        faces = super().find(frame, hint)
        return [face for face in faces if hint is None or overlap(face.box, hint) > 0.4] or faces


def test_somebody_else_before_the_camera_is_noticed_within_half_a_second(
    registry: MemoryRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("serving.work.time.monotonic", lambda: now)
    finder = NearHint(face_at(80, 100, 90))
    shop = workshop(registry, finder, tmp_path / "out")
    frame, search = smooth_noise(200, 320), None

    def second_is_swapped() -> bool:
        nonlocal search
        image, search = shop.live(frame, "ada", search=search)
        return bool(np.abs(image[95:105, 225:235].astype(float) - frame[95:105, 225:235]).mean() > 10)

    assert not second_is_swapped()
    finder.faces.append(face_at(230, 100, 85))
    seen = []
    for _ in range(10):
        now += 0.15
        seen.append(second_is_swapped())
    assert any(seen[:4])
    assert all(seen[seen.index(True) :]), "and does not flicker"
    assert len(finder.hints) < 6, "most frames need no search"
