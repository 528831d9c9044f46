"""Views that a person's pictures do not show, on rendered heads whose landmarks at any angle are known."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points, apply
from faceswap.faces.pose import head_pose
from faceswap.model.training.more_views import ONLY_PICTURES, MoreViews, in_a_mirror, turned_to_the_front
from faceswap.synthetic import CAST, Pose, random_scene, render
from tests.model.fakes import GEOMETRY as FAKE
from tests.model.fakes import landmarks_in_crop

GEOMETRY = Geometry(192, 2.6, -0.25)


def turned(*yaws: float) -> tuple[NDArray[np.uint8], Points]:
    """Crops of a fictional person who turns the head, and the true landmarks in them."""
    scene = random_scene(np.random.default_rng(1))
    scene = replace(scene, zoom=0.8 * scene.zoom, expression=replace(scene.expression, open=0.0))
    crops, marks = [], []
    for yaw in yaws:
        found = render(CAST[0], replace(scene, pose=Pose(yaw=yaw)), 384)
        matrix = GEOMETRY.matrix(found.landmarks.astype(np.float64))
        crops.append(GEOMETRY.crop(found.image, matrix))
        marks.append(apply(matrix, found.landmarks.astype(np.float64)))
    return np.stack(crops), np.stack(marks)


def needed(*yaws: float, hidden: NDArray[np.bool_] | None = None) -> MoreViews:
    return MoreViews.needed(turned(*yaws)[1], GEOMETRY, hidden)


def test_more_views_are_needed_of_whom_one_side_alone_is_seen() -> None:
    assert needed(-15, 0, 15) == ONLY_PICTURES
    assert needed(0, 10, 20) == ONLY_PICTURES
    assert needed(14, 18, 25) == needed(-14, -18, -25) == MoreViews(1.0, to_the_front=True)
    assert needed(-15, 0, 15, hidden=np.ones((8, 8), bool)) == MoreViews(0.5)


def test_mirrored_crops_keep_what_a_landmark_means() -> None:
    marks = np.repeat(landmarks_in_crop()[None], 10, 0)
    crops = np.random.default_rng(0).integers(0, 256, (10, FAKE.size, FAKE.size, 4), np.uint8)
    some, mirrored = in_a_mirror(crops, marks, 0.3)
    assert len(some) == len(mirrored) == 3
    np.testing.assert_array_equal(some[0], crops[0, :, ::-1])
    for left, right in ((36, 45), (17, 26), (0, 16), (48, 54)):
        assert mirrored[0, left] == pytest.approx((FAKE.size - 1 - marks[0, right, 0], marks[0, right, 1]))


def test_turned_to_the_front_a_head_looks_as_from_the_front() -> None:
    crops, marks = turned(*[17.0] * 40)
    (front,), (goal,) = turned(0.0)
    warped, moved = turned_to_the_front(crops, marks, GEOMETRY)
    assert warped.shape == crops.shape
    yaws = np.array([head_pose(points)[0] for points in moved])
    assert yaws.max() < 13
    assert 0 < yaws.min() + 2 < 5  # of 17
    most = int(yaws.argmin())
    inner = slice(17, 68)

    def off(points: Points) -> float:
        return float(np.linalg.norm(points[inner] - goal[inner], axis=1).mean())

    assert off(moved[most]) < 0.45 * off(marks[0])
    around = marks[0].mean(axis=0).astype(int)
    face = np.s_[around[1] - 35 : around[1] + 35, around[0] - 30 : around[0] + 30]

    def differs(picture: NDArray[np.uint8]) -> float:
        return float(np.abs(picture[face].astype(float) - front[face]).mean())

    assert differs(warped[most]) < 0.8 * differs(crops[0])
    assert np.abs(warped[most][:2].astype(float) - crops[0][:2]).mean() < 3


def test_all_views_together_keep_the_pictures() -> None:
    crops, marks = turned(14, 18, 25)
    views, landmarks = MoreViews(1.0, to_the_front=True).added_to(crops, marks, GEOMETRY)
    assert len(views) == len(landmarks) == 12
    np.testing.assert_array_equal(views[:3], crops)
    np.testing.assert_array_equal(views[6:], views[:6, :, ::-1])
    same, as_before = ONLY_PICTURES.added_to(crops, marks, GEOMETRY)
    assert same is crops
    assert as_before is marks
