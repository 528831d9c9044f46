"""What Dask workers have fetched of a person goes with an erasure: at once if they have joined, else at their start."""

import json
import os
import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest

from faceswap import jobs, registry, storage, tracking
from faceswap.dask_cluster import ask_workers
from faceswap.fan_out import at_hand, fan_out
from faceswap.jobs.upkeep.consent_job import ConsentParameters
from faceswap.provenance.consent.life import Event
from faceswap.registry import consents
from faceswap.registry.cards import version_card
from faceswap.settings import settings
from tests.cluster import cluster
from tests.s3 import s3_bucket

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("database")]  # workers import much
V1 = Path(__file__).parents[1] / "fixtures" / "v1"


def register(home: Path) -> None:
    """A version of ada."""
    made = home / "made"
    made.mkdir()
    for name, stored in (("encoder", "encoder"), ("decoder_ada", "decoder")):
        shutil.copy(V1 / f"{stored}.keras", made / f"{name}.keras")
    with tracking.run("training", "train") as run:
        card = version_card.read(V1 / "card.json").model_copy(update={"run_id": run.run_id})
    registry.register(run.run_id, made, {"ada": card})


def use(piece: tuple[str, int]) -> str:
    """On a worker: a version is loaded and footage fetched, as a swap does; returns where the worker keeps them."""
    registry.load("ada/1")
    with at_hand("footage.mp4", *piece):
        return str(settings().cache_path)


def put_ben(home: Path) -> Path:
    """A version of somebody else, in the cache of a worker."""
    folder = home / "cache" / "decoders" / ("b" * 64)
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps({"identity": "ben"}))
    return folder


def test_what_two_workers_have_goes_and_what_they_have_of_others_stays(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(home)
    with s3_bucket(monkeypatch) as bucket:
        storage.write_bytes(f"{bucket}/footage.mp4", b"of ada")
        ben = put_ben(tmp_path / "worker")
        knows = {"FACESWAP_TRACKING_URI": settings().tracking}
        with cluster(tmp_path, 2, knows) as team:
            with closing(fan_out(team.address, use, [(f"{bucket}/footage.mp4", 6)] * 4)) as results:
                (cache,) = {Path(place) for _, place in results}
            assert list(cache.glob("media/*/footage.mp4"))
            assert len(list(cache.glob("decoders/*/card.json"))) == 2
            monkeypatch.setenv("FACESWAP_DASK_SCHEDULER", team.address)
            settings.cache_clear()
            listed = jobs.withdraw_consent(ConsentParameters(name="ada"))
            on_workers = [item for item in listed.found.items if item.kind == "worker's cache"]
            assert len(on_workers) == 2, "the version and the footage"
            done = jobs.withdraw_consent(ConsentParameters(name="ada", erase=True))
            assert done.left is not None
            assert done.left.items == []
            assert not list(cache.glob("media/*/footage.mp4"))
            assert list(cache.glob("decoders/*")) == [ben]
        assert any("when they are started" in line for line in done.left.stay)


def test_a_scheduler_that_is_away_holds_no_erasure_up_and_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceswap.dask_cluster._CONNECT_SECONDS", 1)
    monkeypatch.setenv("FACESWAP_DASK_SCHEDULER", "tcp://127.0.0.1:9")
    settings.cache_clear()
    mine = home / "cache" / "decoders" / ("a" * 64)
    mine.mkdir(parents=True)
    (mine / "card.json").write_text(json.dumps({"identity": "ada"}))
    done = jobs.withdraw_consent(ConsentParameters(name="ada", erase=True))
    assert done.left is not None
    assert not mine.exists()
    assert any("127.0.0.1:9" in line and "when they are started" in line for line in done.left.stay)


def test_a_worker_that_was_away_begins_without_those_who_have_withdrawn(home: Path, tmp_path: Path) -> None:
    consents.write(Event(identity="ada", kind="withdrawn", by="ada"))
    ben = put_ben(tmp_path / "worker")
    ada, media = ben.with_name("a" * 64), tmp_path / "worker" / "cache" / "media" / ("0" * 16)
    for folder in (ada, media):
        folder.mkdir(parents=True)
        (folder / "card.json").write_text(json.dumps({"identity": "ada"}))
    with cluster(tmp_path, 1, {"FACESWAP_TRACKING_URI": settings().tracking}) as team:
        end = time.monotonic() + 60
        while not ask_workers(team.address, os.getpid):
            assert time.monotonic() < end, "it does not join"
            time.sleep(0.2)
    assert [one.exists() for one in (ben, ada, media)] == [True, False, False]
