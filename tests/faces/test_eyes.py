"""Where eyes look, on rendered people whose gaze is known."""

import numpy as np

from faceswap.faces.eyes import gaze
from faceswap.synthetic import CAST, Expression, Pose, Scene, render


def test_the_gaze_follows_the_true_one_along_the_faces_own_axes() -> None:
    true, seen = [], []
    for number, (x, y) in enumerate((x, y) for x in (-0.9, -0.3, 0.3, 0.9) for y in (-0.8, 0.8)):
        scene = Scene(pose=Pose(roll=12.0 * (number % 3 - 1)), expression=Expression(gaze_x=x, gaze_y=y))
        made = render(CAST[number % 4], scene, 256)
        true.append((x, -y))
        seen.append(gaze(made.image, made.landmarks.astype(np.float64)))
    for axis in (0, 1):
        assert np.corrcoef(np.array(true)[:, axis], np.array(seen)[:, axis])[0, 1] > 0.8
    assert all((x > 0) == (looked[0] > 0) for (x, _), looked in zip(true, seen, strict=True) if abs(x) > 0.5)


def test_shut_and_tiny_eyes_look_nowhere() -> None:
    made = render(CAST[0], Scene(expression=Expression(close_left=1, close_right=1)), 256)
    assert np.isnan(gaze(made.image, made.landmarks.astype(np.float64))).all()
    tiny = made.landmarks.astype(np.float64) / 100
    assert np.isnan(gaze(made.image[:8, :8], tiny)).all()
