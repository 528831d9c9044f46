"""Irises that move, against closed forms, and on rendered people whose gaze is known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.eyes import gaze
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.geometry import Geometry
from faceswap.swap.expression.irises import GazeChange, move_irises
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import CAST, Expression, Pose, Scene, render
from tests.swap.fakes import Echo, face_points

SIZE = 192
EYES = (slice(36, 42), slice(42, 48))
POINTS = face_points((SIZE - 1) / 2, (SIZE - 1) / 2, SIZE / 1.5)


def staring(looks: float) -> NDArray[np.float32]:
    """Grey with white eyes and black irises, whose centres lie so far from the eyes' middles."""
    picture = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for eye in EYES:
        marks = POINTS[eye]
        (x, y), half = marks.mean(axis=0), (marks[3, 0] - marks[0, 0]) / 2
        picture[np.hypot((columns - x) / half, (rows - y) / (0.45 * half)) < 1] = 1
        picture[np.hypot(columns - x - looks * half, rows - y) < 0.3 * half] = 0
    return picture


def where_irises_lie(picture: NDArray[np.float32]) -> list[float]:
    """The centre of what is black in each eye, in halves of its width."""
    found = []
    for eye in EYES:
        marks = POINTS[eye]
        half = (marks[3, 0] - marks[0, 0]) / 2
        left, right = int(marks[0, 0]), int(marks[3, 0]) + 1
        dark = np.clip(0.5 - picture[:, left:right, 0], 0, 1).sum(axis=0)
        centre = (dark * np.arange(left, right)).sum() / dark.sum()
        found.append(float((centre - marks[:, 0].mean()) / half))
    return found


@pytest.mark.parametrize(("looks", "amount"), [(0.0, 0.3), (0.0, -0.2), (0.25, -0.4), (-0.1, 0.15)])
def test_irises_come_to_lie_where_they_are_asked_to(looks: float, amount: float) -> None:
    before = staring(looks)
    after = move_irises(before, POINTS, looks, amount)
    assert where_irises_lie(after) == pytest.approx([looks + amount] * 2, abs=0.04)
    around = np.ones((SIZE, SIZE), bool)
    for eye in EYES:
        (x0, y0), (x1, y1) = POINTS[eye].min(axis=0), POINTS[eye].max(axis=0)
        reach = 0.2 * (x1 - x0)
        around[int(y0 - reach) : int(y1 + reach) + 1, int(x0 - reach) : int(x1 + reach) + 1] = False
    np.testing.assert_array_equal(after[around], before[around])


def test_they_stay_in_the_eye_and_whole_however_far_is_asked() -> None:
    before = staring(0.2)
    after = move_irises(before, POINTS, 0.2, 5.0)
    found = where_irises_lie(after)
    assert all(0.3 < x < 0.6 for x in found)
    black = [float((picture[..., 0] < 0.25).sum()) for picture in (before, after)]
    assert black[1] == pytest.approx(black[0], rel=0.12)
    np.testing.assert_array_equal(move_irises(before, POINTS, math.nan, 0.3), before)
    np.testing.assert_array_equal(move_irises(before, POINTS, 0.9, 0.3), before)


def test_on_a_video_the_target_is_followed_at_once_and_noise_of_the_generated_is_not() -> None:
    change = GazeChange.after(None, 0.1, 0.0)
    assert change.amount == pytest.approx(0.1)
    later = GazeChange.after(change, 0.4, 0.2, 0.04)
    assert later.target > 0.25
    assert later.generated < 0.02
    blink = GazeChange.after(later, math.nan, math.nan, 0.08)
    assert (blink.target, blink.generated) == (later.target, later.generated)
    assert GazeChange.after(None, math.nan, 0.0).amount == 0
    again = GazeChange.after(later, 0.0, 0.1, 0.0)  # another place of the video
    assert again.amount == pytest.approx(-0.1)


def test_a_network_that_stares_looks_where_the_target_looks() -> None:
    geometry = Geometry(144, 2.25, -0.25)
    stares = render(CAST[1], Scene(pose=Pose()), 384)
    marks = stares.landmarks.astype(np.float64)
    picture = geometry.crop(stares.image, geometry.matrix(marks)).astype(np.float32) / 255

    class Staring(Echo):
        def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.repeat(picture[None], len(crops), axis=0)

    asked, seen = [], {0.0: [], 1.0: []}  # type: ignore[var-annotated]
    for x in (-0.8, -0.4, 0.0, 0.4, 0.8):
        target = render(CAST[0], Scene(expression=Expression(gaze_x=x)), 384)
        points = target.landmarks.astype(np.float64)
        asked.append(gaze(target.image, points)[0])
        for share, found in seen.items():
            options = SwapOptions(label=False, gaze=share, lids=0, lips=0, outline="target", occlusion="none")
            swapper = Swapper(Staring(geometry), FaceFinder(), options)
            found.append(gaze(swapper.swap_face(target.image, points), points)[0])
    slopes = [float(np.polyfit(asked, found, 1)[0]) for found in seen.values()]
    assert abs(slopes[0]) < 0.2
    assert slopes[1] > 0.4
    assert np.corrcoef(asked, seen[1.0])[0, 1] > 0.9
