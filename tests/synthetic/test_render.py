import subprocess
import sys
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from faceswap.synthetic import (
    CAST,
    Expression,
    Light,
    Person,
    Pose,
    Scene,
    clip,
    person,
    random_person,
    random_scene,
    render,
)
from faceswap.synthetic.rasterizer import DISTANCE, MIDDLE, SCALE
from faceswap.synthetic.shapes import PIVOT

MIRROR = [
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46),
    *(39, 38, 37, 36, 41, 40),
    *range(54, 47, -1),
    *range(59, 54, -1),
    *range(64, 59, -1),
    *(67, 66, 65),
]
"""The landmark on the other side of the face for each of the 68."""


def lip_gap(points):
    return np.mean([np.linalg.norm(points[a] - points[b]) for a, b in ((61, 67), (62, 66), (63, 65))])


def openness(points, first):
    pairs = ((first + 1, first + 5), (first + 2, first + 4))
    return np.mean([np.linalg.norm(points[a] - points[b]) for a, b in pairs])


def test_the_cast_has_six_people_found_by_name():
    assert len({member.name for member in CAST}) == len({member.seed for member in CAST}) == 6
    for member in CAST:
        assert member.name == member.name.lower()
        assert person(member.name) is member
    with pytest.raises(KeyError, match=CAST[3].name):
        person("nobody")


def test_the_same_arguments_give_the_same_bytes_in_another_process():
    scene = random_scene(np.random.default_rng(8))
    made = render(CAST[2], scene, 96)
    again = render(Person(CAST[2].seed, "another label"), scene, 96)
    assert made.image.tobytes() == again.image.tobytes()
    assert made.landmarks.tobytes() == again.landmarks.tobytes()
    program = (
        "import sys, zlib, numpy as np\n"
        "from faceswap.synthetic import CAST, random_scene, render\n"
        "made = render(CAST[2], random_scene(np.random.default_rng(8)), 96)\n"
        "parts = made.image, made.landmarks, made.mask\n"
        "print(zlib.crc32(b''.join(part.tobytes() for part in parts)))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    parts = made.image, made.landmarks, made.mask
    assert int(printed.stdout) == zlib.crc32(b"".join(part.tobytes() for part in parts))


@pytest.mark.parametrize("size", [64, 100, 256, 1024])
def test_every_size_gives_the_same_face(size):
    scene = Scene(pose=Pose(10, 5, -8))
    made = render(CAST[4], scene, size)
    assert made.image.shape == (size, size, 3)
    assert made.image.dtype == np.uint8
    assert made.mask.shape == (size, size)
    assert made.mask.dtype == made.landmarks.dtype == np.float32
    assert 0 <= made.mask.min() <= made.mask.max() <= 1
    reference = render(CAST[4], scene, 128)
    scaled = (made.landmarks + 0.5) * 128 / size - 0.5
    assert np.abs(scaled - reference.landmarks).max() < 0.35
    small = cv2.resize(made.image, (64, 64), interpolation=cv2.INTER_AREA).astype(float)
    other = cv2.resize(reference.image, (64, 64), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(small - other).mean() < 4


@pytest.mark.parametrize("size", [0, 63, 1025, -5])
def test_a_size_out_of_range_is_refused(size):
    with pytest.raises(ValueError, match=r"64 \.\. 1024"):
        render(CAST[0], Scene(), size)


def test_a_frontal_face_is_symmetric_about_the_middle_of_the_frame():
    for member in CAST:
        points = render(member, Scene(), 128).landmarks
        mirrored = points[MIRROR] * [-1, 1] + [127, 0]
        assert np.abs(points - mirrored).max() < 0.1


def test_opposite_yaw_mirrors_the_landmarks():
    right = render(CAST[1], Scene(pose=Pose(yaw=22)), 128).landmarks
    left = render(CAST[1], Scene(pose=Pose(yaw=-22)), 128).landmarks
    assert np.abs(left - (right[MIRROR] * [-1, 1] + [127, 0])).max() < 0.2
    front = render(CAST[1], Scene(), 128).landmarks
    assert right[30, 0] > front[30, 0] + 3, "positive yaw turns the nose to the right"


def test_positive_pitch_looks_down():
    front = render(CAST[1], Scene(), 128).landmarks
    down = render(CAST[1], Scene(pose=Pose(pitch=15)), 128).landmarks
    assert down[30, 1] - down[27, 1] != pytest.approx(front[30, 1] - front[27, 1], abs=0.3)
    assert down[30, 1] > front[30, 1]


@pytest.mark.parametrize("roll", [-30, 12, 90])
def test_roll_turns_the_landmarks_about_the_projected_pivot(roll):
    size = 200
    still = render(CAST[3], Scene(pose=Pose(yaw=15)), size).landmarks
    rolled = render(CAST[3], Scene(pose=Pose(yaw=15, roll=roll)), size).landmarks
    scale = SCALE * size * DISTANCE / (DISTANCE - PIVOT[2])
    pivot = np.array([size / 2 - 0.5, size / 2 - 0.5 - (PIVOT[1] - MIDDLE) * scale])
    angle = np.radians(roll)
    # Anticlockwise where y points down.
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert np.abs((still - pivot) @ turn.T + pivot - rolled).max() < 0.1


def test_zoom_scales_about_the_middle_and_shift_moves_by_parts_of_the_frame():
    size = 160
    plain = render(CAST[0], Scene(pose=Pose(8, 4, 6)), size).landmarks
    zoomed = render(CAST[0], Scene(pose=Pose(8, 4, 6), zoom=1.5), size).landmarks
    moved = render(CAST[0], Scene(pose=Pose(8, 4, 6), shift=(0.1, -0.05)), size).landmarks
    middle = size / 2 - 0.5
    assert np.abs((plain - middle) * 1.5 + middle - zoomed).max() < 0.02
    assert np.abs(plain + np.array([0.1, -0.05]) * size - moved).max() < 0.02


def test_opening_the_mouth_widens_the_inner_lips_gap():
    for member in CAST:
        gaps = [
            lip_gap(render(member, Scene(Expression(open=value)), 64).landmarks)
            for value in (0, 0.25, 0.5, 1)
        ]
        assert gaps[0] < 0.2
        assert (np.diff(gaps) > 1).all()


def test_each_eye_closes_by_itself():
    opened = render(CAST[0], Scene(), 128).landmarks
    winked = render(CAST[0], Scene(Expression(close_left=1)), 128).landmarks
    assert openness(winked, 42) < 0.1 * openness(opened, 42), "the person's left eye has landmarks 42 .. 47"
    assert openness(winked, 36) == pytest.approx(openness(opened, 36))


def test_the_picture_shows_the_closed_eye_and_the_open_mouth_where_the_landmarks_are():
    made = render(CAST[3], Scene(), 256)
    changed = render(CAST[3], Scene(Expression(open=0.8, close_left=1, close_right=1)), 256)
    difference = np.abs(made.image.astype(int) - changed.image).sum(-1)
    for points in (made.landmarks[36:42], made.landmarks[42:48], changed.landmarks[60:68]):
        x, y = points.mean(0).round().astype(int)
        assert difference[y - 3 : y + 4, x - 3 : x + 4].mean() > 60
    assert difference[:40, :40].max() == 0


def test_the_mask_covers_the_face_and_nothing_else():
    for member in CAST:
        made = render(member, Scene(pose=Pose(12, -4, 8)), 192)
        hull = np.zeros(made.mask.shape, np.uint8)
        cv2.fillConvexPoly(hull, cv2.convexHull(made.landmarks.round().astype(np.int32)), 1)
        inner = np.zeros_like(hull)
        cv2.fillConvexPoly(inner, cv2.convexHull(made.landmarks[17:].round().astype(np.int32)), 1)
        assert made.mask[inner > 0].mean() > 0.97
        assert made.mask[hull > 0].mean() > 0.88
        # Above the landmarks it ends at the brow line: no hair, no background.
        grown = cv2.dilate(hull, np.ones((25, 25), np.uint8))
        assert made.mask[grown == 0].max() == 0
        assert made.mask[:, :10].max() == made.mask[:, -10:].max() == 0


def test_the_mask_leaves_hair_out():
    for member in CAST:
        made = render(member, Scene(pose=Pose(25)), 128)
        points = made.landmarks
        crown = int(points[27, 1] - 1.6 * (points[8, 1] - points[27, 1]) * 0.6)
        assert made.mask[: max(crown, 1)].max() == 0


def test_two_people_in_one_scene_share_all_but_the_person():
    scene = random_scene(np.random.default_rng(6))
    first, second = render(CAST[1], scene, 128), render(CAST[4], scene, 128)
    for corner in (np.s_[:8, :8], np.s_[:8, -8:]):
        assert (first.image[corner] == second.image[corner]).all()
    assert np.abs(first.image.astype(int) - second.image).mean() > 5
    # The line through the eyes' middles depends on the pose alone, as both faces are symmetric.
    tilts = []
    for points in (first.landmarks, second.landmarks):
        across = points[42:48].mean(0) - points[36:42].mean(0)
        tilts.append(np.degrees(np.arctan2(across[1], across[0])))
    assert tilts[0] == pytest.approx(tilts[1], abs=1.5)


def test_the_lamp_decides_which_side_is_bright():
    sides = []
    for x in (-1, 1):
        made = render(CAST[0], Scene(light=Light(direction=(x, 0.2, 0.6))), 128)
        points = made.landmarks.round().astype(int)
        left, right = (
            made.image[points[31, 1], points[31, 0] - 15],
            made.image[points[35, 1], points[35, 0] + 15],
        )
        sides.append(int(left.sum()) - int(right.sum()))
    assert sides[0] > 60
    assert sides[1] < -60


def test_landmarks_of_a_clip_do_not_jump():
    tracks = np.array([render(CAST[5], scene, 64).landmarks for scene in clip(3, 1.2, 25)])
    eyes = np.linalg.norm(tracks[:, 36:42].mean(1) - tracks[:, 42:48].mean(1), axis=1).mean()
    steps = np.linalg.norm(np.diff(tracks[:, 17:], axis=0), axis=-1) / eyes
    assert steps.max() < 0.35
    assert np.median(steps) > 0.001, "it moves at all"


def test_random_people_render_without_end():
    rng = np.random.default_rng(12)
    faces = []
    for seed in range(1000, 1010):
        made = render(random_person(seed), random_scene(rng), 64)
        assert np.isfinite(made.landmarks).all()
        assert made.mask.sum() > 200
        faces.append(render(random_person(seed), Scene(), 64).image)
    assert len({face.tobytes() for face in faces}) == 10


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        random_person(-1)


def test_a_person_may_leave_the_frame():
    made = render(CAST[0], replace(Scene(), shift=(1.0, 1.0), zoom=0.3), 64)
    assert made.mask.max() == 0
