"""What the job makes of its parameters before it loads anything."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faceswap.errors import MediaError
from faceswap.faces.detection import FaceFinder
from faceswap.faces.finder import MeshFinder
from faceswap.faces.mediapipe.finder import MediaPipeFinder
from faceswap.jobs import swap_job
from faceswap.jobs.parameters import SwapParameters
from faceswap.media.images import write_image
from faceswap.settings import settings
from tests.serving.fakes import MemoryRegistry, listed


@pytest.mark.parametrize("detector", ["hog", "cnn"])
def test_the_settings_choose_the_detector(monkeypatch: pytest.MonkeyPatch, detector: str) -> None:
    monkeypatch.setenv("FACESWAP_DETECTOR", detector)
    settings.cache_clear()
    loaded = MemoryRegistry().load(listed("ada", 1))
    swapper = swap_job.swapper_for(loaded, SwapParameters(target="a.png", reference="ada", out="b.png"))
    assert isinstance(swapper.finder, FaceFinder)
    assert swapper.finder.detector == detector


@pytest.mark.parametrize("job", [swap_job.swap, swap_job.sheet])
@pytest.mark.parametrize("out", ["r.gif", "s3://bucket/r.png"])
def test_a_wrong_out_is_told_before_a_version_is_loaded(
    job: Callable[[SwapParameters], object], out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap_job, "load_all", lambda _: pytest.fail("loaded"))
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "a.png", np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(MediaError):
        job(SwapParameters(target="a.png", reference="ada", out=out))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["a.png"]


def test_the_settings_choose_mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESWAP_DETECTOR", "mediapipe")
    settings.cache_clear()
    loaded = MemoryRegistry().load(listed("ada", 1))
    swapper = swap_job.swapper_for(loaded, SwapParameters(target="a.png", reference="ada", out="b.png"))
    assert isinstance(swapper.finder, MediaPipeFinder)
    assert isinstance(swapper.finder, MeshFinder), "so videos follow its mesh"
    assert not isinstance(FaceFinder(), MeshFinder)
