"""A swap by real workers, which fetch targets from S3 and versions from the registry, against one of this machine."""

import os
import signal
from pathlib import Path

import pytest

from faceswap import jobs, storage
from faceswap.errors import ClusterError, ConsentError
from faceswap.jobs.parameters import SwapParameters
from faceswap.provenance.consent.life import Event
from faceswap.registry import consents
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from tests.cluster import Cluster, cluster
from tests.jobs.swapping import Watched, assert_the_same, one_machine
from tests.s3 import s3_bucket

pytestmark = pytest.mark.timeout(400)  # processes that import much


def workers_know_the_registry() -> dict[str, str]:
    return {"FACESWAP_TRACKING_URI": settings().tracking}


def use(team: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACESWAP_DASK_SCHEDULER", team.address)
    settings.cache_clear()


@pytest.mark.usefixtures("version", "ctrl_c")
def test_the_workers_make_what_one_machine_makes_though_they_are_interrupted_and_one_is_lost(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_bucket(monkeypatch) as bucket, cluster(tmp_path, 2, workers_know_the_registry()) as team:
        names = sorted(one.name for one in media.iterdir())
        storage.publish_files(media, names, f"{bucket}/media")
        given = SwapParameters(
            target=f"{bucket}/media",
            reference="ada/1",
            out=str(tmp_path / "there"),
            options=SwapOptions(min_face=10),
        )
        use(team, monkeypatch)
        with pytest.raises(KeyboardInterrupt):
            jobs.swap(given, Watched(lambda: os.kill(os.getpid(), signal.SIGINT)))
        report = jobs.swap(given, Watched(lambda: team.lose(0)))
        here = one_machine(given, tmp_path / "here")
    assert [item.source.name for item in report.items] == names, "in their order"
    assert any(item.resumed for item in report.items), "what was done before Ctrl-C stays"
    assert [item.source.name for item in report.skipped] == ["0002.png"]
    assert len(report.written) == 4
    assert_the_same(report.written, here)
    assert list((tmp_path / "worker" / "cache" / "media").rglob("long.mp4")), "workers fetch for themselves"
    assert not list((tmp_path / "worker").rglob("*.pem")), "and hold no key"


@pytest.mark.usefixtures("version")
def test_who_withdraws_stops_the_workers(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SwapParameters(
        target=str(media), reference="ada/1", out=str(tmp_path / "out"), options=SwapOptions(min_face=10)
    )
    with cluster(tmp_path, 1, workers_know_the_registry()) as team:
        use(team, monkeypatch)

        def withdraw() -> None:
            consents.write(Event(identity="ada", kind="withdrawn", by="ada", statement="no more"))

        with pytest.raises(ConsentError, match="withdr"):
            jobs.swap(given, Watched(withdraw))
    assert not list((tmp_path / "out").rglob("*.mp4"))


@pytest.mark.usefixtures("version")
def test_workers_of_another_registry_are_told(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SwapParameters(target=str(media / "0001.png"), reference="ada/1", out=str(tmp_path / "o.png"))
    with cluster(tmp_path, 1) as team:
        use(team, monkeypatch)
        with pytest.raises(ClusterError, match="FACESWAP_TRACKING_URI"):
            jobs.swap(given)
