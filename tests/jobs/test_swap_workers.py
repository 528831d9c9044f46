"""A swap by real workers, which fetch targets from S3 and versions from the registry, against one of this machine."""

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceswap import jobs, registry, storage, tracking
from faceswap.errors import ClusterError, ConsentError
from faceswap.jobs.fictional.fictional_media import write_people
from faceswap.jobs.monitor import Terminal
from faceswap.jobs.parameters import SwapParameters
from faceswap.jobs.swap_job import load_all, origin_of, swapper_for
from faceswap.media.images import read_image
from faceswap.media.video.reading import VideoReader, VideoWriter
from faceswap.output.progress import Report
from faceswap.provenance import content_credentials
from faceswap.provenance.consent.life import Event
from faceswap.registry import consents
from faceswap.settings import settings
from faceswap.swap.batch.media_swap import swap_media
from faceswap.swap.batch.pieces import Piece, Result, work_on
from faceswap.swap.options import SwapOptions
from tests.cluster import Cluster, cluster
from tests.registry.test_versions import TINY, card
from tests.s3 import s3_bucket

pytestmark = pytest.mark.timeout(400)  # processes that import much
SECONDS = 12


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A network of a few kilobytes: untrained, so that its faces are noise."""
    from faceswap.model.training.autoencoders import Autoencoders
    from faceswap.model.training.model_files import export

    folder = tmp_path_factory.mktemp("export")
    return folder, export(Autoencoders(TINY, ["ada", "ben"]), folder)


@pytest.fixture
def version(database: Path, exported: tuple[Path, dict[str, str]]) -> registry.Version:
    """It, in the test's registry."""
    folder, digests = exported
    with tracking.run("training", "train") as run:
        return registry.register(run.run_id, folder, {"ada": card(run.run_id, digests)})["ada"]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video in two spans, four pictures and a broken one."""
    folder = tmp_path_factory.mktemp("media")
    people = write_people(folder / "people", ["bram"], "video", seconds=2, size=128)
    write_people(folder, ["bram"], "pictures", count=4, size=128)
    (folder / "bram" / "0002.png").write_bytes(b"no picture")
    with VideoReader(people["bram"]) as reader:
        frames = [frame.image for frame in reader.frames()]
    there_and_back = frames + frames[::-1]
    with VideoWriter(folder / "bram" / "long.mp4", width=128, height=128, fps=10) as writer:
        for number in range(SECONDS * 10):
            writer.write(there_and_back[2 * number % len(there_and_back)])
    return folder / "bram"


class Watched(Terminal):
    """Calls a function when the first of the work is done."""

    def __init__(self, first: Callable[[], object]) -> None:
        self.first: Callable[[], object] | None = first

    @contextmanager
    def progress(self, title: str, unit: str = "") -> Iterator[Report]:
        def report(done: int, total: int | None, what: str) -> None:
            first, self.first = self.first, None
            if first is not None:
                first()

        yield report


def one_machine(parameters: SwapParameters, out: Path) -> Path:
    """The same pieces, one after the other in this process, with as many threads as workers have."""
    versions = load_all(parameters)
    swapper = swapper_for(versions[0], parameters)
    origin = origin_of(versions, parameters.options.model_dump(mode="json"))

    def crew(pieces: Iterable[Piece]) -> Generator[tuple[Piece, Result], None, None]:
        yield from ((piece, work_on(piece, swapper, origin, lambda: False)) for piece in pieces)

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        swap_media(parameters.target, out, swapper, origin, crew=crew)
    finally:
        cv2.setNumThreads(before)
    return out


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
    for one in report.written:
        assert content_credentials.read(one), f"{one} is signed"
        if one.suffix == ".png":
            np.testing.assert_array_equal(read_image(one), read_image(here / one.name))
            continue
        with VideoReader(one) as ours, VideoReader(here / one.name) as theirs:
            pairs = list(zip(ours.frames(), theirs.frames(), strict=True))
        assert len(pairs) == SECONDS * 10
        for a, b in pairs:
            assert a.time == b.time
            np.testing.assert_array_equal(a.image, b.image)
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
