from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from faceswap.media.video.joining import Part, join_videos
from faceswap.media.video.reading import VideoReader, VideoWriter, probe
from tests.media.videos import make_video


def recorded(path: Path, times: list[float], options: dict[str, str] | None = None) -> Path:
    """WebM without a frame rate, times in whole milliseconds, as browsers record."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream: Any = container.add_stream("libvpx")
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        stream.codec_context.framerate = Fraction(0)
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            image = np.full((32, 32, 3), 5 * number % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def default_duration(path: Path) -> int:
    """Nanoseconds of a frame as Matroska's header says (DefaultDuration, ID 23E383)."""
    data = path.read_bytes()
    at = data.index(b"\x23\xe3\x83") + 3
    return int.from_bytes(data[at + 1 : at + 1 + (data[at] & 0x7F)], "big")


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30_000, 1001), Fraction(60)])
def test_without_a_rate_in_the_header_the_packets_tell_it(tmp_path: Path, rate: Fraction) -> None:
    path = recorded(tmp_path / "a.webm", [i / float(rate) for i in range(120)])
    assert probe(path).fps == rate


def test_pauses_and_jitter_are_no_rate(tmp_path: Path) -> None:
    gaps = np.random.default_rng(0).uniform(0.035, 0.045, 60)
    gaps[[10, 30]] = 2.0
    path = recorded(tmp_path / "a.webm", np.cumsum(gaps).tolist())
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate is None
        assert container.streams.video[0].guessed_rate == 1000
    assert float(probe(path).fps) == pytest.approx(25, rel=0.05)
    assert probe(make_video(tmp_path / "b.mp4", 30, times=[*(i / 25 for i in range(29)), 9.0])).fps == 25


def test_one_frame_has_a_usual_rate(tmp_path: Path) -> None:
    assert probe(recorded(tmp_path / "a.webm", [0.0])).fps == 25


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24_000, 1001), Fraction(50)])
def test_matroska_names_the_frame_rate(tmp_path: Path, rate: Fraction) -> None:
    with VideoWriter(tmp_path / "a.mkv", width=32, height=32, fps=rate) as writer:
        for _ in range(5):
            writer.write(np.zeros((32, 32, 3), np.uint8))
    with VideoWriter(tmp_path / "part.mp4", width=32, height=32, fps=rate) as writer:
        for _ in range(5):
            writer.write(np.zeros((32, 32, 3), np.uint8))
    join_videos([Part(tmp_path / "part.mp4", 0.0)], tmp_path / "b.mkv", fps=rate)
    for name in ("a.mkv", "b.mkv"):
        assert default_duration(tmp_path / name) == pytest.approx(1e9 / float(rate), abs=1)
        assert probe(tmp_path / name).fps == rate


def test_times_are_those_of_the_packets_whatever_the_header_says(tmp_path: Path) -> None:
    times = [i / 25 for i in range(250)]
    with VideoReader(recorded(tmp_path / "a.webm", times, {"live": "1"})) as reader:
        assert [f.time for f in reader.frames()] == pytest.approx(times, abs=1e-3)
        assert len(list(reader.frames(end=2.0))) == 50
        assert [f.index for f in reader.frames(start=8.0, end=8.2)] == [200, 201, 202, 203, 204]
