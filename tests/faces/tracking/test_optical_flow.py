import numpy as np
import pytest

from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.tracking.optical_flow import OpticalFlowTracker, follow_landmarks
from faceswap.synthetic import clip, person, render
from tests.swap.fakes import face_at, smooth_noise

FPS = 25
SCENES = list(clip(2, 1.0, FPS))[:12]
SHOTS = [render(person("emeric"), scene, size=256) for scene in SCENES]
FRAMES = [np.asarray(shot.image, np.uint8) for shot in SHOTS]
POINTS = [shot.landmarks.astype(np.float64) for shot in SHOTS]
HEIGHT = float(np.ptp(POINTS[0][17:, 1]))


def face(points: np.ndarray) -> Face:
    return Face((*points.min(0), *points.max(0)), points, 1.0)


def test_a_lost_face_is_carried_on_by_its_pixels() -> None:
    bridge = OpticalFlowTracker()
    assert bridge.missing(FRAMES[0], [face(POINTS[0])], 0.0) == []
    for i in range(1, 9):
        (found,) = bridge.missing(FRAMES[i], [], i / FPS)
        error = np.linalg.norm((found.landmarks - POINTS[i])[27:36], axis=1).mean()  # the nose is rigid
        assert error < 0.03 * HEIGHT
    assert bridge.missing(FRAMES[9], [face(POINTS[9])], 9 / FPS) == []


def test_it_ends_after_a_while_and_at_a_cut() -> None:
    bridge = OpticalFlowTracker()
    bridge.missing(FRAMES[0], [face(POINTS[0])], 0.0)
    assert bridge.missing(FRAMES[1], [], 0.5) == []
    bridge.missing(FRAMES[0], [face(POINTS[0])], 1.0)
    assert bridge.missing(smooth_noise(256, 256), [], 1.04) == []
    assert bridge.missing(FRAMES[0], [], 1.08) == []


def test_a_face_that_was_found_elsewhere_does_not_hide_the_lost_one() -> None:
    bridge = OpticalFlowTracker()
    bridge.missing(FRAMES[0], [face(POINTS[0])], 0.0)
    far = face_at(20, 20, 20)
    assert len(bridge.missing(FRAMES[1], [far], 0.04)) == 1


@pytest.mark.parametrize("shift", [(5, -3), (-9, 4)])
def test_a_shifted_picture_shifts_the_landmarks(shift: tuple[int, int]) -> None:
    before = np.asarray(FRAMES[0].mean(-1), np.uint8)
    after = np.roll(before, shift[::-1], axis=(0, 1))
    moved = follow_landmarks(before, after, POINTS[0])
    assert moved is not None
    assert np.abs(moved - POINTS[0] - shift).max() < 0.3


def test_a_flat_picture_has_no_motion_to_follow() -> None:
    flat = np.full((256, 256), 90, np.uint8)
    assert follow_landmarks(flat, flat, POINTS[0]) is None
