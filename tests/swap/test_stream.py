from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from faceswap.errors import MediaError, NoFaceFound, UnreadableMedia
from faceswap.faces.detection import Box, Face
from faceswap.faces.geometry import Geometry
from faceswap.media.video import VideoReader, VideoWriter, probe
from faceswap.provenance.metadata import Provenance, read_provenance
from faceswap.swap.options import SwapOptions
from faceswap.swap.stream import swap_video
from faceswap.swap.swapper import Swapper
from faceswap.swap.threads import ahead
from tests.swap.fakes import KnownFaces, Paint, face_at

MADE = Provenance(reference="ada", model="face-ada", version="3", run_id="r")
OPTIONS = SwapOptions(label=False, colour="none", sharpen=0)
WIDTH, HEIGHT, FPS, FRAMES = 320, 240, 25, 30


class Blinking(KnownFaces):
    """Sees its face only in frames that are bright in the corner; the face moves with the frame's number."""

    def find(self, frame: np.ndarray, hint: Box | None = None) -> list[Face]:
        return super().find(frame, hint) if frame[:20, -20:].mean() > 60 else []


def frames(count: int = FRAMES) -> Iterator[np.ndarray]:
    for i in range(count):
        image = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
        image[:20, -20:] = 20 if i % 3 == 2 else 200
        image[-40:] = 4 * i
        yield image


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a bit with a tone; every third frame has no face."""
    folder = tmp_path_factory.mktemp("clip")
    sound = folder / "tone.mkv"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        for start in range(0, 32000, 1024):
            wave = np.sin(np.arange(start, start + 1024) * 0.1).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    path = folder / "clip.mp4"
    with VideoWriter(path, width=WIDTH, height=HEIGHT, fps=FPS, audio_from=sound) as writer:
        for image in frames():
            writer.write(image)
    return path


def swapper(*faces: Face, **more: object) -> Swapper:
    return Swapper(
        Paint(Geometry(64, 1.5), (255, 0, 0)), Blinking(*(faces or (face_at(160, 100, 60),))), OPTIONS, **more
    )


def red(image: np.ndarray, x: int = 160) -> bool:
    return bool(image[100, x, 0] > 200 and image[100, x, 1] < 60)


def test_video_keeps_frames_size_rate_and_sound(clip: Path, tmp_path: Path) -> None:
    out, seen = tmp_path / "out.mp4", []
    report = swap_video(
        clip, out, swapper(), MADE, progress=lambda done, total, what: seen.append((done, total))
    )
    assert (report.frames, report.swapped, report.without_face) == (FRAMES, 20, 10)
    assert report.damage is None
    assert report.fps > 0
    assert seen == [(i + 1, FRAMES) for i in range(FRAMES)]
    before, after = probe(clip), probe(out)
    assert (after.width, after.height, after.fps, after.has_audio) == (WIDTH, HEIGHT, Fraction(FPS), True)
    assert after.duration == pytest.approx(before.duration, abs=0.1)
    assert read_provenance(out) == MADE
    with VideoReader(out) as reader:
        images = [frame.image for frame in reader.frames()]
    assert [red(image) for image in images] == [i % 3 != 2 for i in range(FRAMES)]
    # the order of the frames: the grey at the bottom rises
    assert np.abs(np.array([image[-20, 160, 0] for image in images], float) - 4 * np.arange(FRAMES)).max() < 6


def test_a_part_of_the_video(clip: Path, tmp_path: Path) -> None:
    totals = []
    report = swap_video(
        clip,
        tmp_path / "o.mp4",
        swapper(),
        MADE,
        start=0.4,
        end=0.8,
        progress=lambda d, t, w: totals.append(t),
    )
    assert report.frames == 10
    assert totals[0] == pytest.approx(10, abs=1)
    assert probe(tmp_path / "o.mp4").duration == pytest.approx(0.4, abs=0.1)


def test_a_damaged_video_ends_early_and_says_so(clip: Path, tmp_path: Path) -> None:
    # The writer puts the index first, so that the file can be read without its end.
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    with VideoWriter(whole, width=WIDTH, height=HEIGHT, fps=FPS) as writer:
        rng = np.random.default_rng(0)
        for image in frames(60):
            image[120:] = rng.integers(0, 255, (120, WIDTH, 3))
            writer.write(image)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    report = swap_video(cut, tmp_path / "o.mp4", swapper(), MADE)
    assert 5 < report.frames < 60
    assert report.damage is not None
    assert "cut.mp4" in report.damage
    assert report.out is not None
    assert probe(report.out).frames == report.frames


def test_nothing_is_left_where_nothing_was_swapped(clip: Path, tmp_path: Path) -> None:
    blind = Swapper(Paint(Geometry(64, 1.5), (255, 0, 0)), KnownFaces(), OPTIONS)
    with pytest.raises(NoFaceFound, match="30 without a face"):
        swap_video(clip, tmp_path / "o.mp4", blind, MADE)
    small = swapper(face_at(160, 100, 6))
    with pytest.raises(NoFaceFound, match="20 faces too small"):
        swap_video(clip, tmp_path / "o.mp4", small, MADE)
    assert list(tmp_path.iterdir()) == []


def test_cancelling_stops_and_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    asked = iter([False] * 5 + [True])
    report = swap_video(clip, tmp_path / "o.mp4", swapper(), MADE, cancelled=lambda: next(asked))
    assert (report.cancelled, report.out, report.frames) == (True, None, 6)
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_the_network_arrives_and_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    class Broken(Paint):
        def __call__(self, crops: np.ndarray) -> np.ndarray:
            raise MemoryError("no memory left")

    broken = Swapper(Broken(Geometry(64, 1.5), (0, 0, 0)), KnownFaces(face_at(160, 100, 60)), OPTIONS)
    with pytest.raises(MemoryError, match="no memory left"):
        swap_video(clip, tmp_path / "o.mp4", broken, MADE)
    assert list(tmp_path.iterdir()) == []


def test_source_and_result_must_differ(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="the target itself"):
        swap_video(clip, clip, swapper(), MADE)
    with pytest.raises(UnreadableMedia):
        text = tmp_path / "text.mp4"
        text.write_text("no video")
        swap_video(text, tmp_path / "o.mp4", swapper(), MADE)


def test_the_chosen_person_is_embedded_once_a_second_not_once_a_frame(clip: Path, tmp_path: Path) -> None:
    one = swapper(face_at(80, 100, 50), face_at(240, 100, 50))
    finder = one.finder
    assert isinstance(finder, Blinking)
    one.match = finder.embed(np.zeros((9, 9, 3), np.uint8), finder.faces[1].landmarks)
    finder.embedded = 0
    report = swap_video(clip, tmp_path / "o.mp4", one, MADE)
    assert report.skipped == {"another person": 20}
    assert finder.embedded == 4  # two faces, at 0 s and at 1 s of 1.2 s
    with VideoReader(tmp_path / "o.mp4") as reader:
        first = next(iter(reader.frames())).image
    assert (red(first, 80), red(first, 240)) == (False, True)


def test_a_lone_face_is_looked_for_nearby_and_the_whole_frame_now_and_then(
    clip: Path, tmp_path: Path
) -> None:
    lone = Swapper(Paint(Geometry(64, 1.5), (255, 0, 0)), KnownFaces(face_at(160, 100, 60)), OPTIONS)
    swap_video(clip, tmp_path / "o.mp4", lone, MADE)
    assert isinstance(lone.finder, KnownFaces)
    whole = [i for i, hint in enumerate(lone.finder.hints) if hint is None]
    assert whole == [0, 10, 20]
    two = swapper(face_at(80, 100, 50), face_at(240, 100, 50))
    swap_video(clip, tmp_path / "o.mp4", two, MADE)
    assert isinstance(two.finder, KnownFaces)
    assert set(two.finder.hints) == {None}


def test_ahead_keeps_order_passes_errors_on_and_can_be_left() -> None:
    assert list(ahead(range(20))) == list(range(20))
    assert list(ahead([])) == []

    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("late")

    items = ahead(failing())
    assert next(items) == 1
    with pytest.raises(ValueError, match="late"):
        next(items)
    taken: list[int] = []

    def counting() -> Iterator[int]:
        for i in range(1000):
            taken.append(i)
            yield i

    left = ahead(counting(), 4)
    next(left)
    left.close()
    assert len(taken) < 10
