import resource
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.errors import MediaError, StorageError, UnreadableMedia
from faceswap.media.video.orientation import Orientation
from faceswap.media.video.reading import VideoReader, VideoWriter, probe
from faceswap.provenance.metadata import Provenance, read_provenance
from tests.media.videos import add_sound, audio_seconds, beeps, codec_of_sound, edges, make_video, write_sound

BLACK = np.zeros((48, 64, 3), np.uint8)
ORIGIN = Provenance("ada", "face-ada", "3", "run", {"text": 'quote " < & é 名 \\', "long": "x" * 20_000})


def write(path: Path, frames: int = 25, image: NDArray[np.uint8] = BLACK, **options: Any) -> Path:
    settings: dict[str, Any] = {"width": image.shape[1], "height": image.shape[0], "fps": 25} | options
    with VideoWriter(path, **settings) as writer:
        for _ in range(frames):
            writer.write(image)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".m4v"])
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_frames_come_back_in_size_and_colour(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    with VideoWriter(tmp_path / f"a{suffix}", width=size[0], height=size[1], fps=25) as writer:
        for colour in colours * 5:
            writer.write(np.full((size[1], size[0], 3), colour, np.uint8))
    info = probe(tmp_path / f"a{suffix}")
    assert (info.width, info.height) == size
    with VideoReader(tmp_path / f"a{suffix}") as reader:
        for frame, colour in zip(reader.frames(), colours * 5, strict=True):
            np.testing.assert_allclose(frame.image.mean((0, 1)), colour, atol=4)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotation_is_a_flag_of_the_file(tmp_path: Path, suffix: str, rotation: int) -> None:
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:24, :32] = 255
    path = write(tmp_path / f"a{suffix}", 5, upright, orientation=Orientation(rotation))
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0))
        assert stored.rotation % 360 == rotation
        assert (stored.width, stored.height) == ((64, 48) if rotation == 180 else (48, 64))
        turned = np.rot90(stored.to_ndarray(format="rgb24"), rotation // 90)
    assert np.abs(turned.astype(float) - upright).mean() < 8
    with VideoReader(path) as reader:
        shown = next(iter(reader.frames())).image
    assert np.abs(shown.astype(float) - upright).mean() < 8


@pytest.mark.parametrize("full_range", [False, True])
def test_colours_are_stored_as_bt709_says(tmp_path: Path, full_range: bool) -> None:
    rgb = np.array([180, 60, 90])
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25, full_range=full_range) as writer:
        for _ in range(3):
            writer.write(np.full((48, 64, 3), rgb, np.uint8))
    kr, kb = 0.2126, 0.0722
    r, g, b = rgb / 255
    luma = kr * r + (1 - kr - kb) * g + kb * b
    floor, span, chroma = (0, 255, 127.5) if full_range else (16, 219, 112)
    expected = (
        floor + span * luma,
        128 + chroma * (b - luma) / (1 - kb),
        128 + chroma * (r - luma) / (1 - kr),
    )
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
        tags = (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    assert tags == (1, 2 if full_range else 1, 1, 1)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert reader.info.full_range == full_range
        np.testing.assert_allclose(next(iter(reader.frames())).image[20, 20], rgb, atol=2)
    found = [np.frombuffer(plane, np.uint8)[5] for plane in frame.planes]  # type: ignore[call-overload]
    np.testing.assert_allclose(found, expected, atol=1.5)


@pytest.mark.parametrize(
    "fps", [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(1, 2), 12.5]
)
def test_frame_rates_are_exact(tmp_path: Path, fps: Fraction | float) -> None:
    info = probe(write(tmp_path / "a.mp4", 12, fps=fps))
    assert info.fps == Fraction(fps)
    assert info.duration == pytest.approx(12 / float(fps), abs=1e-3)
    with VideoReader(tmp_path / "a.mp4") as reader:
        np.testing.assert_allclose([f.time for f in reader.frames()], np.arange(12) / float(fps), atol=1e-6)


def test_variable_frame_times_survive(tmp_path: Path) -> None:
    times = [0, 0.04, 0.2, 0.24, 0.5]
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25) as writer:
        for time in times:
            writer.write(BLACK, time)
    with VideoReader(tmp_path / "a.mp4") as reader:
        np.testing.assert_allclose([f.time for f in reader.frames()], times, atol=1e-4)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_stays_in_step(tmp_path: Path, suffix: str) -> None:
    source = make_video(tmp_path / "source.mp4", 75, sound=True)
    write(tmp_path / f"a{suffix}", 75, audio_from=source)
    assert codec_of_sound(tmp_path / f"a{suffix}") == "aac"
    np.testing.assert_allclose(
        edges(tmp_path / f"a{suffix}"), [0.25, 0.75, 1.25, 1.75, 2.25, 2.75], atol=0.01
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_of_a_part_is_cut_and_moved(tmp_path: Path, suffix: str) -> None:
    source = make_video(tmp_path / "source.mp4", 75, sound=True)
    write(tmp_path / f"a{suffix}", 25, audio_from=source, audio_start=1.1)
    assert audio_seconds(tmp_path / f"a{suffix}") == pytest.approx(1.0, abs=0.1)
    np.testing.assert_allclose(edges(tmp_path / f"a{suffix}"), [0.15, 0.65], atol=0.01)
    write(tmp_path / "b.mp4", 25, audio_from=source, audio_start=1.0, audio_end=1.5)
    assert audio_seconds(tmp_path / "b.mp4") == pytest.approx(0.5, abs=0.1)


def test_copied_sound_is_the_same_to_the_byte(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", 50, sound=True)
    packets = []
    for path in (source, write(tmp_path / "a.mp4", 60, audio_from=source)):
        with av.open(str(path)) as container:
            packets.append([bytes(p) for p in container.demux(audio=0) if p.size])
    assert packets[0] == packets[1]


@pytest.mark.parametrize(
    ("codec", "suffix", "expected"),
    [
        ("flac", ".mp4", "aac"),
        ("libopus", ".mkv", "opus"),
        ("libopus", ".mov", "aac"),
        ("pcm_s16le", ".mp4", "aac"),
        ("libmp3lame", ".mp4", "mp3"),
    ],
)
def test_sound_that_the_container_can_not_take_is_encoded(
    tmp_path: Path, codec: str, suffix: str, expected: str
) -> None:
    with av.open(str(tmp_path / "source.mkv"), "w") as container:
        write_sound(container, add_sound(container, codec, 48_000), beeps(3.0, 48_000))
    write(tmp_path / f"a{suffix}", 50, audio_from=tmp_path / "source.mkv", audio_start=0.5)
    assert codec_of_sound(tmp_path / f"a{suffix}") == expected
    np.testing.assert_allclose(edges(tmp_path / f"a{suffix}"), [0.25, 0.75, 1.25, 1.75], atol=0.06)


def test_a_picture_that_begins_after_the_sound_stays_in_step(tmp_path: Path) -> None:
    times = [0.6 + i / 25 for i in range(50)]
    source = make_video(tmp_path / "late.mkv", 50, times=times, sound=True)
    with (
        VideoReader(source) as reader,
        VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25, audio_from=source) as writer,
    ):
        for frame in reader.frames():
            writer.write(frame.image, frame.time)
    # what is heard at 0.75 s of the source is heard 0.15 s after its first picture
    np.testing.assert_allclose(edges(tmp_path / "a.mp4")[:2], [0.15, 0.65], atol=0.03)


def test_sound_and_picture_are_interleaved(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", 500, sound=True)
    write(tmp_path / "a.mp4", 500, audio_from=source)
    with av.open(str(tmp_path / "a.mp4")) as container:
        found = [
            (p.pos, p.stream.type, float(p.pts * p.time_base)) for p in container.demux() if p.pts is not None
        ]
    times = {"video": 0.0, "audio": 0.0}
    for _, kind, time in sorted(found):
        times[kind] = time
        assert abs(times["video"] - times["audio"]) < 1.5


def test_the_index_comes_first(tmp_path: Path) -> None:
    data = write(tmp_path / "a.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_origin_survives_a_remux(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a{suffix}", metadata=ORIGIN)
    assert read_provenance(tmp_path / f"a{suffix}") == ORIGIN
    for target_suffix in (".mp4", ".mov", ".mkv"):
        with (
            av.open(str(tmp_path / f"a{suffix}")) as source,
            av.open(str(tmp_path / f"b{target_suffix}"), "w") as target,
        ):
            target.metadata.update(source.metadata)
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        assert read_provenance(tmp_path / f"b{target_suffix}") == ORIGIN


def test_an_exception_leaves_what_was_there(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", sound=True)
    (tmp_path / "a.mp4").write_text("old")
    with (
        pytest.raises(KeyboardInterrupt),
        VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25, audio_from=source) as writer,
    ):
        writer.write(BLACK)
        raise KeyboardInterrupt
    assert (tmp_path / "a.mp4").read_text() == "old"
    assert len([p for p in tmp_path.iterdir() if p.name != "home"]) == 2


def test_a_part_is_kept_on_request(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError),
        VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25, keep_partial=True) as writer,
    ):
        for _ in range(10):
            writer.write(BLACK)
        raise RuntimeError
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert len(list(reader.frames())) == 10
    assert len([p for p in tmp_path.iterdir() if p.name != "home"]) == 1


def test_wrong_use_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="No frame"):
        write(tmp_path / "a.mp4", 0)
    with pytest.raises(MediaError, match="suffix"):
        write(tmp_path / "a.webm")
    with (
        pytest.raises(MediaError, match=r"\(48, 64, 3\)"),
        VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=25) as writer,
    ):
        writer.write(BLACK[:40])
    with pytest.raises(UnreadableMedia, match=r"none\.mp4"):
        write(tmp_path / "a.mp4", audio_from=tmp_path / "none.mp4")
    long = Provenance("ada", "face-ada", "3", "run", {"long": "x" * 100_000})
    with pytest.raises(MediaError, match="shorten"):
        write(tmp_path / "a.mp4", metadata=long)
    assert not [p for p in tmp_path.iterdir() if p.name != "home"]
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"):
        write(tmp_path / "file" / "a.mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 48, 64, 3), dtype=np.uint8)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        with (
            pytest.raises(StorageError, match=rf"a\{suffix}"),
            VideoWriter(tmp_path / f"a{suffix}", width=64, height=48, fps=25) as writer,
        ):
            for image in noise:
                writer.write(image)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not [p for p in tmp_path.iterdir() if p.name != "home"]


def test_damaged_sound_ends_early_and_is_noted(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "source.mkv"), "w") as container:
        write_sound(container, add_sound(container, "flac"), beeps(6.0))
    data = bytearray((tmp_path / "source.mkv").read_bytes())
    data[len(data) // 2 :: 7] = bytes(len(data[len(data) // 2 :: 7]))
    (tmp_path / "source.mkv").write_bytes(data)
    with VideoWriter(
        tmp_path / "a.mp4", width=64, height=48, fps=25, audio_from=tmp_path / "source.mkv"
    ) as writer:
        for _ in range(150):
            writer.write(BLACK)
    assert 1 < audio_seconds(tmp_path / "a.mp4") < 6
    assert "source.mkv" in (writer.sound_damage or "")


def test_no_sound_is_no_error(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", 5, audio_from=make_video(tmp_path / "silent.mp4", 5))
    assert not probe(tmp_path / "a.mp4").has_audio
