"""Lids that shut, against closed forms and a network that never blinks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points
from faceswap.swap.expression.lids import UsualOpenness, close_lids, closed_landmarks, lid_closing, openness
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.swap.fakes import Echo, KnownFaces, face_at, face_points

SIZE = 192
EYES = (slice(36, 42), slice(42, 48))


def opened(*ratios: float, size: float = SIZE / 1.5) -> Points:
    """The mean face with its left and right eye (of the picture) so high for their widths."""
    points = face_points((SIZE - 1) / 2, (SIZE - 1) / 2, size)
    for eye, ratio in zip(EYES, ratios, strict=True):
        rows = points[eye]
        middle, width = rows[:, 1].mean(), rows[3, 0] - rows[0, 0]
        rows[:, 1] = middle
        rows[[1, 2], 1] -= ratio * width / 2
        rows[[4, 5], 1] += ratio * width / 2
    return points


def picture_of(points: Points) -> NDArray[np.float32]:
    """Grey with white eyes and black lids above them."""
    picture = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    rows, columns = np.arange(SIZE)[:, None], np.arange(SIZE)
    for eye in EYES:
        marks = points[eye]
        upper = np.interp(columns, marks[[0, 1, 2, 3], 0], marks[[0, 1, 2, 3], 1])
        lower = np.interp(columns, marks[[0, 5, 4, 3], 0], marks[[0, 5, 4, 3], 1])
        inside = (columns >= marks[0, 0]) & (columns <= marks[3, 0])
        picture[(rows >= upper) & (rows <= lower) & inside] = 1
        picture[(rows < upper) & (rows >= upper - 2) & inside] = 0
    return picture


def white(picture: NDArray[np.float32], points: Points, eye: int) -> float:
    """Mean height of the white in the middle of an eye, px."""
    marks = points[EYES[eye]]
    columns = np.rint(marks[[1, 2], 0]).astype(int)
    return float(np.clip((picture[:, columns, 0] - 0.5) / 0.5, 0, 1).sum(axis=0).mean())


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_an_eye_loses_the_share_that_is_asked(share: float) -> None:
    points = opened(0.4, 0.4)
    before = picture_of(points)
    after = close_lids(before, points, np.array([share, 0.0]))
    assert white(after, points, 0) == pytest.approx((1 - share) * white(before, points, 0), abs=1)
    assert np.array_equal(after[:, SIZE // 2 :], before[:, SIZE // 2 :])


def test_a_shut_eye_shows_the_lid_and_no_white() -> None:
    points = opened(0.4, 0.4)
    after = close_lids(picture_of(points), points, np.ones(2))
    for eye in (0, 1):
        assert white(after, points, eye) < 1
    # the upper lid's edge has come down to where the lower one is
    column = round(float(points[37, 0]))
    assert after[:, column, 0].argmin() == pytest.approx(points[41, 1], abs=3)
    assert after.min() >= 0
    assert after.max() <= 1


def test_brows_nose_and_cheeks_stay() -> None:
    points = opened(0.4, 0.4)
    before = np.random.default_rng(0).uniform(0, 1, (SIZE, SIZE, 3)).astype(np.float32)
    after = close_lids(before, points, np.ones(2))
    still = np.ones((SIZE, SIZE), bool)
    for eye, brow in zip(EYES, (slice(17, 22), slice(22, 27)), strict=True):
        marks, width = points[eye], points[eye][3, 0] - points[eye][0, 0]
        above = points[brow]
        over = (above[:, 0] > marks[0, 0] - 3) & (above[:, 0] < marks[3, 0] + 3)
        top, bottom = above[over, 1].max(), marks[:, 1].max() + 0.4 * width
        still[int(top) : int(bottom) + 6, int(marks[0, 0]) - 3 : int(marks[3, 0]) + 4] = False
    assert np.array_equal(before[still], after[still])
    assert not np.array_equal(before, after)


def test_openness_is_the_mean_of_landmarks_and_contours() -> None:
    points = opened(0.3, 0.2)
    assert openness(points, np.array([0.4, np.nan])) == pytest.approx([0.35, 0.2], abs=0.003)
    assert openness(points, np.full(2, np.nan)) == pytest.approx([0.3, 0.2], abs=0.003)


def test_only_what_the_drawing_lacks_is_closed() -> None:
    shares, _ = lid_closing(np.array([0.3, 0.3]), np.array([0.12, 0.3]))
    assert shares == pytest.approx([1, 0])
    assert lid_closing(np.array([0.12, 0.12]), np.array([0.12, 0.12]))[0] == pytest.approx([0, 0])
    assert lid_closing(np.array([0.12, 0.3]), np.array([0.3, 0.3]))[0] == pytest.approx([0, 0])
    half, _ = lid_closing(np.array([0.3, 0.3]), np.array([0.18, 0.18]))
    assert (half > 0).all()
    assert (half < 1).all()


def watched(
    ratios: list[float], step: float = 0.04, generated: float = 0.3
) -> tuple[NDArray[np.float64], UsualOpenness]:
    """The shares of the last frame of a video, in which the target's eyes open so far."""
    usual, shares = None, np.zeros(2)
    for frame, ratio in enumerate(ratios):
        shares, usual = lid_closing(
            np.array([generated, generated]), np.array([ratio, ratio]), usual, frame * step
        )
    assert usual is not None
    return shares, usual


def test_on_a_video_wide_eyes_count_as_shut_earlier() -> None:
    assert lid_closing(np.array([0.3, 0.3]), np.array([0.25, 0.25]))[0] == pytest.approx([0, 0])
    shares, usual = watched([0.42] * 50 + [0.25])
    assert usual.target == pytest.approx([0.42] * 2, abs=0.02)
    assert shares == pytest.approx([1, 1], abs=0.15)


def test_on_a_video_narrow_eyes_become_open_ones() -> None:
    assert (lid_closing(np.array([0.3, 0.3]), np.array([0.175, 0.175]))[0] > 0.2).all()
    shares, _ = watched([0.175] * 1500)
    assert shares == pytest.approx([0, 0])


def test_a_blink_does_not_become_usual_and_long_shut_eyes_stay_shut() -> None:
    _, usual = watched([0.3] * 100 + [0.12] * 6)
    assert usual.target == pytest.approx([0.3] * 2, abs=0.01)
    shares, _ = watched([0.3] * 100 + [0.1] * 2000)
    assert shares == pytest.approx([1, 1])


class Reading(KnownFaces):
    """Reads shut eyes in dark pictures, open ones in bright ones."""

    def landmarks(self, frame: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Points:
        ratio = 0.1 if frame.mean() < 100 else 0.35
        return opened(ratio, ratio) * len(frame) / SIZE


class Staring(Echo):
    """Draws open eyes whatever it sees."""

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = self.geometry.size
        picture = picture_of(opened(0.35, 0.35))[:: SIZE // size, :: SIZE // size]
        return np.repeat(picture[None], len(crops), axis=0)


@pytest.mark.parametrize(("brightness", "moves"), [(40, True), (200, False)])
def test_a_network_that_stares_is_made_to_blink(brightness: int, moves: bool) -> None:
    face = face_at(160, 100, 90)
    frame = np.full((200, 320, 3), brightness, np.uint8)
    results = [
        Swapper(
            Staring(Geometry(96, 1.5)),
            Reading(face),
            SwapOptions(lids=lids, lips=0, colour="none", outline="target"),
        ).swap_face(frame, face.landmarks)
        for lids in (0.0, 1.0)
    ]
    assert np.array_equal(*results) is not moves


@pytest.mark.parametrize("share", [0.0, 0.4, 0.8])
def test_landmarks_follow_the_lids(share: float) -> None:
    points = opened(0.4, 0.4)
    after = closed_landmarks(points, np.array([share, 0.0]))
    heights = after[[41, 40], 1] - after[[37, 38], 1]
    shown = white(close_lids(picture_of(points), points, np.array([share, 0.0])), points, 0)
    np.testing.assert_allclose(heights, shown, atol=1.5)
    np.testing.assert_array_equal(after[[36, 39]], points[[36, 39]])
    np.testing.assert_array_equal(after[42:], points[42:])
