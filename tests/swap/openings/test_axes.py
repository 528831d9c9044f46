"""Coordinates of eyes and mouths, against closed forms."""

import numpy as np
import pytest

from faceswap.swap.openings.axes import Axis, Window, edge, lay_in, sample

AXIS = Axis.between(np.array([20.0, 30.0]), np.array([26.0, 38.0]))


def test_the_ends_lie_at_one_and_a_point_below_lies_down() -> None:
    assert AXIS.half == pytest.approx(5)
    ends = AXIS.of(np.array([[20.0, 30.0], [26.0, 38.0], [23.0, 34.0], [19.0, 37.0]]))
    np.testing.assert_allclose(ends, [[-1, 0], [1, 0], [0, 0], [0, 1]], atol=1e-12)
    points = np.random.default_rng(0).uniform(0, 50, (4, 5, 2))
    np.testing.assert_allclose(AXIS.px(AXIS.of(points)), points)


def test_an_edge_goes_through_its_points_and_is_level_beyond_them() -> None:
    flat = Axis.between(np.array([10.0, 20.0]), np.array([30.0, 20.0]))
    lid = np.array([[30.0, 20.0], [25.0, 16.0], [15.0, 15.0], [10.0, 21.0]])
    found = edge(flat, lid, np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]))
    np.testing.assert_allclose(found, [0.1, 0.1, -0.5, -0.4, 0.0, 0.0], atol=0.01)


def test_a_window_knows_where_its_pixels_lie_and_ends_with_the_picture() -> None:
    window = Window.around(AXIS, 2.0, (40, 60, 3))
    rows, columns = np.mgrid[window.part]
    local = AXIS.of(np.stack([columns, rows], axis=-1).astype(np.float64))
    np.testing.assert_allclose(np.stack([window.along, window.down], axis=-1), local)
    assert rows.max() == 39
    assert Window.around(AXIS, 1.0, (10, 10, 3)).empty


def test_what_is_sampled_where_it_lies_is_laid_in_by_its_share_alone() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (60, 60, 3), np.uint8)
    window = Window.around(AXIS, 1.5, picture.shape)
    local = np.stack([window.along, window.down], axis=-1)
    pixels = sample(picture, AXIS.px(local))
    np.testing.assert_allclose(pixels, picture[window.part], atol=0.6)
    over = np.zeros_like(picture)
    lay_in(over, window, pixels, np.ones(window.along.shape), 0.3)
    np.testing.assert_allclose(over[window.part].astype(int), picture[window.part], atol=1)
    over[window.part] = 0
    assert not over.any()
    lay_in(over, window, pixels, np.zeros(window.along.shape), 0.3)
    assert not over.any()
