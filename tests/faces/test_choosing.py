from pathlib import Path

import numpy as np

from faceswap.faces.choosing import portrait, telling_frame
from faceswap.faces.detection import Box, Face, Looks
from faceswap.media.video import VideoWriter
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
    """As many faces as the frame's brightness says, in tens."""

    def __init__(self) -> None:
        self.asked = 0

    def find(self, frame: np.ndarray, hint: Box | None = None, looks: Looks = "enough") -> list[Face]:
        self.asked += 1
        return [face_at(100, 100, 50)] * round(float(frame.mean()) / 50)


def test_of_a_video_the_frame_with_the_most_faces_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, width=64, height=64, fps=10) as writer:
        for number in range(32):
            writer.write(np.full((64, 64, 3), 150 if 8 <= number < 16 else 50, np.uint8))
    finder = ByNumber()
    image, faces = telling_frame(path, finder)
    assert len(faces) == 3
    assert abs(float(image.mean()) - 150) < 6
    assert finder.asked == 8
