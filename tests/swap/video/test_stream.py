"""What a swapped video keeps of its source, and what it says."""

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from faceswap.errors import MediaError, UnreadableMedia
from faceswap.faces.geometry import Geometry
from faceswap.media.video.orientation import Orientation
from faceswap.media.video.reading import VideoReader, VideoWriter, probe
from faceswap.provenance.metadata import read_provenance
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import swap_video
from tests.media.videos import add_sound, audio_seconds, beeps, unknown_sound, write_sound
from tests.swap.fakes import KnownFaces, Paint, face_at
from tests.swap.video.streams import (
    FPS,
    FRAMES,
    HEIGHT,
    MADE,
    OPTIONS,
    WIDTH,
    Blinking,
    frames,
    red,
    stop_after,
    swapper,
)


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
    assert read_provenance(out) == MADE.about_target(clip)
    with VideoReader(out) as reader:
        images = [frame.image for frame in reader.frames()]
    assert [red(image) for image in images] == [i % 3 != 2 for i in range(FRAMES)]
    # the order of the frames: the grey at the bottom rises
    assert np.abs(np.array([image[-20, 160, 0] for image in images], float) - 4 * np.arange(FRAMES)).max() < 6


def test_full_range_stays_full_range(tmp_path: Path) -> None:
    source, out = tmp_path / "full.mp4", tmp_path / "o.mp4"
    with VideoWriter(source, width=WIDTH, height=HEIGHT, fps=FPS, full_range=True) as writer:
        for image in frames(5):
            writer.write(image)
    swap_video(source, out, swapper(), MADE)
    assert probe(out).full_range
    with VideoReader(source) as a, VideoReader(out) as b:
        for x, y in zip(a.frames(), b.frames(), strict=True):
            np.testing.assert_allclose(y.image[220:].mean(), x.image[220:].mean(), atol=2)


def test_sound_and_colours_that_can_not_be_kept_are_reported(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "silent.mp4"
    silent.write_bytes(clip.read_bytes())
    unknown_sound(silent)
    report = swap_video(silent, tmp_path / "o.mp4", swapper(), MADE)
    assert (report.frames, probe(tmp_path / "o.mp4").has_audio) == (FRAMES, False)
    assert "silent.mp4 is in a format that is not known" in (report.damage or "")
    stopped = swap_video(silent, tmp_path / "o.mp4", swapper(), MADE, cancelled=stop_after(5))
    assert "not known" in (stopped.damage or "")
    monkeypatch.setattr("faceswap.media.video.info.is_hdr", lambda frame: True)
    report = swap_video(clip, tmp_path / "hdr.mp4", swapper(), MADE)
    assert report.damage is None  # nothing is wrong with it
    assert len(report.remarks) == 1
    assert "clip.mp4 is HDR" in report.remarks[0]


@pytest.mark.parametrize("rotation", [90, 180])
def test_the_rotation_stays_a_flag_and_the_picture_upright(tmp_path: Path, rotation: int) -> None:
    source, out = tmp_path / "turned.mp4", tmp_path / "o.mp4"
    with VideoWriter(
        source, width=WIDTH, height=HEIGHT, fps=FPS, orientation=Orientation(rotation)
    ) as writer:
        for image in frames(5):
            writer.write(image)
    assert swap_video(source, out, swapper(), MADE).swapped
    before, after = probe(source), probe(out)
    assert (after.width, after.height, after.orientation) == (WIDTH, HEIGHT, Orientation(rotation))
    assert before.orientation == Orientation(rotation)
    with VideoReader(source) as a, VideoReader(out) as b:
        for x, y in zip(a.frames(), b.frames(), strict=True):
            np.testing.assert_allclose(y.image[220:].mean(), x.image[220:].mean(), atol=2)


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


def test_the_progress_tells_the_speed(clip: Path, tmp_path: Path) -> None:
    told: list[str] = []
    swap_video(
        clip, tmp_path / "o.mp4", swapper(), MADE, progress=lambda done, total, what: told.append(what)
    )
    assert re.fullmatch(r"[0-9.]+ frames/s, clip\.mp4", told[5])


def test_variable_frame_times_are_kept_over_several_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceswap.swap.video.chunks.SECONDS", 0.3)
    times = np.cumsum([0, *([0.04, 0.04, 0.2, 0.033, 0.01] * 6)][:-1])
    source = tmp_path / "vfr.mp4"
    with VideoWriter(source, width=WIDTH, height=HEIGHT, fps=FPS) as writer:
        for image, time in zip(frames(len(times)), times, strict=True):
            writer.write(image, float(time))
    swap_video(source, tmp_path / "o.mp4", swapper(), MADE)
    with VideoReader(tmp_path / "o.mp4") as reader:
        found = list(reader.frames())
    assert [frame.time for frame in found] == pytest.approx(times.tolist(), abs=2e-4)
    assert [red(frame.image) for frame in found] == [i % 3 != 2 for i in range(len(times))]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_plays_after_the_last_frame_begins_is_kept(tmp_path: Path, suffix: str) -> None:
    source, sound = tmp_path / "held.mp4", tmp_path / "sound.mkv"
    with av.open(str(sound), "w") as container:
        write_sound(container, add_sound(container), beeps(5.0))
    with VideoWriter(source, width=WIDTH, height=HEIGHT, fps=FPS, audio_from=sound, audio_end=5.0) as writer:
        for number, image in enumerate(frames(11)):
            writer.write(image, number / FPS, 2.6 if number == 10 else None)
        writer._sound_end = None
        writer._mux_sound(5.0)
    assert probe(source).duration == pytest.approx(3.0, abs=1e-3)
    out = tmp_path / f"o{suffix}"
    report = swap_video(source, out, swapper(), MADE)
    assert (report.frames, report.remarks) == (11, [])
    with VideoReader(out) as reader:
        last = list(reader.frames())[-1]
        assert reader.damage is None
        assert reader.info.fps == FPS
    assert (last.time, last.duration) == (pytest.approx(0.4, abs=1e-3), pytest.approx(2.6, abs=1e-3))
    assert audio_seconds(out) == pytest.approx(audio_seconds(source), abs=0.15)  # two packets
    assert audio_seconds(out) == pytest.approx(5.0, abs=0.15)  # Matroska keeps two more packets of 64 ms
    swap_video(source, out, swapper(), MADE, end=2.0)
    assert probe(out).duration == pytest.approx(2.0, abs=2e-3)
    assert audio_seconds(out) == pytest.approx(2.0, abs=0.15)
    stopped = swap_video(source, out, swapper(), MADE, cancelled=stop_after(5))
    assert stopped.partial is not None
    assert audio_seconds(stopped.partial) == pytest.approx(0.2, abs=0.15)


@pytest.mark.parametrize("orientation", [Orientation(0, True), Orientation(90, True)], ids=str)
def test_a_mirror_stays_a_flag_and_the_face_where_it_is_seen(
    tmp_path: Path, orientation: Orientation
) -> None:
    source, out = tmp_path / "mirrored.mp4", tmp_path / "o.mkv"
    with VideoWriter(source, width=WIDTH, height=HEIGHT, fps=FPS, orientation=orientation) as writer:
        for image in frames(4):
            writer.write(image)
    assert swap_video(source, out, swapper(face_at(80, 100, 60)), MADE).swapped == 3
    with VideoReader(out) as reader:
        assert reader.info.orientation == orientation
        first = next(iter(reader.frames())).image
    assert (red(first, 80), red(first, 240)) == (True, False)


def test_what_can_not_be_kept_is_said(tmp_path: Path) -> None:
    source = tmp_path / "deep.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuva444p10le"
        track = add_sound(container, "flac")
        for image in frames(4):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuva444p10le")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        write_sound(container, track, beeps(0.2))
    report = swap_video(source, tmp_path / "o.mp4", swapper(), MADE)
    assert report.remarks == [
        f"{source} has 10 bits a colour, written with 8",
        f"{source} is transparent in parts, the result is opaque",
        f"{source} stores a colour for every pixel (4:4:4), the result one for every four (4:2:0)",
        f"the sound of {source} (flac) is encoded as AAC, .mp4 can't hold it",
    ]


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
