"""MediaPipe's finder on rendered people, whose landmarks are known."""

import cv2
import numpy as np
import pytest

from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.finding.finder import finder_named
from faceswap.faces.finding.mediapipe.blazeface import anchors
from faceswap.faces.finding.mediapipe.landmarks68 import weights
from faceswap.faces.finding.mediapipe.mediapipe_finder import MediaPipeFinder
from faceswap.faces.finding.turning import find_upright, turned
from faceswap.faces.pose import eye_openness, head_pose, interocular
from faceswap.media.images import read_image
from faceswap.synthetic import CAST, Expression, Pose, Scene, render
from faceswap.synthetic.renderer import Rendering

FINDER = MediaPipeFinder()
INNER = slice(27, 68)


def placed(rendering: Rendering, canvas: np.ndarray, x: int, y: int, side: int, turn: int = 0) -> None:
    canvas[y : y + side, x : x + side] = cv2.resize(
        turned(rendering.image, turn), (side, side), interpolation=cv2.INTER_AREA
    )


def off(points: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of eyes, nose and mouth in distances of the eyes."""
    return float(np.linalg.norm(points[INNER] - truth[INNER], axis=1).mean()) / interocular(truth)


def test_the_networks_have_an_anchor_for_each_of_their_outputs() -> None:
    assert anchors("short", 128).shape == (896, 2)
    assert anchors("full", 192).shape == (2304, 2)
    assert anchors("short", 128)[[0, 1, 2, 512]].tolist() == [[4, 4], [4, 4], [12, 4], [8, 8]]


def test_landmarks_are_means_of_vertices() -> None:
    np.testing.assert_allclose(weights().sum(1), 1)
    assert (np.count_nonzero(weights(), axis=1) <= 5).all()


def test_the_landmarks_lie_where_they_are() -> None:
    errors = []
    for number, person in enumerate(CAST):
        made = render(
            person, Scene(pose=Pose(yaw=6 * number - 15), expression=Expression(open=0.15 * number)), 256
        )
        (face,) = FINDER.find(made.image)
        errors.append(off(face.landmarks, made.landmarks))
        left, top, right, bottom = face.box
        (by_dlib,) = FaceFinder().find(made.image)
        assert face.size == pytest.approx(by_dlib.size, rel=0.25), "the boxes mean the same"
        assert (
            off(FINDER.landmarks(made.image, (left + 5, top - 4, right + 5, bottom - 4)), face.landmarks)
            < 0.03
        )
    assert np.mean(errors) < 0.08


def test_it_sees_the_eyes_close() -> None:
    true, seen = [], []
    for person in CAST[:3]:
        for closed in (0.0, 0.25, 0.5, 0.75, 1.0):
            made = render(person, Scene(expression=Expression(close_left=closed, close_right=closed)), 256)
            (face,) = FINDER.find(made.image)
            true.append(eye_openness(made.landmarks))
            seen.append(eye_openness(face.landmarks))
    assert np.corrcoef(true, seen)[0, 1] > 0.85


def test_faces_that_lie_are_found_beside_one_that_stands_and_no_picture_is_turned() -> None:
    frame = np.full((560, 900, 3), 120, np.uint8)
    made = [render(CAST[number], Scene(), 256) for number in range(3)]
    for number, turn in enumerate((0, 90, 180)):
        placed(made[number], frame, 20 + 290 * number, 30 + 100 * number, 256, turn)
    degrees, faces = find_upright(FINDER, frame)
    assert degrees == 0
    found = sorted(faces, key=lambda face: face.box[0])
    assert [round(head_pose(face.landmarks)[2] / 90) % 4 for face in found] == [0, 3, 2]
    upside_down = 255 - made[2].landmarks.astype(np.float64) + (20 + 580, 30 + 200)
    assert off(found[2].landmarks, upside_down) < 0.12


def test_small_faces_beside_a_large_one_are_found_when_they_are_looked_for() -> None:
    frame = np.full((720, 1280, 3), 110, np.uint8)
    placed(render(CAST[2], Scene(), 512), frame, 60, 150, 512)
    placed(render(CAST[4], Scene(), 256), frame, 900, 40, 84)
    assert len(FINDER.find(frame, effort="coarse")) == 1
    large, small = MediaPipeFinder.down_to(30).find(frame, effort="fine")
    assert 30 < small.size < 60 < large.size
    frame[:, :640] = 110
    assert len(FINDER.find(frame)) == 1, "alone, it is found"
    assert FINDER.find(np.full_like(frame, 110), effort="fine") == []


def test_a_face_is_followed_and_lost_where_it_is_gone() -> None:
    frames = [render(CAST[1], Scene(pose=Pose(yaw=4 * number, roll=5 * number)), 256) for number in range(6)]
    (face,) = FINDER.find(frames[0].image)
    for made in frames[1:]:
        followed = FINDER.follow(made.image, face)
        assert followed is not None
        face = followed
        assert off(face.landmarks, made.landmarks) < 0.12
    assert FINDER.follow(np.full((256, 256, 3), 90, np.uint8), face) is None


def test_the_hint_is_where_is_looked_first() -> None:
    frame = np.full((560, 900, 3), 120, np.uint8)
    placed(render(CAST[0], Scene(), 256), frame, 20, 30, 256)
    placed(render(CAST[1], Scene(), 256), frame, 500, 200, 256)
    both = FINDER.find(frame)
    assert len(both) == 2
    (near,) = FINDER.find(frame, hint=both[1].box)
    assert off(near.landmarks, both[1].landmarks) < 0.03


def test_real_people_are_found_where_dlib_finds_them(real_faces) -> None:  # type: ignore[no-untyped-def]
    image = read_image(real_faces / "two-people.jpg")
    ours = sorted(FINDER.find(image), key=lambda face: face.box[0])
    dlibs = sorted(finder_named("hog").find(image), key=lambda face: face.box[0])
    assert len(ours) == len(dlibs) == 2
    for face, other in zip(ours, dlibs, strict=True):
        assert off(face.landmarks, other.landmarks) < 0.06
        assert (
            np.linalg.norm(FINDER.embed(image, face.landmarks) - FINDER.embed(image, other.landmarks)) < 0.25
        )
