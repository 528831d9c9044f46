"""HDR and wide video, encoded here, against the standards' formulas."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.media.video.reading import VideoReader

BT2020, PQ, HLG, SDR = 9, 16, 18, 14
# linear light with the primaries of BT.709 as BT.2020, from ITU-R BT.2087
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
WHITE = 203.0
"""cd/m² of white paper, ITU-R BT.2408."""


def pq(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084."""
    y = (nits / 10_000) ** (2610 / 16384)
    return np.asarray(((3424 + 2413 * 32 * y) / (4096 + 2392 * 32 * y)) ** (2523 / 32))


def hlg(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100 for a display of 1000 cd/m²."""
    brightness = nits @ [0.2627, 0.6780, 0.0593] / 1000
    scene = nits / 1000 * brightness ** (1 / 1.2 - 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def wide_video(path: Path, rgb: NDArray[np.float64], transfer: int) -> Path:
    """One colour, R'G'B' of BT.2020 in 0..1, in ten bits without loss."""
    luma = float(rgb @ [0.2627, 0.6780, 0.0593])
    values = (64 + 876 * luma, 512 + 896 * (rgb[2] - luma) / 1.8814, 512 + 896 * (rgb[0] - luma) / 1.4746)
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    for plane, value in zip(frame.planes, values, strict=True):
        plane.update(np.full(plane.buffer_size // 2, round(value), np.uint16).tobytes())
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc = BT2020, transfer
        context.colorspace, context.color_range = BT2020, 1
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(("name", "curve", "transfer"), [("pq", pq, PQ), ("hlg", hlg, HLG)])
def test_hdr_is_read_as_a_display_of_bt709_shows_it(
    tmp_path: Path, name: str, curve: Any, transfer: int
) -> None:
    skin = np.array([110.0, 60, 45])
    path = wide_video(tmp_path / f"{name}.mkv", curve(TO_2020 @ skin), transfer)
    with VideoReader(path) as reader:
        assert reader.info.hdr
        found = next(iter(reader.frames())).image[24, 32]
    np.testing.assert_allclose(found, 255 * (skin / WHITE) ** (1 / 2.4), atol=3)


def test_lights_brighter_than_paper_are_white(tmp_path: Path) -> None:
    with VideoReader(wide_video(tmp_path / "a.mkv", pq(np.full(3, 1000.0)), PQ)) as reader:
        assert (next(iter(reader.frames())).image == 255).all()


def test_wide_colours_without_hdr_get_the_primaries_of_bt709(tmp_path: Path) -> None:
    skin = np.array([0.45, 0.2, 0.15])
    with VideoReader(wide_video(tmp_path / "a.mkv", (TO_2020 @ skin) ** (1 / 2.4), SDR)) as reader:
        assert not reader.info.hdr
        found = next(iter(reader.frames())).image[24, 32]
    np.testing.assert_allclose(found, 255 * skin ** (1 / 2.4), atol=3)
