"""The target's head takes the generated face's outline: closed forms, and what must not move."""

import numpy as np
import pytest

from faceswap.faces.geometry import Geometry, Points, apply, compose
from faceswap.faces.landmarks import INNER
from faceswap.faces.pose import frontality
from faceswap.faces.regions import face_height, region_of
from faceswap.swap.compositing.reshaping import Reshaping
from faceswap.swap.masks.face_mask import feature_mask
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.swap.fakes import KnownFaces, Paint, face_at, face_points, smooth_noise

GEOMETRY = Geometry(96, 1.5)
FACE = face_points(200, 210, 120)
MATRIX = GEOMETRY.matrix(FACE)
MIDDLE = FACE[INNER].mean(axis=0)


def scaled(points: Points, by: float) -> Points:
    """The jaw further from the middle of the inner face by a factor."""
    result = points.copy()
    result[:17] = MIDDLE + (result[:17] - MIDDLE) * by
    return result


@pytest.mark.parametrize("by", [0.87, 1.1, 1.19])
def test_on_the_generated_outline_lies_the_targets(by: float) -> None:
    generated = scaled(FACE, by)
    found = Reshaping(FACE, generated, MATRIX).sources(generated[:17])
    assert np.abs(found - FACE[:17]).max() < 0.02 * 120
    assert np.abs(Reshaping(FACE, generated, MATRIX).moved(FACE) - generated).max() < 0.02 * 120


@pytest.mark.parametrize("by", [0.5, 0.85, 1.15, 2.0])
def test_the_map_does_not_fold_and_has_an_end(by: float) -> None:
    middle = np.array((250.0, 260.0))  # of a larger frame
    matrix = GEOMETRY.matrix(FACE + middle)
    reshaping = Reshaping(FACE + middle, scaled(FACE, by) + middle, matrix)
    grid = np.stack(np.meshgrid(np.arange(900.0), np.arange(940.0)), -1)
    sources = reshaping.sources(grid)
    dx, dy = np.diff(sources, axis=1)[:-1], np.diff(sources, axis=0)[:, :-1]
    area = dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]
    assert area.min() > 0.1
    region = reshaping.region(900, 940)
    outside = np.ones((940, 900), bool)
    outside[region.slices] = False
    assert np.abs(sources - grid)[outside].max() < 1e-6


def test_the_same_outline_moves_nothing() -> None:
    image = smooth_noise(400, 400)
    before = image.copy()
    Reshaping(FACE, FACE, MATRIX).apply(image)
    assert np.array_equal(image, before)


def test_forehead_and_inner_face_stay() -> None:
    reshaping = Reshaping(FACE, scaled(FACE, 0.85), MATRIX)
    top = MIDDLE + np.array([(0.0, -0.9), (0.2, -0.8), (-0.2, -1.2)]) * 120
    for points in (top, FACE[17:48]):  # brows, nose, eyes
        assert np.abs(reshaping.sources(points) - points).max() < 0.05


def test_a_picture_moves_as_the_map_says() -> None:
    """A dot on the target's jaw is found on the generated face's jaw, on a tilted face too."""
    turn = np.array([[np.cos(0.3), -np.sin(0.3), 40], [np.sin(0.3), np.cos(0.3), -20]])
    face, generated = apply(turn, FACE), apply(turn, scaled(FACE, 0.85))
    matrix = compose(MATRIX, np.linalg.inv(np.vstack([turn, [0, 0, 1]]))[:2])
    image = np.zeros((420, 420, 3), np.uint8)
    x, y = np.rint(face[4]).astype(int)
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    Reshaping(face, generated, matrix).apply(image)
    ys, xs = np.nonzero(image[..., 0] > 100)
    assert np.hypot(xs.mean() - generated[4, 0], ys.mean() - generated[4, 1]) < 2.5


def test_no_stripes_where_the_face_ends_at_the_frames_border() -> None:
    image = smooth_noise(400, 400)[:290]  # the chin lies 10 px above its lower border
    before = image.copy()
    Reshaping(FACE, scaled(FACE, 0.85), MATRIX).apply(image)
    below = slice(160, 240)
    assert np.abs(image[-12:, below].astype(int) - before[-12:, below]).max() > 10, "it moves"
    down = np.abs(np.diff(image[-12:, below].astype(int), axis=0)).mean(axis=(1, 2))
    assert down.min() > 0.3 * np.abs(np.diff(before[-40:, below].astype(int), axis=0)).mean()


def test_another_face_is_not_moved() -> None:
    other = face_points(375, 210, 120)
    reshaping = Reshaping(FACE, scaled(FACE, 1.15), MATRIX, others=[other])
    assert np.abs(reshaping.sources(other) - other).max() < 1e-6
    near = face_points(290, 210, 120)  # they touch: nothing can move between them
    grid = np.stack(np.meshgrid(np.arange(0, 400, 7.0), np.arange(0, 400, 7.0)), -1)
    assert np.array_equal(
        Reshaping(FACE, scaled(FACE, 1.15), MATRIX, others=[near]).sources(grid).round(6), grid
    )


def test_in_profile_nothing_is_reshaped() -> None:
    assert frontality(FACE) == 1
    profile = FACE.copy()
    profile[:, 0] = MIDDLE[0] + (profile[:, 0] - MIDDLE[0]) * 0.3
    profile[27:36, 0] += 60  # the nose points to a side
    assert frontality(profile) == 0


class Narrow(KnownFaces):
    """Detects a narrow jaw where one colour was generated."""

    def landmarks(self, frame: np.ndarray, box: tuple[float, float, float, float]) -> Points:
        points = super().landmarks(frame, box).copy()
        if frame.std(axis=(0, 1)).max() > 1:
            return points
        middle = points[INNER].mean(axis=0)
        points[:17] = middle + (points[:17] - middle) * 0.85
        return points


def test_protected_pixels_stay_to_the_bit_and_the_option_turns_it_off() -> None:
    frame = smooth_noise(400, 400)
    finder, network = Narrow(face_at(200, 210, 120)), Paint(GEOMETRY, (200, 150, 120))
    options = SwapOptions(label=False, protect=("mouth", "eyes"))
    swapped = Swapper(network, finder, options).swap(frame).image
    region = region_of(GEOMETRY, MATRIX, 400, 400)
    for feature in options.protect:
        kept = feature_mask(feature, region, FACE, face_height(GEOMETRY, MATRIX)) == 1
        assert kept.any()
        assert np.array_equal(swapped[region.slices][kept], frame[region.slices][kept])
    ring = tuple(
        np.rint(FACE[3] + (-12, 0)).astype(int)[::-1]
    )  # beside the jaw: only the reshaping gets there
    assert not np.array_equal(swapped[ring], frame[ring])
    still = Swapper(network, finder, options.model_copy(update={"reshape": 0.0})).swap(frame).image
    assert np.array_equal(still[ring], frame[ring])
