from pathlib import Path

import pytest

from faceswap.media.video.joining import Part, join_videos
from faceswap.media.video.reading import VideoReader
from faceswap.media.video.restarts import restarts
from tests.media.videos import edges, make_video


@pytest.fixture
def camcorder(tmp_path: Path) -> Path:
    """Two files of a camcorder, each of 5 s with sound, put one after the other."""
    one = make_video(tmp_path / "one.ts", 125, sound=True)
    path = tmp_path / "both.MTS"
    path.write_bytes(one.read_bytes() * 2)
    assert restarts(one) == ()
    assert restarts(path) == pytest.approx((5.0,), abs=0.001)
    return path


def test_times_go_on_where_they_begin_anew(camcorder: Path) -> None:
    with VideoReader(camcorder) as reader:
        frames = list(reader.frames())
        assert [frame.time for frame in frames] == pytest.approx([i / 25 for i in range(250)], abs=0.01)
        late = list(reader.frames(start=7.0, end=7.2))
    assert [frame.index for frame in late] == [175, 176, 177, 178, 179]
    assert late[0].image.mean() == pytest.approx(4 * 50, abs=3)


def test_the_sound_goes_on_as_well(camcorder: Path, tmp_path: Path) -> None:
    picture = make_video(tmp_path / "picture.mp4", 250)
    join_videos([Part(picture, 0.0)], tmp_path / "o.mp4", audio_from=camcorder)
    expected = [0.25 + 0.5 * i for i in range(20)]
    assert edges(tmp_path / "o.mp4") == pytest.approx(expected, abs=0.01)


def test_types_of_camcorders_and_old_players_are_read(tmp_path: Path) -> None:
    for name in ("a.ts", "b.m2ts", "c.MTS"):
        path = make_video(tmp_path / name, 10)
        with VideoReader(path) as reader:
            assert [frame.image.mean() for frame in reader.frames()] == pytest.approx(
                [4 * i for i in range(10)], abs=3
            )
