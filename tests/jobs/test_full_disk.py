"""A disk that fills up in the middle of a job: one clear sentence, nothing half-written, and the job goes on."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from faceswap import jobs, registry, tracking
from faceswap.cli.common import spoken_errors
from faceswap.faces.faceset import find_headers
from faceswap.jobs import swap_job
from faceswap.jobs.fictional.fictional_media import write_people
from faceswap.jobs.monitor import Terminal
from faceswap.jobs.parameters import OF_THE_RUN, PreprocessParameters, SwapParameters, TrainParameters
from faceswap.jobs.training.resuming import checkpoints, work_folder
from faceswap.model.training.checkpoints import Checkpoints
from faceswap.output.progress import Report
from faceswap.provenance.metadata import read_provenance
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from tests.disks import Disk, small_disk
from tests.serving.fakes import MemoryRegistry, listed
from tests.team.people import NAMES, make_face_sets, training


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", "6m") as one:
        yield one


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[Callable[[], object]], str]:
    """What a command says that fails: its last words, without a traceback."""

    def of(job: Callable[[], object]) -> str:
        with pytest.raises(typer.Exit) as ended, spoken_errors():
            job()
        assert ended.value.exit_code == 1
        words = capsys.readouterr().err
        assert "Traceback" not in words
        return " ".join(words.split())

    return of


class Filling(Terminal):
    """Fills a disk before a step of the job, or after the first piece of one."""

    def __init__(self, disk: Disk, before: str = "", leaving: int = 0) -> None:
        self.disk, self.before, self.leaving = disk, before, leaving

    def step(self, name, function, *args, **kwargs):  # type: ignore[no-untyped-def]
        if name == self.before:
            self.disk.fill(self.leaving)
        return super().step(name, function, *args, **kwargs)

    @contextmanager
    def progress(self, title: str, unit: str = "") -> Iterator[Report]:
        with super().progress(title, unit) as report:

            def told(done: int, total: int | None, message: str) -> None:
                report(done, total, message)
                if done == 1 and not self.before:
                    self.disk.fill(self.leaving)

            yield told


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("setting", ["FACESWAP_WORK", "FACESWAP_ARTIFACT_ROOT"])
def test_a_training_that_registers(
    disk: Disk, said: Callable[[Callable[[], object]], str], monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """Checkpoints on a full disk: tests/model/training/test_damaged_checkpoints.py."""
    monkeypatch.setenv(setting, str(disk.folder / "its"))
    settings.cache_clear()
    make_face_sets(settings().home_path / "face-sets")
    begun = TrainParameters.model_validate(training(steps=6))
    words = said(lambda: jobs.train(begun, Filling(disk, "register")))
    assert str(disk.folder / "its") in words
    assert "make room" in words
    assert not registry.versions()
    (folder,) = (settings().work_path / "train").iterdir()
    state = Checkpoints(checkpoints(folder)).latest()
    assert state is not None
    assert state.step == 6
    assert f"`faceswap train --resume {folder.name}` goes on" in words
    assert tracking.connect().get_run(folder.name).info.status == "FAILED"

    disk.make_room()
    jobs.train(TrainParameters(face_sets=[OF_THE_RUN], resume=folder.name))
    assert {str(row.version) for row in registry.versions()} == {f"{name}/1" for name in NAMES}
    for name in NAMES:
        registry.load(f"{name}@production")
    assert not work_folder(folder.name).exists()


def test_a_training_whose_home_is_full_with_its_database(
    disk: Disk, said: Callable[[Callable[[], object]], str], monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    home = disk.folder / "home"
    make_face_sets(home / "face-sets")
    shutil.copy(database, home)
    monkeypatch.setenv("FACESWAP_HOME", str(home))
    settings.cache_clear()
    begun = TrainParameters.model_validate(training(steps=6))
    words = said(lambda: jobs.train(begun, Filling(disk, "load face sets")))
    assert str(home) in words
    assert "make room" in words
    disk.make_room()
    with tracking.run("next", "train"):  # the database is sound
        assert not registry.versions()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    return write_people(folder, ["ada"], "pictures", count=3, size=256)["ada"]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("setting", ["FACESWAP_WORK", "FACESWAP_FACE_SETS"])
def test_preprocessing(
    disk: Disk,
    pictures: Path,
    said: Callable[[Callable[[], object]], str],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
) -> None:
    monkeypatch.setenv(setting, str(disk.folder / "its"))
    monkeypatch.setenv("FACESWAP_WORKERS", "1")
    settings.cache_clear()
    given = PreprocessParameters(identity="ada", sources=[str(pictures)], consent="signed", fictional=True)
    words = said(lambda: jobs.preprocess(given, Filling(disk)))
    assert str(disk.folder / "its") in words
    assert "make room there" in words
    assert find_headers(settings().face_sets_root, "ada") == []
    disk.make_room()
    faces = jobs.preprocess(given)
    assert [uri for uri, _ in find_headers(settings().face_sets_root, "ada")] == [faces]


@pytest.mark.usefixtures("database")
def test_a_swap_of_many_pictures(
    disk: Disk,
    pictures: Path,
    said: Callable[[Callable[[], object]], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(swap_job, "load_all", lambda _: [MemoryRegistry().load(listed("ada", 1))])
    out = disk.folder / "out"
    given = SwapParameters(
        target=str(pictures), reference="ada", out=str(out), options=SwapOptions(colour="none")
    )
    words = said(lambda: jobs.swap(given, Filling(disk, leaving=4096)))
    assert str(out) in words
    assert "the disk is full" in words
    first, *rest = sorted(pictures.iterdir())
    assert [one for one in disk.files() if not one.name.startswith(".")] == [out / first.name]
    assert read_provenance(out / first.name) is not None
    disk.make_room()
    report = jobs.swap(given)
    assert [item.resumed for item in report.items] == [True, *[False] * len(rest)]
    assert report.written == [out / one.name for one in (first, *rest)]
