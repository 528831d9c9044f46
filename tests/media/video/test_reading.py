import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faceswap.errors import MediaTooLarge, UnreadableMedia
from faceswap.media.video.reading import VideoReader, probe
from faceswap.settings import settings
from tests.media.videos import add_sound, beeps, make_video, set_matrix, write_sound


def test_probe_and_frames(tmp_path: Path) -> None:
    info = probe(make_video(tmp_path / "a.mp4", sound=True))
    assert (info.width, info.height, info.fps, info.frames, info.has_audio) == (64, 48, 25, 50, True)
    assert info.duration == pytest.approx(2.0, abs=0.01)
    with VideoReader(tmp_path / "a.mp4") as reader:
        frames = list(reader.frames())
        again = list(reader.frames())
    assert [f.index for f in frames] == list(range(50))
    np.testing.assert_allclose([f.time for f in frames], np.arange(50) / 25, atol=1e-3)
    np.testing.assert_allclose([f.image.mean() for f in frames], 4 * np.arange(50), atol=3)
    assert frames[0].image.flags.c_contiguous
    assert reader.damage is None
    np.testing.assert_array_equal([f.image for f in again], [f.image for f in frames])


def test_every_nth_and_a_time_range(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4")
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert [f.index for f in reader.frames(every=5, start=0.4, end=1.2)] == [10, 15, 20, 25]


@pytest.mark.parametrize(
    ("suffix", "steady"), [(".mp4", True), (".mp4", False), (".mkv", True), (".mkv", False), (".avi", True)]
)
@pytest.mark.parametrize("gop", ["keyint=10", "keyint=60:open-gop=1:bframes=3"])
def test_after_seeking_frames_have_the_same_number_time_and_picture(
    tmp_path: Path, suffix: str, steady: bool, gop: str
) -> None:
    gaps = np.full(250, 0.04) if steady else np.random.default_rng(0).choice([0.02, 0.04, 0.12], 250)
    times = [0.0, *np.cumsum(gaps)[:-1]]
    make_video(tmp_path / f"a{suffix}", 250, times=times, options={"x264-params": gop})
    with VideoReader(tmp_path / f"a{suffix}") as reader:
        whole = {f.index: f for f in reader.frames()}
        for start in (4.0, 6.61, 8.0):
            part = list(reader.frames(start=start, end=start + 0.5))
            assert [f.index for f in part] == [i for i, f in whole.items() if start <= f.time < start + 0.5]
            for frame in part:
                assert frame.time == whole[frame.index].time
                np.testing.assert_array_equal(frame.image, whole[frame.index].image)


def test_seeking_skips_the_decoding_of_what_lies_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(tmp_path / "a.mp4", frames=500)
    decoded = 0
    original = VideoReader._decoded

    def counting(self: VideoReader, *args: Any) -> Any:
        nonlocal decoded
        for frame in original(self, *args):
            decoded += 1
            yield frame

    monkeypatch.setattr(VideoReader, "_decoded", counting)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert next(iter(reader.frames(start=18.0))).index == 450
    assert decoded < 100


# the upper left quarter is white; where a player shows it after x' = a x + c y, y' = b x + d y
@pytest.mark.parametrize(
    ("matrix", "rotation", "white"),
    [
        ((1, 0, 0, 1), 0, (slice(0, 24), slice(0, 32))),
        ((0, 1, -1, 0), 270, (slice(0, 32), slice(24, 48))),  # a telephone held upright
        ((-1, 0, 0, -1), 180, (slice(24, 48), slice(32, 64))),
        ((0, -1, 1, 0), 90, (slice(32, 64), slice(0, 24))),
    ],
)
def test_the_display_matrix_is_applied(
    tmp_path: Path, matrix: tuple[int, int, int, int], rotation: int, white: tuple[slice, slice]
) -> None:
    quarter = np.zeros((48, 64, 3), np.uint8)
    quarter[:24, :32] = 255
    set_matrix(make_video(tmp_path / "a.mp4", 5, picture=quarter), matrix)
    expected = np.zeros((64, 48) if rotation in {90, 270} else (48, 64))
    expected[white] = 255
    with VideoReader(tmp_path / "a.mp4") as reader:
        frame = next(iter(reader.frames()))
        assert (reader.info.height, reader.info.width, reader.info.rotation) == (*expected.shape, rotation)
    assert np.abs(frame.image.mean(2) - expected).mean() < 8


def test_pixels_that_are_not_square_become_square(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", 3, options={"x264-params": "sar=2/1"})
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert (reader.info.width, reader.info.height) == (128, 48)
        assert next(iter(reader.frames())).image.shape == (48, 128, 3)


def yuv_video(
    path: Path, yuv: tuple[int, int, int], space: int, limited: bool, size: tuple[int, int]
) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt, stream.options = "yuv420p", {"qp": "0", "preset": "ultrafast"}
        stream.codec_context.colorspace, stream.codec_context.color_range = space, 1 if limited else 2
        frame = av.VideoFrame(*size, "yuv420p")
        for plane, value in zip(frame.planes, yuv, strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.colorspace, frame.color_range = space, 1 if limited else 2
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def rgb_of(yuv: tuple[int, int, int], kr: float, kb: float, limited: bool) -> NDArray[np.float64]:
    """ITU-R BT.601, BT.709: the definition, in closed form."""
    y, cb, cr = yuv
    luma, blue, red = ((y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224)
    if not limited:
        luma, blue, red = y / 255, (cb - 128) / 255, (cr - 128) / 255
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    return np.array([r, (luma - kr * r - kb * b) / (1 - kr - kb), b]) * 255


@pytest.mark.parametrize(
    ("space", "size", "weights"),
    [
        (1, (64, 48), (0.2126, 0.0722)),
        (5, (64, 48), (0.299, 0.114)),
        (2, (64, 48), (0.299, 0.114)),  # not said: SD
        (2, (1280, 720), (0.2126, 0.0722)),  # not said: HD
    ],
)
@pytest.mark.parametrize("limited", [True, False])
def test_colours_follow_the_standard_that_the_file_names(
    tmp_path: Path, space: int, size: tuple[int, int], weights: tuple[float, float], limited: bool
) -> None:
    path = yuv_video(tmp_path / "a.mp4", (120, 100, 170), space, limited, size)
    with VideoReader(path) as reader:
        found = next(iter(reader.frames())).image.mean((0, 1))
    np.testing.assert_allclose(found, rgb_of((120, 100, 170), *weights, limited), atol=0.6)


def test_truncated_video_gives_what_can_be_read(tmp_path: Path) -> None:
    for suffix in (".mp4", ".mkv"):
        path = make_video(tmp_path / f"cut{suffix}", frames=100, size=(160, 120))
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * 0.6)])
        with VideoReader(path) as reader:
            assert reader.damage is None
            assert 0 < len(list(reader.frames())) < 100
            assert reader.damage is not None
            assert path.name in reader.damage
            list(reader.frames(end=0.2))
            assert reader.damage is None, "the first frames are whole"


def test_frames_after_a_damaged_place_are_read(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", frames=100)
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.pos is not None]
    data = bytearray(path.read_bytes())
    for position, size in packets[30:40]:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with VideoReader(path) as reader:
        frames = list(reader.frames())
    assert 80 <= len(frames) < 100
    assert frames[-1].time == pytest.approx(3.96)
    assert "damaged" in (reader.damage or "")


def test_undecodable_files_are_named(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4", faststart=False).read_bytes()
    (tmp_path / "noindex.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "playlist.mp4").write_text(f"#EXTM3U\n#EXTINF:2,\n{tmp_path}/whole.mp4\n")
    Image.new("RGB", (64, 64)).save(tmp_path / "image.png")
    (tmp_path / "image.png").rename(tmp_path / "image.mp4")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        write_sound(container, add_sound(container), beeps(1.0))
    for name in ("noindex", "text", "empty", "folder", "playlist", "image", "sound", "missing"):
        with pytest.raises(UnreadableMedia, match=f"{name}.mp4"):
            probe(tmp_path / f"{name}.mp4")


def test_any_damage_is_an_error_of_ours_or_noted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = make_video(tmp_path / "a.mp4", frames=20, sound=True).read_bytes()
    outcomes = set()
    for number in range(120):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 20):
            data[at] = rng.integers(256)
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(data)
        try:
            with VideoReader(path) as reader:
                list(itertools.islice(reader.frames(), 100))
            outcomes.add("damage" if reader.damage else "whole")
        except (UnreadableMedia, MediaTooLarge):
            outcomes.add("unreadable")
    assert {"damage", "unreadable"} <= outcomes


def test_frames_over_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_video(tmp_path / "a.mp4", 3)
    monkeypatch.setenv("FACESWAP_MAX_PIXELS", str(64 * 48 - 1))
    settings.cache_clear()
    with pytest.raises(MediaTooLarge, match="64 x 48"):
        probe(tmp_path / "a.mp4")


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mkv", 10, times=[1.5 + i / 25 for i in range(10)])
    with VideoReader(tmp_path / "a.mkv") as reader:
        np.testing.assert_allclose([f.time for f in reader.frames()], np.arange(10) / 25, atol=2e-3)


def test_real_footage(real_faces: Path) -> None:
    info = probe(real_faces / "person-a.mp4")
    assert (info.width, info.height, info.fps, info.frames) == (512, 512, Fraction(25), 200)
    with VideoReader(real_faces / "person-a.mp4") as reader:
        assert [f.index for f in reader.frames(every=10, start=6.0)] == list(range(150, 200, 10))
        assert reader.damage is None
