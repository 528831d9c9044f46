from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from faceswap.errors import UnreadableMedia
from faceswap.media.video import VideoReader, VideoWriter, probe
from faceswap.provenance.metadata import Provenance, read_provenance
from tests.media.videos import audio_seconds, make_video


def test_probe_and_frames(tmp_path: Path) -> None:
    info = probe(make_video(tmp_path / "a.mp4", sound=True))
    assert (info.width, info.height, info.fps, info.frames, info.has_audio) == (64, 48, 25, 50, True)
    with VideoReader(tmp_path / "a.mp4") as reader:
        frames = list(reader.frames())
    assert [f.index for f in frames] == list(range(50))
    np.testing.assert_allclose([f.time for f in frames], np.arange(50) / 25, atol=1e-3)
    np.testing.assert_allclose([f.image.mean() for f in frames], 4 * np.arange(50), atol=3)
    assert reader.damage is None


def test_every_nth_and_a_time_range(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4")
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert [f.index for f in reader.frames(every=5, start=0.4, end=1.2)] == [10, 15, 20, 25]


def test_seeking_keeps_the_frames_numbers(tmp_path: Path) -> None:
    make_video(tmp_path / "long.mp4", frames=250)
    with VideoReader(tmp_path / "long.mp4") as reader:
        assert [f.index for f in reader.frames(start=8.0, end=8.2)] == [200, 201, 202, 203, 204]


def test_rotation_flag_is_applied(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4")
    half = np.zeros((48, 64, 3), np.uint8)
    half[:, :32] = 255
    with VideoWriter(tmp_path / "plain.mp4", width=64, height=48, fps=25) as writer:
        for _ in range(5):
            writer.write(half)
    with av.open(str(tmp_path / "plain.mp4")) as source, av.open(str(tmp_path / "turned.mp4"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90) if hasattr(stream, "set_display_rotation") else pytest.skip(
            "PyAV can't"
        )
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with VideoReader(tmp_path / "turned.mp4") as reader:
        frame = next(reader.frames())
    assert frame.image.shape == (64, 48, 3)


def test_truncated_video_gives_what_can_be_read(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4", frames=100, size=(160, 120)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(len(whole) * 0.7)])
    with VideoReader(tmp_path / "cut.mp4") as reader:
        count = len(list(reader.frames()))
    assert 0 < count < 100
    assert reader.damage is not None
    assert "cut.mp4" in reader.damage


def test_undecodable_files_are_named(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4", faststart=False).read_bytes()
    (tmp_path / "noindex.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.mp4").write_text("no video")
    for name in ("noindex.mp4", "text.mp4", "missing.mp4"):
        with pytest.raises(UnreadableMedia, match=name):
            probe(tmp_path / name)


@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_written_frames_come_back_in_size_rate_and_colour(tmp_path: Path, size: tuple[int, int]) -> None:
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    with VideoWriter(tmp_path / "a.mp4", width=size[0], height=size[1], fps=Fraction(30_000, 1001)) as writer:
        for colour in colours * 5:
            writer.write(np.full((size[1], size[0], 3), colour, np.uint8))
    info = probe(tmp_path / "a.mp4")
    assert (info.width, info.height) == size
    assert float(info.fps) == pytest.approx(29.97, abs=0.01)
    with VideoReader(tmp_path / "a.mp4") as reader:
        for frame, colour in zip(reader.frames(), colours * 5, strict=True):
            np.testing.assert_allclose(frame.image.mean((0, 1)), colour, atol=6)


def test_variable_frame_times_survive(tmp_path: Path) -> None:
    times = [0, 0.04, 0.2, 0.24, 0.5]
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25) as writer:
        for time in times:
            writer.write(np.zeros((48, 64, 3), np.uint8), time)
    with VideoReader(tmp_path / "a.mp4") as reader:
        np.testing.assert_allclose([f.time for f in reader.frames()], times, atol=1e-3)


@pytest.mark.parametrize(("start", "frames", "expected"), [(0.0, 50, 2.0), (1.0, 25, 1.0)])
def test_sound_is_kept_and_cut(tmp_path: Path, start: float, frames: int, expected: float) -> None:
    source = make_video(tmp_path / "source.mp4", sound=True)
    with VideoWriter(
        tmp_path / "a.mp4", width=64, height=48, fps=25, audio_from=source, audio_start=start
    ) as writer:
        for _ in range(frames):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    assert audio_seconds(tmp_path / "a.mp4") == pytest.approx(expected, abs=0.15)


def test_an_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_metadata_survives_a_remux(tmp_path: Path) -> None:
    origin = Provenance("ada", "face-ada", "3", "run", {"text": 'quote " < & é 名'})
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25, metadata=origin) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    assert read_provenance(tmp_path / "a.mp4") == origin
    with av.open(str(tmp_path / "a.mp4")) as source, av.open(str(tmp_path / "b.mp4"), "w") as target:
        target.metadata.update(source.metadata)
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert read_provenance(tmp_path / "b.mp4") == origin
