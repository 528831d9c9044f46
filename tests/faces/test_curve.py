"""The curve of lips and lids; the truth is SciPy's."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from faceswap.faces.regions import curve


@pytest.mark.parametrize("count", [3, 5, 7])
def test_it_is_scipys_pchip(count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(200):
        x, y = np.sort(rng.random(count)) * 50, rng.normal(size=count) * 10
        places = x + 1e-3 * np.arange(count) * np.ptp(x)
        at = rng.uniform(places[0], places[-1], (4, 11))
        np.testing.assert_allclose(curve(x, y, at), PchipInterpolator(places, y)(at), atol=1e-9)


def test_it_is_level_beyond_its_ends_and_takes_points_in_any_order() -> None:
    x, y = np.array([4.0, 0.0, 9.0, 6.0]), np.array([2.0, 1.0, -3.0, 2.0])
    found = curve(x, y, np.array([-5.0, 0.0, 100.0]))
    np.testing.assert_allclose(found, [1, 1, -3], atol=1e-9)
    order = np.argsort(x)
    np.testing.assert_array_equal(curve(x, y, x), curve(x[order], y[order], x))


def test_points_in_one_place_are_taken() -> None:
    found = curve(np.array([1.0, 1.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0, 3.0]), np.linspace(1, 2, 9))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()
