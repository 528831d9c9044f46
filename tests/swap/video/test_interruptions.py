"""What an interrupted swap of a video leaves, and how the same call goes on."""

import subprocess
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceswap.errors import DiskFull, NoFaceFound
from faceswap.faces.geometry import Geometry
from faceswap.files.disk import write_error
from faceswap.media.video.companions import Companions
from faceswap.media.video.reading import VideoReader, VideoWriter, probe
from faceswap.provenance.metadata import read_provenance
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import swap_video
from tests.swap.fakes import KnownFaces, Paint, face_at
from tests.swap.video.streams import FPS, FRAMES, MADE, OPTIONS, stop_after, swapper


def test_nothing_is_left_where_nothing_was_swapped(clip: Path, tmp_path: Path) -> None:
    blind = Swapper(Paint(Geometry(64, 1.5), (255, 0, 0)), KnownFaces(), OPTIONS)
    with pytest.raises(NoFaceFound, match="30 without a face"):
        swap_video(clip, tmp_path / "o.mp4", blind, MADE)
    small = swapper(face_at(160, 100, 6))
    with pytest.raises(NoFaceFound, match="20 faces too small"):
        swap_video(clip, tmp_path / "o.mp4", small, MADE)
    assert [p for p in tmp_path.iterdir() if p.name != "home"] == []


def test_cancelling_keeps_what_is_done_and_the_same_call_goes_on(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.mp4"
    report = swap_video(clip, out, swapper(), MADE, cancelled=stop_after(12))
    assert (report.cancelled, report.out, report.frames) == (True, None, 12)
    assert not out.exists()
    assert report.partial == tmp_path / "o.partial.mp4"
    partial = probe(report.partial)
    assert (partial.frames, partial.has_audio, partial.fps) == (12, True, Fraction(FPS))
    assert read_provenance(report.partial) == MADE.about_target(clip)

    seen: list[int] = []
    on = swap_video(clip, out, swapper(), MADE, progress=lambda done, total, what: seen.append(done))
    assert (on.frames, on.swapped, on.without_face, on.resumed) == (FRAMES, 20, 10, 12)
    assert seen == list(range(13, FRAMES + 1))
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["o.mp4"]
    whole = tmp_path / "whole" / "o.mp4"
    swap_video(clip, whole, swapper(), MADE)
    with VideoReader(out) as a, VideoReader(whole) as b:
        pairs = list(zip(a.frames(), b.frames(), strict=True))
        assert a.info.has_audio
    assert [x.time for x, _ in pairs] == pytest.approx([y.time for _, y in pairs], abs=1e-4)
    assert max(np.abs(x.image.astype(int) - y.image).mean() for x, y in pairs) < 1


def test_a_kill_loses_only_the_current_part(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceswap.swap.video.chunks.SECONDS", 0.4)
    out = tmp_path / "o.mp4"
    command = """
import os, sys
from pathlib import Path
import faceswap.swap.video.chunks as parts
from faceswap.swap.video.stream import swap_video
from tests.swap.video.streams import MADE, swapper
parts.SECONDS = 0.4
swap_video(Path(sys.argv[1]), Path(sys.argv[2]), swapper(), MADE,
           progress=lambda done, total, what: done < 29 or os._exit(9))
"""
    done = subprocess.run([sys.executable, "-c", command, str(clip), str(out)], check=False)
    assert done.returncode == 9
    report = swap_video(clip, out, swapper(), MADE)
    assert (report.frames, report.swapped) == (FRAMES, 20)
    assert report.resumed >= 10
    assert probe(out).frames == FRAMES
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["o.mp4"]


def test_only_the_same_swap_goes_on(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.mp4"
    swap_video(clip, out, swapper(), MADE, cancelled=stop_after(5))
    other = swapper()
    other.options = OPTIONS.model_copy(update={"mask": "ellipse"})
    assert swap_video(clip, out, other, MADE).resumed == 0
    swap_video(clip, out, swapper(), MADE, cancelled=stop_after(5))
    assert swap_video(clip, out, swapper(), MADE, resume=False).resumed == 0
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["o.mp4"]


def test_an_interrupt_from_the_keyboard_keeps_what_is_done(clip: Path, tmp_path: Path) -> None:
    def press(done: int, total: int | None, what: str) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swap_video(clip, tmp_path / "o.mp4", swapper(), MADE, progress=press)
    assert probe(tmp_path / "o.partial.mp4").frames == 8
    assert swap_video(clip, tmp_path / "o.mp4", swapper(), MADE).resumed == 8


def test_a_full_disk_keeps_the_finished_parts(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceswap.swap.video.chunks.SECONDS", 0.4)
    out, room = tmp_path / "o.mp4", 15
    encode = VideoWriter._mux

    def mux(self: VideoWriter, packets: Iterable[Any]) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise write_error(self.path, OSError(28, "No space left on device"))
        encode(self, packets)

    monkeypatch.setattr(VideoWriter, "_mux", mux)
    with pytest.raises(DiskFull, match="the disk is full") as told:
        swap_video(clip, out, swapper(), MADE)
    assert "make room" in (told.value.fix or "")
    assert not out.exists()
    room = 10**9
    join = Companions.missing

    def full(self: Companions, written: Path) -> list[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Companions, "missing", full)
    with pytest.raises(DiskFull, match=r"o\.mp4 can't be written"):
        swap_video(clip, out, swapper(), MADE)
    assert not out.exists()
    monkeypatch.setattr(Companions, "missing", join)
    report = swap_video(clip, out, swapper(), MADE)
    assert (report.frames, report.resumed) == (FRAMES, FRAMES)
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["o.mp4"]


def test_an_error_in_the_network_arrives_and_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    class Broken(Paint):
        def __call__(self, crops: np.ndarray) -> np.ndarray:
            raise MemoryError("no memory left")

    broken = Swapper(Broken(Geometry(64, 1.5), (0, 0, 0)), KnownFaces(face_at(160, 100, 60)), OPTIONS)
    with pytest.raises(MemoryError, match="no memory left"):
        swap_video(clip, tmp_path / "o.mp4", broken, MADE)
    assert [p for p in tmp_path.iterdir() if p.name != "home"] == []
