"""A batch swap in pieces that others do, here by this process: the results are those of one machine."""

import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

import numpy as np
import pytest

from faceswap.errors import ClusterError, ConsentError, NoFaceFound
from faceswap.faces.geometry import Geometry
from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import VideoReader, VideoWriter, probe
from faceswap.provenance import content_credentials
from faceswap.provenance.metadata import read_provenance
from faceswap.swap.batch.media_swap import swap_media
from faceswap.swap.batch.pieces import Piece, Result, VideoSpan, work_on
from faceswap.swap.batch.reports import SwapReport
from faceswap.swap.batch.spread import Crew
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.media.videos import audio_seconds
from tests.swap.batch.test_media_swap import MADE, SWAPPER
from tests.swap.fakes import KnownFaces, Paint, smooth_noise
from tests.swap.video.streams import FRAMES, swapper


def crew(
    one: Swapper,
    before: Callable[[int, Piece], object] = lambda number, piece: None,
    order: Callable[[list[Piece]], list[Piece]] = lambda pieces: pieces[::-1],
) -> Crew:
    """Does all pieces in this process, the last one first, and calls ``before`` with the number and the piece."""

    def do(pieces: Iterable[Piece]) -> Generator[tuple[Piece, Result], None, None]:
        for number, piece in enumerate(order(list(pieces))):
            before(number, piece)
            yield piece, work_on(piece, one, MADE, lambda: False)

    return do


def images(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        return [frame.image for frame in reader.frames()]


def assert_same(one: Path, other: Path) -> None:
    for a, b in zip(images(one), images(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three spans in the clip of 1.2 s."""
    for module in ("chunks", "spans"):
        monkeypatch.setattr(f"faceswap.swap.video.{module}.SECONDS", 0.4)


def without_times(report: SwapReport) -> list[object]:
    """What is said of each file, but for where it is and how long it took."""
    items = []
    for item in report.items:
        said = item.model_dump(exclude={"out": True, "video": {"out", "seconds"}})
        items.append((item.out and item.out.name, said))
    return items


def test_a_folder_becomes_what_one_machine_makes_of_it(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for name in ("a.png", "a.bmp", "sub/b.JPG", "10.png", "9.png"):
        write_image(source / name, smooth_noise(160, 160))
    write_image(source / "dark.png", np.zeros((160, 160, 3), np.uint8))
    (source / "broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    with VideoWriter(source / "c.mkv", width=160, height=160, fps=10) as writer:
        for _ in range(5):
            writer.write(smooth_noise(160, 160))
    (source / "empty.mp4").write_bytes(b"no video")
    here, there = tmp_path / "here", tmp_path / "there"
    told: list[tuple[int, int | None]] = []
    alone = swap_media(source, here, SWAPPER, MADE)
    spread = swap_media(
        source, there, SWAPPER, MADE, crew=crew(SWAPPER), progress=lambda d, t, w: told.append((d, t))
    )
    assert without_times(spread) == without_times(alone)
    assert [path.relative_to(there) for path in spread.written] == [
        path.relative_to(here) for path in alone.written
    ]
    assert told == [(i + 1, 9) for i in range(9)]
    assert {item.source.name for item in spread.skipped} == {"dark.png", "broken.jpg", "empty.mp4"}
    for item in spread.items:
        if item.out is None:
            continue
        assert read_provenance(item.out) == MADE.about_target(item.source)
        same = here / item.out.relative_to(there)
        if item.kind == "image":
            np.testing.assert_array_equal(read_image(item.out), read_image(same))
            assert content_credentials.read(item.out), "it is signed, here"
        else:
            assert len(images(item.out)) == len(images(same)) == 5
    assert not list(there.rglob(".*")), "nothing is left of the work"


@pytest.mark.usefixtures("short_parts")
def test_a_video_of_spans_is_the_video_of_one_pass(clip: Path, tmp_path: Path) -> None:
    """The fake finder knows no time, so that what is at stake is the cutting: no frame is lost, doubled or moved."""
    told: list[tuple[int, int | None]] = []
    out, alone = tmp_path / "o.mp4", tmp_path / "alone.mp4"
    done: list[Piece] = []
    report = swap_media(
        clip,
        out,
        swapper(),
        MADE,
        crew=crew(swapper(), lambda number, piece: done.append(piece)),
        progress=lambda d, t, w: told.append((d, t)),
    )
    before = swap_media(clip, alone, swapper(), MADE)
    assert len(done) == 3
    assert told == [(10, FRAMES), (20, FRAMES), (30, FRAMES)]
    assert without_times(report)[0][1] == without_times(before)[0][1]  # type: ignore[index]
    found, expected = images(out), images(alone)
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(found, expected, strict=True)) < 0.5
    assert probe(out).fps == probe(alone).fps
    assert probe(out).duration == probe(alone).duration
    assert audio_seconds(out) == pytest.approx(audio_seconds(alone), abs=1e-6)
    assert read_provenance(out) == MADE.about_target(clip)
    assert content_credentials.read(out)


@pytest.mark.usefixtures("short_parts")
@pytest.mark.parametrize("order", [lambda p: p, lambda p: p[::-1]], ids=["forwards", "backwards"])
def test_what_was_done_before_an_interruption_is_not_done_again(
    clip: Path, tmp_path: Path, order: Callable[[list[Piece]], list[Piece]]
) -> None:
    whole, out = tmp_path / "whole.mp4", tmp_path / "o.mp4"
    swap_media(clip, whole, swapper(), MADE, crew=crew(swapper()))

    def interrupt(number: int, piece: Piece) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swap_media(clip, out, swapper(), MADE, crew=crew(swapper(), interrupt, order))
    done: list[Piece] = []
    report = swap_media(
        clip, out, swapper(), MADE, crew=crew(swapper(), lambda number, piece: done.append(piece))
    )
    assert len(done) == 1
    assert report.items[0].video is not None
    assert (report.items[0].video.resumed, report.items[0].video.frames) == (20, FRAMES)
    assert_same(out, whole)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["o.mp4", "whole.mp4"]


@pytest.mark.usefixtures("short_parts")
def test_one_machine_goes_on_with_what_many_began_and_they_with_what_it_did(
    clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.mp4"
    asked = iter([False, False, True])
    report = swap_media(
        clip,
        out,
        swapper(),
        MADE,
        crew=crew(swapper(), order=lambda p: p),
        cancelled=lambda: next(asked),
    )
    assert (report.cancelled, report.written) == (True, [])
    assert probe(tmp_path / "o.partial.mp4").frames == 20
    on = swap_media(clip, out, swapper(), MADE).items[0].video
    assert on is not None and (on.resumed, on.frames, on.swapped, on.without_face) == (20, FRAMES, 20, 10)

    asked = iter([False] * 13 + [True])
    swap_media(clip, out, swapper(), MADE, cancelled=lambda: next(asked))
    on = swap_media(clip, out, swapper(), MADE, crew=crew(swapper())).items[0].video
    assert on is not None and (on.resumed, on.frames, on.swapped, on.without_face) == (13, FRAMES, 20, 10)
    assert len(images(out)) == FRAMES


@pytest.mark.usefixtures("short_parts")
def test_a_damaged_span_is_done_again(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.mp4"

    def interrupt(number: int, piece: Piece) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swap_media(clip, out, swapper(), MADE, crew=crew(swapper(), interrupt))
    kept = sorted((tmp_path / ".o.mp4.parts").glob("at-*.mp4"))
    assert len(kept) == 2
    kept[0].write_bytes(kept[0].read_bytes()[:-1])
    done: list[Piece] = []
    swap_media(clip, out, swapper(), MADE, crew=crew(swapper(), lambda number, piece: done.append(piece)))
    assert len(done) == 2
    assert len(images(out)) == FRAMES


@pytest.mark.usefixtures("short_parts")
def test_nothing_stays_of_who_withdraws_and_all_of_who_only_lost_the_workers(
    clip: Path, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    for name in ("1.mp4", "2.mp4"):
        source.mkdir(exist_ok=True)
        shutil.copy(clip, source / name)

    def fail(error: Exception, when: int) -> Callable[[int, Piece], None]:
        def before(number: int, piece: Piece) -> None:
            if number == when:
                raise error

        return before

    with pytest.raises(ClusterError):
        swap_media(
            source, out, swapper(), MADE, crew=crew(swapper(), fail(ClusterError("lost"), 5), lambda p: p)
        )
    assert [path.name for path in out.iterdir() if not path.name.startswith(".")] == ["1.mp4"]
    done: list[Piece] = []
    report = swap_media(
        source, out, swapper(), MADE, crew=crew(swapper(), lambda number, piece: done.append(piece))
    )
    assert [piece.target.result for piece in done if isinstance(piece, VideoSpan)] == ["2.mp4"]
    assert [item.resumed for item in report.items] == [True, False]
    shutil.rmtree(out)
    with pytest.raises(ConsentError):
        swap_media(source, out, swapper(), MADE, crew=crew(swapper(), fail(ConsentError("withdrawn"), 2)))
    assert not [path for path in out.rglob("*") if path.suffix == ".mp4"]


def test_a_video_without_a_face_is_told_and_nothing_is_left(clip: Path, tmp_path: Path) -> None:
    blind = Swapper(Paint(Geometry(64, 1.5), (255, 0, 0)), KnownFaces(), SwapOptions(label=False))
    report = swap_media(clip, tmp_path / "o.mp4", blind, MADE, crew=crew(blind))
    with pytest.raises(NoFaceFound) as told:
        from faceswap.swap.video.stream import swap_video

        swap_video(clip, tmp_path / "o.mp4", blind, MADE)
    assert report.items[0].reason == str(told.value)
    assert [path for path in tmp_path.iterdir() if path.name != "home"] == []


def test_a_file_that_is_another_one_there_stops_the_work(clip: Path, tmp_path: Path) -> None:
    def grow(number: int, piece: Piece) -> None:
        with (tmp_path / "c.mp4").open("ab") as file:
            file.write(b"\0")

    shutil.copy(clip, tmp_path / "c.mp4")
    with pytest.raises(ClusterError, match="another file"):
        swap_media(tmp_path / "c.mp4", tmp_path / "o.mp4", swapper(), MADE, crew=crew(swapper(), grow))
