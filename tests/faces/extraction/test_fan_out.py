"""An extraction on a cluster gives the face set of one machine, to the last bit, though a worker is lost."""

from pathlib import Path

import pytest

from faceswap import storage
from faceswap.errors import SettingsError
from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.jobs.fictional.fictional_media import cast_consent, write_people
from faceswap.settings import settings
from tests.cluster import cluster
from tests.s3 import s3_bucket

pytestmark = pytest.mark.timeout(1800)  # five processes that import much


def test_the_same_face_set_though_a_worker_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_people(tmp_path / "people", ["ada"], "video", seconds=12, size=128)
    consent, options = cast_consent("ada"), ExtractionOptions(every=3, size=128, min_face=20)
    with s3_bucket(monkeypatch) as bucket, cluster(tmp_path) as team:
        source = storage.publish_file(tmp_path / "people" / "ada.mp4", f"{bucket}/media/ada.mp4")
        here = extract([source], "ada", consent=consent, options=options, root=str(tmp_path / "a"), workers=3)
        monkeypatch.setenv("FACESWAP_DASK_SCHEDULER", team.address)
        settings.cache_clear()

        def lose_one(done: int, *_: object) -> None:
            if done == 1:  # with what it is at
                team.lose(0)

        there = extract(
            [source],
            "ada",
            consent=consent,
            options=options,
            root=str(tmp_path / "b"),
            workers=3,
            progress=lose_one,
        )
    assert there.digest == here.digest
    assert there.count() > 20


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_people(tmp_path / "people", ["ada"], "pictures", count=2, size=128)
    monkeypatch.setenv("FACESWAP_DASK_SCHEDULER", "tcp://127.0.0.1:9")
    monkeypatch.setattr("faceswap.dask_cluster._CONNECT_SECONDS", 1)
    settings.cache_clear()
    with pytest.raises(SettingsError, match="FACESWAP_DASK_SCHEDULER"):
        extract([str(tmp_path / "people" / "ada")], "ada", consent=cast_consent("ada"))
