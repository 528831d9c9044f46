from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.faces.gallery import portrait, telling_frame
from faceswap.media.video.reading import VideoWriter, probe
from tests.swap.fakes import face_at, smooth_noise


def test_a_portrait_shows_the_face_in_its_middle_upright() -> None:
    frame = np.zeros((400, 600, 3), np.uint8)
    for roll in (0.0, 0.5):
        face = face_at(420, 180, 100, roll=roll)
        frame[:] = 0
        x, y = np.rint(face.landmarks[27:36].mean(0)).astype(int)  # the nose
        frame[y - 6 : y + 7, x - 6 : x + 7] = 255
        view = portrait(frame, face, 120)
        assert view.shape == (120, 120, 3)
        lit = np.argwhere(view[..., 0] > 127).mean(0)
        assert np.abs(lit - 60).max() < 12


def test_landmarks_that_make_no_sense_still_give_a_portrait() -> None:
    frame = smooth_noise(200, 320)
    broken = Face((100.0, 50.0, 180.0, 130.0), np.full((68, 2), 7.0), 1.0)
    view = portrait(frame, broken, 80)
    assert np.abs(view[40, 40].astype(int) - frame[90, 140]).max() < 12


class ByNumber:
    """As many faces as the frame's brightness says; a thorough look finds one more."""

    def __init__(self) -> None:
        self.asked = 0
        self.thorough = 0

    def find(
        self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        fine = effort == "fine"
        self.asked += not fine
        self.thorough += fine
        return [face_at(100, 100, 50)] * (round(float(frame.mean()) / 50) + fine)


def test_of_a_video_the_frame_with_the_most_faces_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, width=64, height=64, fps=10) as writer:
        for number in range(32):
            writer.write(np.full((64, 64, 3), 150 if 8 <= number < 16 else 50, np.uint8))
    finder = ByNumber()
    frame, faces, _ = telling_frame(path, finder)
    assert len(faces) == 4, "the small one beside the others, too"
    assert abs(float(frame.image.mean()) - 150) < 6
    assert 0.8 <= frame.time < 1.6
    assert (finder.asked, finder.thorough) == (8, 1)


@pytest.mark.parametrize("frames", [1, 7, 8, 9, 15, 31])
def test_no_more_frames_are_looked_at_than_asked_for(tmp_path: Path, frames: int) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, width=64, height=64, fps=10) as writer:
        for _ in range(frames):
            writer.write(np.full((64, 64, 3), 50, np.uint8))
    finder = ByNumber()
    telling_frame(path, finder)
    assert min(frames, 5) <= finder.asked <= 8


def recording(path: Path, seconds: int, bright_from: float) -> Path:
    """As browsers record: WebM that is not finished, so that it tells no length; 10 frames a second."""
    with av.open(str(path), "w", options={"live": "1"}) as container:
        stream: Any = container.add_stream("libvpx", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(10 * seconds):
            level = 150 if number / 10 >= bright_from else 50
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), level, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_video_of_unknown_length_is_looked_at_eight_times(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.webm", 40, bright_from=20)
    assert (probe(path).frames, probe(path).duration) == (None, 0)
    finder = ByNumber()
    _, faces, _ = telling_frame(path, finder)
    assert finder.asked == 8
    assert len(faces) == 4, "the last look, at 32 s"
    finder = ByNumber()
    assert len(telling_frame(recording(tmp_path / "b.webm", 1, bright_from=0.5), finder)[1]) == 4
    assert finder.asked == 2
