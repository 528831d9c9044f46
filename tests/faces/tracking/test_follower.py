import numpy as np
import pytest

from faceswap.faces.tracking.follower import Follower, OneEuro
from tests.swap.fakes import face_at, face_points

FPS = 25.0


def run(points: list[np.ndarray], unit: float = 200.0) -> np.ndarray:
    filtered = OneEuro()
    return np.array([filtered(p, i / FPS, unit) for i, p in enumerate(points)])


def test_noise_at_rest_is_halved_at_least() -> None:
    rng = np.random.default_rng(0)
    still = face_points(250, 250, 200)
    noisy = [still + rng.normal(0, 0.5, still.shape) for _ in range(100)]
    calm = run(noisy)[10:]

    def jitter(track: np.ndarray) -> float:
        return float(np.abs(np.diff(track, axis=0)).mean())

    assert jitter(calm) < 0.5 * jitter(np.array(noisy)[10:])
    assert np.abs(calm.mean(0) - still).max() < 0.5  # no bias


def test_motion_hardly_lags() -> None:
    # Half a face height in a second: the filtered points stay within 3 % of a face height.
    moving = [face_points(200 + 4 * i, 250, 200) for i in range(50)]
    lag = np.abs(run(moving) - np.array(moving))[10:].max()
    assert lag < 0.03 * 200


def test_filter_does_not_depend_on_the_resolution() -> None:
    rng = np.random.default_rng(1)
    points = [face_points(200 + 3 * i, 250, 200) + rng.normal(0, 1, (68, 2)) for i in range(20)]
    assert np.allclose(run([p * 4 for p in points], 800.0), 4 * run(points), atol=1e-6)


def test_two_faces_keep_their_memory_when_their_order_changes() -> None:
    follower = Follower()
    left, right = face_at(100, 100, 60), face_at(300, 100, 60)
    first = follower.update([left, right], 0.0)
    second = follower.update([right, left], 0.04)
    assert second[0][1] is first[1][1]
    assert second[1][1] is first[0][1]


def test_a_jump_starts_anew_without_a_trail() -> None:
    follower = Follower()
    follower.update([face_at(100, 100, 60)], 0.0)
    there = face_at(300, 100, 60)
    (face, _), *_ = follower.update([there], 0.04)
    assert (face.landmarks == there.landmarks).all()


@pytest.mark.parametrize(("gap", "same"), [(0.3, True), (0.8, False)])
def test_a_face_out_of_sight_is_forgotten_after_half_a_second(gap: float, same: bool) -> None:
    follower = Follower()
    ((_, known),) = follower.update([face_at(100, 100, 60)], 0.0)
    follower.update([], gap / 2)
    ((_, again),) = follower.update([face_at(101, 100, 60)], gap)
    assert (again is known) is same


def test_not_steady_changes_no_landmark() -> None:
    follower = Follower(steady=False)
    follower.update([face_at(100, 100, 60)], 0.0)
    moved = face_at(101, 100, 60)
    assert (follower.update([moved], 0.04)[0][0].landmarks == moved.landmarks).all()
