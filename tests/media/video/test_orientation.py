from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest

from faceswap.media.video.joining import Part, join_videos
from faceswap.media.video.orientation import Orientation
from faceswap.media.video.reading import VideoReader, VideoWriter
from tests.media.videos import make_video, set_matrix

ALL = [Orientation(turn, flip) for turn, flip in product((0, 90, 180, 270), (False, True))]
# a, b, c, d of ISO 14496-12: x' = a x + c y, y' = b x + d y
MATRICES = [
    (1, 0, 0, 1),
    (-1, 0, 0, 1),
    (1, 0, 0, -1),
    (-1, 0, 0, -1),
    (0, 1, 1, 0),
    (0, -1, -1, 0),
    (0, 1, -1, 0),
    (0, -1, 1, 0),
]


def corners() -> np.ndarray:
    """(48, 64, 3): each quarter has a grey level of its own."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, 32:], image[24:, :32], image[24:, 32:] = 80, 160, 240
    return image


def shown(stored: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Each pixel where the matrix puts it."""
    a, b, c, d = matrix
    height, width = stored.shape[:2]
    y, x = np.mgrid[:height, :width]
    to_x, to_y = a * x + c * y, b * x + d * y
    out = np.zeros((height, width, 3) if a else (width, height, 3), np.uint8)
    out[to_y - to_y.min(), to_x - to_x.min()] = stored
    return out


@pytest.mark.parametrize("matrix", MATRICES)
def test_frames_are_read_as_a_player_shows_them(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    set_matrix(make_video(tmp_path / "a.mp4", 3, picture=corners()), matrix)
    with VideoReader(tmp_path / "a.mp4") as reader:
        image = next(iter(reader.frames())).image
        assert (reader.info.width, reader.info.height) == image.shape[1::-1]
        written = np.reshape(reader.info.orientation.matrix, (3, 3))[:2, :2] // (1 << 16)
    assert written.ravel().tolist() == list(matrix)
    expected = shown(corners(), matrix)
    assert image.shape == expected.shape
    assert np.abs(image.astype(float) - expected).mean() < 4


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("orientation", ALL, ids=str)
def test_what_is_written_is_stored_turned_and_shown_upright(
    tmp_path: Path, suffix: str, orientation: Orientation
) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25, orientation=orientation) as writer:
        for _ in range(3):
            writer.write(corners())
    out = tmp_path / f"o{suffix}"
    join_videos([Part(tmp_path / "a.mp4", 0.0)], out, orientation=orientation)
    with VideoReader(out) as reader:
        assert reader.info.orientation == orientation
        assert np.abs(next(iter(reader.frames())).image.astype(float) - corners()).mean() < 4
    with av.open(str(out)) as container:
        stored = next(container.decode(video=0)).to_ndarray(format="rgb24")
    a, b, _, c, d = (value // (1 << 16) for value in orientation.matrix[:5])
    assert np.abs(shown(stored, (a, b, c, d)).astype(float) - corners()).mean() < 4


def test_a_matrix_between_the_eight_is_taken_as_the_next(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", 3)
    data = bytearray((tmp_path / "a.mp4").read_bytes())
    at = data.index(b"tkhd") + 44
    fixed = [round(value * (1 << 16)) for value in (np.cos(0.1), np.sin(0.1), -np.sin(0.1), np.cos(0.1))]
    for place, value in zip((0, 4, 12, 16), fixed, strict=True):
        data[at + place : at + place + 4] = value.to_bytes(4, "big", signed=True)
    (tmp_path / "a.mp4").write_bytes(data)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert reader.info.orientation == Orientation()
