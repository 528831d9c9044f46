from dataclasses import replace

import numpy as np
import pytest

from faceswap.faces.geometry import Points
from faceswap.model.presets import LossWeights
from faceswap.model.training.face_weights import hidden_side, in_a_mirror, mirrored_share, weight_map
from faceswap.synthetic import CAST, Pose, random_scene, render
from tests.model.fakes import GEOMETRY, landmarks_in_crop


def test_weights_are_highest_at_eyes_and_mouth_and_lowest_outside() -> None:
    marks = landmarks_in_crop()
    weights = weight_map(marks, GEOMETRY, LossWeights(background=0.2, features=4)) / 255 * 4
    x, y = marks[62].round().astype(int)
    cheek = marks[[2, 31]].mean(0).round().astype(int)
    assert weights[y, x] > 3
    assert 0.8 < weights[cheek[1], cheek[0]] < 1.6
    forehead = (marks[[19, 24]].mean(0) - (0, 0.4 * GEOMETRY.unit)).round().astype(int)
    assert weights[forehead[1], forehead[0]] == pytest.approx(1, abs=0.05)
    assert weights[2, 2] == pytest.approx(0.2, abs=0.03)


def test_what_lies_over_the_face_above_the_eyes_counts_little_and_is_no_surroundings_of_its_own() -> None:
    marks, loss = landmarks_in_crop(), LossWeights(background=0.2, features=4, covered=0.05)
    half = np.ones((GEOMETRY.size, GEOMETRY.size), np.float32)
    half[:, : GEOMETRY.size // 2] = 0
    plain = weight_map(marks, GEOMETRY, loss).astype(float) / 255 * 4
    weights = weight_map(marks, GEOMETRY, loss, half).astype(float) / 255 * 4
    for side, share in (([17, 18, 19], 0.05), ([24, 25, 26], 1.0)):
        x, y = (marks[side].mean(0) - (0, 0.2 * GEOMETRY.unit)).round().astype(int)
        assert weights[y, x] == pytest.approx(share * plain[y, x], abs=0.05)
    x, y = marks[62].round().astype(int)
    np.testing.assert_array_equal(weights[y - 5 :], plain[y - 5 :])
    assert weights[2, 2] == plain[2, 2]


def test_the_hidden_side_is_seldom_seen_and_the_other_is() -> None:
    marks = np.repeat(landmarks_in_crop()[None], 6, 0)
    size = GEOMETRY.size
    seen = np.ones((6, size, size), np.float32)
    assert hidden_side(marks, GEOMETRY, seen) is None
    seen[..., : size // 2] = 0
    found = hidden_side(marks, GEOMETRY, seen)
    assert found is not None
    margin = round(0.08 * GEOMETRY.unit)
    assert found[:, : size // 2].all()
    assert not found[:, size // 2 + margin + 1 :].any()
    other = hidden_side(marks, GEOMETRY, seen[..., ::-1])
    assert other is not None
    np.testing.assert_array_equal(other, found[:, ::-1])
    often = seen.copy()
    often[:5] = 1
    assert hidden_side(marks, GEOMETRY, often) is None
    assert hidden_side(marks, GEOMETRY, np.zeros_like(seen)) is None, "a fringe over both sides"


def turned(*yaws: float) -> Points:
    """(n, 68, 2) a fictional person's landmarks, the head turned so far."""
    scenes = [replace(random_scene(np.random.default_rng(1)), pose=Pose(yaw=yaw)) for yaw in yaws]
    return np.stack([render(CAST[0], scene, 128).landmarks.astype(np.float64) for scene in scenes])


def test_mirrored_pictures_show_whom_nothing_else_shows() -> None:
    assert mirrored_share(turned(-15, 0, 15), None) == 0
    assert mirrored_share(turned(0, 10, 20), None) == 0
    assert mirrored_share(turned(14, 18, 25), None) == 1
    assert mirrored_share(turned(-14, -18, -25), None) == 1
    assert 0 < mirrored_share(turned(-15, 0, 15), np.ones((8, 8), bool)) < 1


def test_mirrored_crops_keep_what_a_landmark_means() -> None:
    marks = np.repeat(landmarks_in_crop()[None], 10, 0)
    crops = np.random.default_rng(0).integers(0, 256, (10, GEOMETRY.size, GEOMETRY.size, 4), np.uint8)
    some, turned = in_a_mirror(crops, marks, 0.3)
    assert len(some) == len(turned) == 3
    np.testing.assert_array_equal(some[0], crops[0, :, ::-1])
    for left, right in ((36, 45), (17, 26), (0, 16), (48, 54)):
        assert turned[0, left] == pytest.approx((GEOMETRY.size - 1 - marks[0, right, 0], marks[0, right, 1]))
