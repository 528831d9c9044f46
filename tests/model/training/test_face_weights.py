import numpy as np
import pytest

from faceswap.model.presets import LossWeights
from faceswap.model.training.face_weights import hidden_side, weight_map
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
