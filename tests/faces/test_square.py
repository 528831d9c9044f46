import numpy as np
import pytest

from faceswap.faces.finding.square import Square, around
from faceswap.faces.geometry import apply, invert

IMAGE = np.random.default_rng(3).integers(0, 255, (40, 60, 3), np.uint8)
RAMP = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[:, None], (40, 1, 3))
"""Four grey levels a pixel to the right."""


def test_an_upright_square_is_that_part_of_the_frame() -> None:
    part = Square(x=19.5, y=14.5, side=16)
    np.testing.assert_array_equal(part.cut(IMAGE, 16), IMAGE[7:23, 12:28])
    np.testing.assert_array_equal(part.cut(IMAGE, 16, mirrored=True), IMAGE[7:23, 12:28][:, ::-1])
    np.testing.assert_allclose(part.cut(RAMP, 4)[..., 0], np.tile(54 + 16 * np.arange(4), (4, 1)), atol=1)


def test_a_turned_square_stands_upright_in_its_picture() -> None:
    part = Square(x=19.5, y=14.5, side=16, angle=np.pi / 2)
    np.testing.assert_array_equal(part.cut(IMAGE, 16), np.rot90(IMAGE[7:23, 12:28]))


def test_beyond_the_frame_it_is_black() -> None:
    cut = Square(x=-0.5, y=-0.5, side=16).cut(IMAGE, 16)
    np.testing.assert_array_equal(cut[8:, 8:], IMAGE[:8, :8])
    assert not cut[:7].any() and not cut[:, :7].any()
    assert not Square(x=500, y=500, side=16).cut(IMAGE, 16).any()


@pytest.mark.parametrize("angle", [0.0, 0.7, 3.0])
def test_the_square_around_points_holds_them(angle: float) -> None:
    points = np.random.default_rng(1).normal(30, 9, (20, 2))
    inside = apply(around(points, angle, 1.5).matrix(90), points)
    low, high = inside.min(0), inside.max(0)
    assert max(high - low) == pytest.approx(90 / 1.5)
    np.testing.assert_allclose((low + high) / 2, 44.5)
    np.testing.assert_allclose(apply(invert(around(points, angle, 1.5).matrix(90)), inside), points)
