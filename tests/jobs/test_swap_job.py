"""What the job makes of its parameters before it loads anything."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faceswap import storage
from faceswap.errors import MediaError
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.finding.finder import MeshFinder
from faceswap.faces.finding.mediapipe.mediapipe_finder import MediaPipeFinder
from faceswap.jobs import swap_job
from faceswap.jobs.fictional.fictional_media import write_people
from faceswap.jobs.parameters import SwapParameters
from faceswap.media.images import write_image
from faceswap.provenance.metadata import read_provenance
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from tests.s3 import s3_bucket
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
@pytest.mark.parametrize("out", ["r.gif", "ftp://host/r.png"])
def test_a_wrong_out_is_told_before_a_version_is_loaded(
    job: Callable[[SwapParameters], object], out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap_job, "load_all", lambda _: pytest.fail("loaded"))
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "a.png", np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(MediaError):
        job(SwapParameters(target="a.png", reference="ada", out=out))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["a.png"]


@pytest.mark.usefixtures("database")
def test_targets_photos_and_results_lie_in_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_people(tmp_path, ["ada"], "pictures", count=2, size=256)
    monkeypatch.setattr(swap_job, "load_all", lambda _: [MemoryRegistry().load(listed("ada", 1))])
    with s3_bucket(monkeypatch) as bucket:
        names = sorted(one.name for one in (tmp_path / "ada").iterdir())
        storage.publish_files(tmp_path / "ada", names, f"{bucket}/media/ada")
        given = SwapParameters(
            target=f"{bucket}/media/ada",
            reference="ada",
            out=f"{bucket}/out",
            match=f"{bucket}/media/ada/{names[0]}",
            options=SwapOptions(colour="none"),
        )
        report = swap_job.swap(given)
        assert report.places == [f"{bucket}/out/{name}" for name in names], report
        assert storage.list_files(f"{bucket}/out") == names
        single = {"target": f"{bucket}/media/ada/{names[0]}", "out": f"{bucket}/a.png"}
        one = swap_job.swap(given.model_copy(update=single))
        assert one.places == [f"{bucket}/a.png"]
        origin = read_provenance(storage.fetch_file(f"{bucket}/a.png", tmp_path / "cache"))
    assert origin is not None and origin.reference == "ada"
    assert not list((settings().work_path / "outputs").iterdir()), "nothing stays on this machine"


def test_the_settings_choose_mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESWAP_DETECTOR", "mediapipe")
    settings.cache_clear()
    loaded = MemoryRegistry().load(listed("ada", 1))
    swapper = swap_job.swapper_for(loaded, SwapParameters(target="a.png", reference="ada", out="b.png"))
    assert isinstance(swapper.finder, MediaPipeFinder)
    assert isinstance(swapper.finder, MeshFinder), "so videos follow its mesh"
    assert not isinstance(FaceFinder(), MeshFinder)
