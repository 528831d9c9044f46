import resource
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from faceswap.errors import MediaError
from faceswap.media.video.joining import Part, join_videos
from faceswap.media.video.reading import VideoReader, VideoWriter, probe
from tests.media.videos import add_sound, audio_seconds, beeps, make_video, unknown_sound, write_sound

SIZE = 64


def write(
    path: Path, levels: range, times: list[float] | None = None, size: int = SIZE, **options: Any
) -> Path:
    with VideoWriter(path, width=size, height=size, fps=Fraction(30000, 1001), **options) as writer:
        for i, level in enumerate(levels):
            writer.write(np.full((size, size, 3), level, np.uint8), times[i] if times else None)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_parts_follow_one_another_without_a_gap(tmp_path: Path, suffix: str) -> None:
    step = 1001 / 30000
    first = write(tmp_path / "a.mp4", range(20, 60, 4))
    second = write(tmp_path / "b.mp4", range(60, 120, 4))
    out = tmp_path / f"o{suffix}"
    join_videos([Part(first, 0.0), Part(second, 10 * step)], out)
    with VideoReader(out) as reader:
        frames = list(reader.frames())
        assert reader.damage is None
    assert [frame.time for frame in frames] == pytest.approx([i * step for i in range(25)], abs=1.1e-3)
    assert [frame.image.mean() for frame in frames] == pytest.approx(range(20, 120, 4), abs=2)


def test_variable_times_that_tighten_at_the_seam_stay_in_order(tmp_path: Path) -> None:
    first = write(tmp_path / "a.mp4", range(20, 80, 10), [0.0, 0.01, 0.02, 0.03, 0.04, 0.05])
    times = [0.0, 0.3, 0.6, 0.9, 1.2, 1.5]
    second = write(tmp_path / "b.mp4", range(80, 140, 10), times)
    out = tmp_path / "o.mp4"
    join_videos([Part(first, 0.0), Part(second, 0.06)], out)
    with VideoReader(out) as reader:
        frames = list(reader.frames())
    assert [frame.time for frame in frames[6:]] == pytest.approx([0.06 + t for t in times], abs=1e-3)
    assert [frame.image.mean() for frame in frames] == pytest.approx(range(20, 140, 10), abs=2)


def test_parts_of_different_sizes_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.mp4", range(9)), write(tmp_path / "b.mp4", range(9), size=32)
    with pytest.raises(MediaError, match="different ways"):
        join_videos([Part(first, 0.0), Part(second, 1.0)], tmp_path / "o.mp4")
    with pytest.raises(MediaError, match="nothing to join"):
        join_videos([], tmp_path / "o.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_the_parts_rotation_is_that_of_the_whole(tmp_path: Path, suffix: str) -> None:
    parts = [write(tmp_path / f"{n}.mp4", range(0, 200, 20), rotation=270) for n in "ab"]
    out = tmp_path / f"o{suffix}"
    join_videos([Part(parts[0], 0.0), Part(parts[1], 10 * 1001 / 30000)], out, rotation=270)
    assert probe(out).rotation == 270


def test_one_part_is_copied(tmp_path: Path) -> None:
    first = write(tmp_path / "a.mp4", range(0, 200, 10))
    join_videos([Part(first, 0.0)], tmp_path / "o.mp4")
    assert probe(tmp_path / "o.mp4").frames == 20


def test_more_parts_than_files_may_be_open(tmp_path: Path) -> None:
    part = write(tmp_path / "a.mp4", range(0, 20, 10), size=16)
    parts = [Part(part, 2 * i * 1001 / 30000) for i in range(100)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 16, hard))
    try:
        join_videos(parts, tmp_path / "o.mp4", audio_from=make_video(tmp_path / "s.mp4", 5, sound=True))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert probe(tmp_path / "o.mp4").frames == 200


def test_sound_in_an_unknown_format_is_left_out_and_named(tmp_path: Path) -> None:
    part = write(tmp_path / "a.mp4", range(0, 200, 10))
    source = unknown_sound(make_video(tmp_path / "source.mp4", sound=True))
    assert not probe(source).has_audio
    damage = join_videos([Part(part, 0.0)], tmp_path / "o.mp4", audio_from=source)
    assert "source.mp4" in (damage or "")
    assert "not known" in (damage or "")
    assert (probe(tmp_path / "o.mp4").frames, probe(tmp_path / "o.mp4").has_audio) == (20, False)


def test_the_first_sound_track_in_a_known_format_is_taken(tmp_path: Path) -> None:
    part = write(tmp_path / "a.mp4", range(0, 200, 10))
    with av.open(str(tmp_path / "source.mp4"), "w") as container:
        tracks = [add_sound(container), add_sound(container)]
        for track, seconds in zip(tracks, (1.0, 0.5), strict=True):
            write_sound(container, track, beeps(seconds))
    source = unknown_sound(tmp_path / "source.mp4")
    assert join_videos([Part(part, 0.0)], tmp_path / "o.mp4", audio_from=source) is None
    assert audio_seconds(tmp_path / "o.mp4") == pytest.approx(0.5, abs=0.15)
