import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswap.errors import FaceError
from faceswap.faces.geometry import (
    TEMPLATE,
    Geometry,
    apply,
    compose,
    fit_similarity,
    invert,
    scale_of,
    warp,
)


def similarity(angle: float, scale: float, x: float, y: float) -> np.ndarray:
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, -b, x], [b, a, y]])


@given(st.floats(-3.1, 3.1), st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_found_exactly(angle: float, scale: float, x: float, y: float) -> None:
    truth = similarity(angle, scale, x, y)
    points = np.random.default_rng(0).normal(size=(51, 2)) * 30
    np.testing.assert_allclose(fit_similarity(points, apply(truth, points)), truth, atol=1e-6 * max(1, scale))


def test_the_fit_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(51, 2)), rng.normal(size=(51, 2))
    best = fit_similarity(source, target)

    def error(m: np.ndarray) -> float:
        return float(((apply(m, source) - target) ** 2).sum())

    for _ in range(50):
        other = similarity(*rng.normal(0, 0.05, 4)) * 0.05 + best
        other[:, :2] = [[other[0, 0], -other[1, 0]], [other[1, 0], other[0, 0]]]
        assert error(best) <= error(other) + 1e-12


def test_a_mirrored_face_is_not_fitted_by_a_mirror() -> None:
    matrix = fit_similarity(TEMPLATE, TEMPLATE * (-1, 1))
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize("bad", [np.ones((51, 2)), np.full((51, 2), np.nan)])
def test_degenerate_landmarks_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(FaceError, match="collapse"):
        fit_similarity(bad, TEMPLATE)


def test_inverse_and_composition() -> None:
    m = similarity(0.4, 2.5, 7, -3)
    points = np.random.default_rng(0).normal(size=(9, 2)) * 100
    np.testing.assert_allclose(apply(compose(invert(m), m), points), points, atol=1e-9)
    assert scale_of(m) == pytest.approx(2.5)


def test_what_maps_everything_onto_a_line_has_no_inverse() -> None:
    with pytest.raises(FaceError):
        invert(np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0]]))


def test_the_template_lands_on_itself() -> None:
    geometry = Geometry(64, 1.5)
    marks = np.vstack([np.zeros((17, 2)), geometry.template])
    np.testing.assert_allclose(geometry.matrix(marks), [[1, 0, 0], [0, 1, 0]], atol=1e-9)


def test_coverage_is_the_side_in_face_heights() -> None:
    wide, tight = Geometry(100, 3.0), Geometry(100, 1.5)
    assert np.ptp(tight.template[:, 1]) == pytest.approx(2 * np.ptp(wide.template[:, 1]))
    assert np.ptp(tight.template[:, 1]) == pytest.approx(100 / 1.5, rel=0.01)


def test_a_crop_reaches_as_far_above_and_below_its_centre() -> None:
    whole = Geometry(225, 2.25, -0.25)  # 100 px a face height, from -1.375 to 0.875 of them
    np.testing.assert_allclose(whole.template, TEMPLATE * 100 + (112, 137), atol=1e-9)
    inner = Geometry(150, 1.5)
    assert whole.margin_over(inner) == pytest.approx(0.125)
    assert inner.margin_over(whole) == pytest.approx(-0.625)


@pytest.mark.parametrize("centre", [0.0, -0.25])
def test_crops_of_one_face_are_related_by_from_crop(centre: float) -> None:
    marks = apply(similarity(0.3, 1.7, 120, 90), np.vstack([np.zeros((17, 2)), Geometry(64, 1.5).template]))
    stored, network = Geometry(256, 2.6, -0.25), Geometry(64, 1.5, centre)
    direct = network.matrix(marks)
    chained = compose(network.from_crop(stored), stored.matrix(marks))
    np.testing.assert_allclose(direct, chained, atol=1e-9)


def test_pixel_centres_halving_is_exact() -> None:
    """Halving a crop averages 2 x 2 pixels: pixel 0 of the small one lies at 0.5 of the large one."""
    large, small = Geometry(64, 1.5), Geometry(32, 1.5)
    np.testing.assert_allclose(
        apply(small.from_crop(large), np.array([[0.5, 0.5], [62.5, 62.5]])), [[0, 0], [31, 31]]
    )
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    expected = image.reshape(32, 2, 32, 2, 3).mean((1, 3))
    np.testing.assert_allclose(small.crop(image, small.from_crop(large)), expected, atol=1)


def test_a_crop_at_its_own_scale_is_the_frame_to_the_pixel() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    crop = Geometry(64, 1.5).crop(frame, np.array([[1.0, 0, -100], [0, 1, -50]]))
    np.testing.assert_array_equal(crop, frame[50:114, 100:164])


def test_a_large_face_does_not_alias() -> None:
    """Fine noise shrunk ten times averages out; single samples of it, as bilinear takes, would not."""
    frame = np.random.default_rng(0).integers(0, 256, (640, 640, 3), dtype=np.uint8)
    tenth = np.array([[0.1, 0, 0], [0, 0.1, 0]])
    assert warp(frame, tenth, (64, 64)).std() < 12
    assert cv2.warpAffine(frame, tenth, (64, 64)).std() > 40


def test_geometry_round_trips_and_refuses_nonsense() -> None:
    geometry = Geometry(96, 1.6, -0.2, 1.2)
    assert Geometry.from_dict(geometry.to_dict()) == geometry
    assert Geometry.from_dict({"size": 96, "coverage": 1.6}) == Geometry(96, 1.6), "as it was stored before"
    assert geometry.at(48) == Geometry(48, 1.6, -0.2, 1.2)
    for values in ((4, 1.5), (64, 0.1), (64, 99), (64, 1.5, 2), (64, 1.5, 0, 1.6)):
        with pytest.raises(FaceError, match="no sense"):
            Geometry(*values)
