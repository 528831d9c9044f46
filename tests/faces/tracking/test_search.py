"""Following faces from frame to frame, on rendered people whose landmarks are known."""

from functools import cache

import cv2
import numpy as np

from faceswap.faces.finding.dlib_finder import Box, Face, FaceFinder, SearchEffort
from faceswap.faces.pose import interocular
from faceswap.faces.tracking.search import FaceSearch
from faceswap.media.video.reading import Frame
from faceswap.synthetic import CAST, Expression, Pose, Scene, render
from faceswap.synthetic.renderer import Rendering

SIDE, FPS = 256, 25


class Counting(FaceFinder):
    """Remembers how it was asked: None for a whole frame, else the hint."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Box | None] = []

    def find(
        self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        self.asked.append(hint)
        return super().find(frame, hint, effort)


@cache
def talking(who: int, number: int) -> Rendering:
    """Somebody who talks and turns the head, at 25 frames a second."""
    t = number / FPS
    pose = Pose(yaw=12 * np.sin(2 * t), pitch=4 * np.sin(3 * t))
    return render(CAST[who], Scene(pose=pose, expression=Expression(open=0.5 + 0.5 * np.sin(9 * t))), SIDE)


def canvas(*placed: tuple[Rendering, int, int]) -> np.ndarray:
    """A wide frame with people at (x, y)."""
    image = np.full((320, 640, 3), 110, np.uint8)
    for rendering, x, y in placed:
        image[y : y + SIDE, x : x + SIDE] = rendering.image
    return image


def at(number: int, image: np.ndarray) -> Frame:
    return Frame(number, number / FPS, image)


def error(face: Face, rendering: Rendering, x: int, y: int) -> float:
    """Mean distance of eyes, nose and mouth to the truth, in distances of the eyes."""
    truth = rendering.landmarks + np.array([x, y], float)
    return float(np.linalg.norm(face.landmarks[27:] - truth[27:], axis=1).mean() / interocular(truth))


def test_a_moving_talking_face_is_followed_as_well_as_it_is_detected() -> None:
    finder = Counting()
    search, alone = FaceSearch(finder), FaceFinder()
    followed, detected = [], []
    for number in range(25):
        rendering, x = talking(2, number), 20 + 12 * number
        image = canvas((rendering, x, 30))
        (face,) = search.faces(at(number, image))
        followed.append(error(face, rendering, x, 30))
        detected.append(error(alone.find(image)[0], rendering, x, 30))
    assert finder.asked == [None] * 3, "the whole frame at 0, 0.4 and 0.8 s, and nothing in between"
    assert np.mean(followed) < np.mean(detected) + 0.01
    assert max(followed) < max(detected) + 0.03


def test_two_faces_are_followed_and_a_third_is_noticed_within_half_a_second() -> None:
    finder = Counting()
    search, counts = FaceSearch(finder), []
    for number in range(21):
        late = [(talking(0, number), 384, 30)] if number >= 3 else []
        counts.append(len(search.faces(at(number, canvas((talking(2, number), 10 + number, 30), *late)))))
    assert counts[:3] == [1] * 3
    assert counts[10:] == [2] * 11
    assert finder.asked == [None] * 3


def test_a_small_face_behind_is_found_at_once_and_kept_between_two_thorough_looks() -> None:
    search, counts = FaceSearch(FaceFinder()), []
    for number in range(0, 60, 2):
        image = np.full((720, 1280, 3), 110, np.uint8)
        image[150:662, 60:572] = cv2.resize(talking(2, number).image, (512, 512))
        if number < 54:
            small = cv2.resize(talking(4, number).image, (110, 110), interpolation=cv2.INTER_AREA)
            image[40:150, 900 + number : 1010 + number] = small
        counts.append(len(search.faces(at(number, image))))
    assert counts[:27] == [2] * 27
    assert counts[27:] == [1] * 3, "gone, it is not kept"


def test_a_small_face_is_found_at_once_after_a_cut() -> None:
    search = FaceSearch(FaceFinder())
    for number in range(12):
        search.faces(at(number, canvas((talking(2, number), 10, 30))))
    image = np.full((720, 1280, 3), 110, np.uint8)
    image[150:662, 60:572] = cv2.resize(talking(4, 12).image, (512, 512))
    image[40:150, 900:1010] = cv2.resize(talking(0, 12).image, (110, 110), interpolation=cv2.INTER_AREA)
    assert len(search.faces(at(12, image))) == 2


def test_a_cut_to_another_place_is_seen_at_once() -> None:
    search = FaceSearch(FaceFinder())
    for number in range(3):
        search.faces(at(number, canvas((talking(2, number), 10, 30))))
    (face,) = search.faces(at(3, canvas((talking(4, 3), 360, 50))))
    assert error(face, talking(4, 3), 360, 50) < 0.15
    assert search.faces(at(4, np.full((320, 640, 3), 110, np.uint8))) == []


def test_where_something_comes_before_the_face_the_detector_decides() -> None:
    finder = Counting()
    search = FaceSearch(finder)
    for number in range(4):
        image = canvas((talking(2, number), 10, 30))
        if number == 3:
            cv2.rectangle(image, (60, 120), (220, 260), (40, 90, 30), -1)
        search.faces(at(number, image))
    assert len(finder.asked) >= 2
    assert finder.asked[1] is not None, "around where it was, first"
