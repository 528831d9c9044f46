from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from faceswap.media.video.reading import VideoReader
from tests.media.videos import make_video


def bar(at: int) -> np.ndarray:
    """(64, 96) grey with a white bar."""
    image = np.full((64, 96), 60, np.uint8)
    image[:, at : at + 12] = 220
    return image


def interlaced(path: Path, frames: int = 12) -> Path:
    """MPEG-2; a bar moves 4 px from field to field, the even lines come first."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.flags |= 0x20040000  # interlaced_dct, interlaced_me
        stream.options = {"qscale": "1", "global_quality": "118"}
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=96, height=64, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, 25)
        )
        graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink"))
        graph.configure()
        for number in range(frames):
            woven = bar(8 * number % 80)
            woven[1::2] = bar((8 * number + 4) % 80)[1::2]
            frame = av.VideoFrame.from_ndarray(np.stack([woven] * 3, 2), format="rgb24").reformat(
                format="yuv420p"
            )
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.vpush(frame)
            container.mux(stream.encode(graph.vpull()))
        container.mux(stream.encode())
    return path


def combs(image: np.ndarray) -> float:
    """Mean difference of a line from the mean of its neighbours."""
    grey = image.astype(float).mean(2)
    return float(np.abs(2 * grey[1:-1] - grey[:-2] - grey[2:]).mean())


@pytest.mark.parametrize("suffix", [".mpg", ".ts", ".mkv"])
def test_interlaced_frames_are_read_without_combs(tmp_path: Path, suffix: str) -> None:
    path = interlaced(tmp_path / f"a{suffix}")
    with av.open(str(path)) as container:
        stored = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with VideoReader(path) as reader:
        assert reader.info.interlaced
        frames = list(reader.frames())
        assert reader.converted == [f"{path} is interlaced, written deinterlaced"]
        assert reader.damage is None
    assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(12)], abs=2e-3)
    assert [frame.duration for frame in frames] == pytest.approx([0.04] * 12, abs=2e-3)
    assert combs(stored[5]) > 10
    for number, frame in enumerate(frames[1:-1], start=1):
        assert combs(frame.image) < 0.3 * combs(stored[number])
        # the bar lies where the first field has it
        row = frame.image[32].mean(1)
        assert np.flatnonzero(row > 140).mean() == pytest.approx(8 * number % 80 + 5.5, abs=2)


def test_progressive_frames_stay_as_they_are(tmp_path: Path) -> None:
    with VideoReader(make_video(tmp_path / "a.mp4", 5)) as reader:
        assert not reader.info.interlaced
        list(reader.frames())
        assert reader.converted == []
