from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceswap.faces.finding.dlib_finder import FaceFinder, overlap
from faceswap.faces.pose import eye_openness, head_pose, interocular, lip_gap
from faceswap.media.images import read_image
from faceswap.synthetic import CAST, Expression, Pose, Scene, person, random_scene, render

FINDER = FaceFinder()


def frontal(size: int = 256, who: int = 2) -> np.ndarray:
    return render(CAST[who], Scene(), size).image


@pytest.mark.filterwarnings("ignore:pkg_resources")
def test_the_same_embedding_as_face_recognition() -> None:
    import face_recognition

    image = frontal()
    face = FINDER.find(image)[0]
    left, top, right, bottom = (round(v) for v in face.box)
    theirs = face_recognition.face_encodings(image, [(top, right, bottom, left)], model="large")[0]
    np.testing.assert_allclose(FINDER.embed(image, face.landmarks), theirs, atol=1e-3)


@pytest.mark.parametrize(("side", "frame"), [(80, (540, 960)), (300, (540, 960)), (1600, (2000, 2400))])
def test_small_and_huge_faces_are_found_where_they_are(side: int, frame: tuple[int, int]) -> None:
    canvas = np.full((*frame, 3), 120, np.uint8)
    y, x = (frame[0] - side) // 2, (frame[1] - side) // 3
    canvas[y : y + side, x : x + side] = cv2.resize(frontal(512), (side, side), interpolation=cv2.INTER_AREA)
    truth = (render(CAST[2], Scene(), 512).landmarks + 0.5) * side / 512 - 0.5 + (x, y)
    found = FaceFinder(min_face=32).find(canvas)
    assert len(found) == 1
    apart = np.linalg.norm(found[0].landmarks[36:48] - truth[36:48], axis=1).mean()
    assert apart < 0.12 * interocular(truth.astype(float))


def test_two_faces_the_larger_first() -> None:
    canvas = np.full((400, 800, 3), 120, np.uint8)
    canvas[:256, 100:356] = frontal(who=2)
    canvas[50:306, 480:736] = frontal(who=4)
    found = FINDER.find(canvas)
    assert len(found) == 2
    assert found[0].size >= found[1].size


def beside(small: int, large: int = 420) -> np.ndarray:
    """A frame with a large face and a picture of someone else, ``small`` px high, far behind."""
    canvas = np.full((720, 1280, 3), 120, np.uint8)
    canvas[150 : 150 + large, 60 : 60 + large] = cv2.resize(frontal(512, 2), (large, large))
    canvas[40 : 40 + small, 900 : 900 + small] = cv2.resize(
        frontal(512, 4), (small, small), interpolation=cv2.INTER_AREA
    )
    return canvas


def test_a_small_face_beside_a_large_one_is_found_where_all_are_wanted() -> None:
    image = beside(110)
    assert len(FINDER.find(image)) == len(FINDER.find(image, effort="coarse")) == 1
    large, small = FINDER.find(image, effort="fine")
    assert 60 < large.box[0] < large.box[2] < 480
    assert 900 < small.box[0] < small.box[2] < 1010


def test_a_thorough_look_finds_no_face_where_none_is() -> None:
    frames = [
        beside(110),
        frontal(512),
        render(person("bram"), random_scene(np.random.default_rng(3)), 1024).image,
    ]
    assert [len(FINDER.find(image, effort="fine")) for image in frames] == [2, 1, 1]


def test_a_finder_for_small_faces_finds_what_the_usual_one_misses() -> None:
    canvas = np.full((240, 320, 3), 120, np.uint8)
    canvas[100:148, 130:178] = cv2.resize(frontal(512), (48, 48), interpolation=cv2.INTER_AREA)
    assert FaceFinder.down_to(30).min_face == FaceFinder.down_to(100).min_face == FaceFinder().min_face
    assert FINDER.find(canvas) == []
    (face,) = FaceFinder.down_to(15).find(canvas)
    assert 100 < face.box[1] < face.box[3] < 150


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1)])
def test_a_sliver_shows_no_face(shape: tuple[int, int]) -> None:
    assert FINDER.find(np.zeros((*shape, 3), np.uint8), effort="fine") == []


def test_no_face_is_an_empty_list() -> None:
    assert FINDER.find(np.full((200, 200, 3), 90, np.uint8)) == []


def test_a_hint_finds_the_same_face_and_a_wrong_one_does_no_harm() -> None:
    image = frontal(512)
    face = FINDER.find(image)[0]
    hinted = FINDER.find(image, face.box)[0]
    assert overlap(hinted.box, face.box) > 0.7
    assert len(FINDER.find(image, (0.0, 0.0, 60.0, 60.0))) == 1


def test_two_people_on_a_real_photo(real_faces: Path) -> None:
    assert len(FINDER.find(read_image(real_faces / "two-people.jpg"))) == 2


def test_pose_follows_the_truth() -> None:
    rng = np.random.default_rng(0)
    true, read = [], []
    for index in range(36):
        scene = random_scene(rng)
        faces = FINDER.find(render(CAST[index % 6], scene, 256).image)
        if faces:
            true.append((scene.pose.yaw, scene.pose.pitch, scene.pose.roll))
            read.append(head_pose(faces[0].landmarks))
    a, b = np.array(true), np.array(read)
    yaw, pitch, roll = (np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(3))
    assert yaw > 0.9
    assert pitch > 0.5
    assert roll > 0.9
    assert abs(np.polyfit(a[:, 0], b[:, 0], 1)[0] - 1) < 0.3


def test_lips_and_eyes_do_not_depend_on_size_and_roll() -> None:
    scenes = [Scene(expression=Expression(open=v), pose=Pose(roll=10 * v)) for v in (0.0, 0.5, 1.0)]
    marks = [render(CAST[2], scene, 256).landmarks.astype(float) for scene in scenes]
    gaps = [lip_gap(m) for m in marks]
    assert gaps[0] < gaps[1] < gaps[2]
    assert lip_gap(marks[2] * 3 + 50) == pytest.approx(gaps[2])
    assert eye_openness(marks[0] * 3) == pytest.approx(eye_openness(marks[0]))


def test_a_careful_look_hangs_less_on_where_the_face_lies() -> None:
    """A shift of the picture changes nothing about the lips."""
    images = [render(CAST[who], Scene(expression=Expression(open=0.3)), 256).image for who in range(4)]

    def spread(finder: FaceFinder) -> float:
        shifted = [[image[dy:, dx:] for dy in range(0, 9, 2) for dx in range(0, 9, 4)] for image in images]
        return float(
            np.mean([np.std([lip_gap(finder.find(i)[0].landmarks) for i in one]) for one in shifted])
        )

    careful, single = spread(FaceFinder(careful=True)), spread(FaceFinder())
    assert careful < 0.8 * single, (careful, single)


def test_threads_find_and_embed_as_one_thread_does() -> None:
    scene = random_scene(np.random.default_rng(3), max_yaw=10, max_pitch=5, max_roll=5)
    frames = [render(person(name), scene, 256).image for name in ("emeric", "bram")] * 3
    finder = FaceFinder()

    def work(frame: np.ndarray) -> np.ndarray:
        face = finder.find(frame)[0]
        return np.concatenate([face.landmarks.ravel(), finder.embed(frame, face.landmarks)])

    alone = [work(frame) for frame in frames]
    with ThreadPoolExecutor(6) as pool:
        np.testing.assert_array_equal(list(pool.map(work, frames)), alone)
