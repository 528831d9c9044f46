from pathlib import Path

import numpy as np
import pytest

from faceswap.errors import MediaError, StorageError
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.faces.geometry import Geometry
from faceswap.files import disk
from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import VideoWriter, probe
from faceswap.provenance.metadata import Provenance, read_provenance
from faceswap.swap.batch.media_swap import swap_media
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.swap.fakes import KnownFaces, Paint, face_at, smooth_noise

MADE = Provenance(reference="ada", model="face-ada", version="3", run_id="r")


class BrightFaces(KnownFaces):
    def find(
        self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        return super().find(frame, hint) if frame.mean() > 20 else []


SWAPPER = Swapper(
    Paint(Geometry(64, 1.5), (255, 0, 0)),
    BrightFaces(face_at(80, 80, 50)),
    SwapOptions(label=False, colour="none", sharpen=0),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures that can be swapped, one without a face, one that is broken, one video; two with one stem."""
    source = tmp_path / "in"
    for name in ("a.png", "a.bmp", "sub/b.JPG"):
        write_image(source / name, smooth_noise(160, 160))
    write_image(source / "dark.png", np.zeros((160, 160, 3), np.uint8))
    (source / "broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    with VideoWriter(source / "c.mkv", width=160, height=160, fps=10) as writer:
        for _ in range(5):
            writer.write(smooth_noise(160, 160))
    return source


def test_a_folder_is_done_and_bad_files_are_listed(folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    out = tmp_path / "out"
    report = swap_media(
        folder, out, SWAPPER, MADE, progress=lambda done, total, what: seen.append((done, total))
    )
    written = sorted(str(path.relative_to(out)) for path in report.written)
    assert written == ["a-2.png", "a.png", "c.mkv", "sub/b.JPG"]
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()) == written
    reasons = {item.source.name: item.reason for item in report.skipped}
    assert reasons["dark.png"] == "no face found"
    assert "broken.jpg" in (reasons["broken.jpg"] or "")
    assert seen == [(i + 1, 6) for i in range(6)]
    for item in report.items:
        if item.out:
            assert read_provenance(item.out) == MADE.about_target(item.source)
    assert np.abs(read_image(out / "a.png")[80, 80].astype(int) - (255, 0, 0)).max() < 10
    numbers = report.numbers()
    assert (numbers["files"], numbers["written"], numbers["skipped"], numbers["frames"]) == (6, 4, 2, 5)
    assert report.model_dump(mode="json")["items"][0]["kind"] == "image"


def test_what_people_should_know_of_a_video_is_in_the_summary(folder: Path, tmp_path: Path) -> None:
    cut, rng = folder / "cut.mp4", np.random.default_rng(0)
    with VideoWriter(cut, width=160, height=160, fps=10) as writer:
        for _ in range(30):
            writer.write(rng.integers(0, 255, (160, 160, 3), np.uint8))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    report = swap_media(folder, tmp_path / "out", SWAPPER, MADE)
    assert report.numbers()["damaged"] == 1
    assert len(report.remarks) == 1
    assert str(cut) in report.remarks[0]


def test_one_file_goes_where_it_shall(folder: Path, tmp_path: Path) -> None:
    report = swap_media(folder / "a.bmp", tmp_path / "new" / "x.jpg", SWAPPER, MADE)
    assert report.written == [tmp_path / "new" / "x.jpg"]
    assert report.items[0].faces == 1
    assert swap_media(folder / "a.bmp", tmp_path / "dir", SWAPPER, MADE).written == [
        tmp_path / "dir" / "a.png"
    ]


def test_wrong_places_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds 6 files"):
        swap_media(folder, tmp_path / "x.png", SWAPPER, MADE)
    with pytest.raises(MediaError, match="can't be written as"):
        swap_media(folder / "a.png", tmp_path / "x.mp4", SWAPPER, MADE)
    with pytest.raises(MediaError):
        swap_media(tmp_path / "nowhere", tmp_path / "x", SWAPPER, MADE)


def test_room_for_the_results_is_asked_for_before_any_work(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    monkeypatch.setattr(disk, "free", lambda _: needed - 1)
    with pytest.raises(StorageError, match="The swap needs about"):
        swap_media(folder, tmp_path / "out", SWAPPER, MADE)
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(disk, "free", lambda _: needed)
    assert swap_media(folder, tmp_path / "out", SWAPPER, MADE).written


def test_no_source_is_overwritten(folder: Path) -> None:
    before = (folder / "a.png").read_bytes()
    report = swap_media(folder / "a.png", folder, SWAPPER, MADE)
    assert report.written == []
    assert "the target itself" in (report.items[0].reason or "")
    assert (folder / "a.png").read_bytes() == before


def test_cancelling_keeps_what_is_done(folder: Path, tmp_path: Path) -> None:
    answers = iter([False, False, True])
    report = swap_media(folder, tmp_path / "out", SWAPPER, MADE, cancelled=lambda: next(answers))
    assert report.cancelled
    assert len(report.items) == 2


def test_a_cancelled_folder_goes_on_with_what_is_missing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answers = iter([False, False, False, True])
    first = swap_media(folder, out, SWAPPER, MADE, cancelled=lambda: next(answers))
    assert first.cancelled
    dates = {path: path.stat().st_mtime_ns for path in first.written}
    assert len(dates) == 2
    with (out / ".swap.jsonl").open("a") as file:
        file.write('{"key": "cut off by a ki')
    write_image(
        folder / "a.png", smooth_noise(160, 160, seed=1)
    )  # became a-2.png; another picture since then
    second = swap_media(folder, out, SWAPPER, MADE)
    assert not second.cancelled
    assert len(second.written) == 4
    kept = {item.out for item in second.items if item.resumed}
    assert (
        kept == {out / "a.png"} == {path for path, date in dates.items() if path.stat().st_mtime_ns == date}
    )
    assert second.numbers()["written"] == 4
    assert not list(out.glob(".swap*"))
    assert not any(item.resumed for item in swap_media(folder, out, SWAPPER, MADE).items)


def test_another_swap_takes_nothing_over(folder: Path, tmp_path: Path) -> None:
    for change in (
        {"resume": False},
        {"swapper": Swapper(SWAPPER.network, SWAPPER.finder, SwapOptions(label=False))},
    ):
        answers = iter([False, False, False, True])
        swap_media(folder, tmp_path / "out", SWAPPER, MADE, cancelled=lambda a=answers: next(a))
        again = swap_media(
            **{"target": folder, "out": tmp_path / "out", "swapper": SWAPPER, "metadata": MADE} | change
        )
        assert not any(item.resumed for item in again.items)


def test_faces_left_alone_are_counted_by_reason(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_image(tmp_path / "in" / name, smooth_noise(160, 160))
    finder = BrightFaces(face_at(80, 80, 50), face_at(20, 20, 10), face_at(140, 20, 10))
    options = SwapOptions(label=False, colour="none", sharpen=0, max_faces=1)
    swapper = Swapper(Paint(Geometry(64, 1.5), (255, 0, 0)), finder, options)
    numbers = swap_media(tmp_path / "in", tmp_path / "out", swapper, MADE).numbers()
    assert (numbers["pictures_faces"], numbers["faces_too_small"]) == (2, 4)


def test_a_cancelled_video_says_where_its_beginning_is(folder: Path, tmp_path: Path) -> None:
    asked = iter([False, False, True])
    report = swap_media(folder / "c.mkv", tmp_path / "o.mp4", SWAPPER, MADE, cancelled=lambda: next(asked))
    assert report.cancelled
    assert "o.partial.mp4" in (report.items[0].reason or "")
    assert swap_media(folder / "c.mkv", tmp_path / "o.mp4", SWAPPER, MADE).items[0].video.resumed == 2


def test_a_video_becomes_m4v(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.m4v"
    assert swap_media(folder / "c.mkv", out, SWAPPER, MADE).written == [out]
    assert (probe(out).frames, probe(out).codec, read_provenance(out)) == (
        5,
        "h264",
        MADE.about_target(folder / "c.mkv"),
    )


class Failing(Paint):
    """Fails with one error at one call, as a network without memory does."""

    def __init__(self, error: Exception, at: int = 1) -> None:
        super().__init__(Geometry(64, 1.5), (255, 0, 0))
        self.error, self.at, self.calls = error, at, 0

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return super().__call__(crops)


@pytest.mark.parametrize("error", [ZeroDivisionError("flat"), MemoryError("no memory")])
def test_whatever_happens_to_one_file_the_others_go_on(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    swapper = Swapper(Failing(error), SWAPPER.finder, SWAPPER.options)
    report = swap_media(folder, tmp_path / "out", swapper, MADE)
    assert len(report.items) == 6
    assert len(report.written) == 3
    failed = next(item for item in report.skipped if item.source.name == "a.bmp")
    assert type(error).__name__ in (failed.reason or "")
    assert str(error) in (failed.reason or "")
    logged = [record for record in caplog.records if record.exc_info]
    assert [record.exc_info[1] for record in logged if record.exc_info] == [error]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), StorageError("disk full"), KeyError("x")])
def test_what_failed_for_now_is_all_that_the_same_swap_does_again(
    folder: Path, tmp_path: Path, error: Exception
) -> None:
    out, network = tmp_path / "out", Failing(error, at=2)
    swapper = Swapper(network, SWAPPER.finder, SWAPPER.options)
    first = swap_media(folder, out, swapper, MADE)
    assert len(first.written) == 3
    second = swap_media(folder, out, swapper, MADE)
    assert len(second.written) == 4
    assert sum(item.resumed for item in second.items) == 3
    assert not (out / ".swap.jsonl").exists(), "no face and a broken file are for good"


def test_results_in_the_targets_folder_are_no_targets(folder: Path) -> None:
    out = folder / "out"
    answers = iter([False, False, False, True])
    assert swap_media(folder, out, SWAPPER, MADE, cancelled=lambda: next(answers)).cancelled
    (folder / "x.partial.mp4").write_bytes((folder / "c.mkv").read_bytes())
    for _ in range(2):
        report = swap_media(folder, out, SWAPPER, MADE)
        assert len(report.items) == 6
        assert len(report.written) == 4
    assert not (out / "out").exists()


def test_a_journal_of_another_version_is_no_obstacle(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    answers = iter([False, False, True])
    swap_media(folder, out, SWAPPER, MADE, cancelled=lambda: next(answers))
    journal = out / ".swap.jsonl"
    journal.write_text(journal.read_text().replace('"kind": "image"', '"kind": "drawing"'))
    report = swap_media(folder, out, SWAPPER, MADE)
    assert len(report.written) == 4
    assert not any(item.resumed for item in report.items)


def test_a_journal_that_can_not_be_written_costs_no_result(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / ".swap.jsonl").mkdir(parents=True)
    answers = iter([False, False, False, True])
    report = swap_media(folder, out, SWAPPER, MADE, cancelled=lambda: next(answers))
    assert (len(report.written), len(report.items)) == (2, 3)
