import cv2
import numpy as np
import pytest

from faceswap.swap.compositing.focus import (
    around_eyes,
    blur_of,
    blur_of_face,
    blurred,
    missing_blur,
)
from faceswap.synthetic import CAST, Person, random_scene, render


def edges(sigma: float) -> np.ndarray:
    """(128, 128, 3) float32: stripes of 16 px, blurred by ``sigma`` px."""
    stripes = np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((16, 16))).astype(np.float32)
    picture = 0.3 + 0.4 * stripes
    return np.repeat(cv2.GaussianBlur(picture, (0, 0), sigma)[..., None], 3, 2)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_the_blur_of_an_edge_is_measured(sigma: float) -> None:
    assert blur_of(edges(sigma)) == pytest.approx(sigma, rel=0.15)


def test_a_flat_picture_has_no_edge_to_measure() -> None:
    assert blur_of(np.full((64, 64, 3), 0.5, np.float32)) == 0
    assert missing_blur(1.0, 0.0, 0.5) == 0


def test_a_crisp_swap_is_blurred_as_far_as_the_target_and_no_further() -> None:
    swap = edges(1.0)
    matched = blurred(swap, missing_blur(blur_of(swap), 6.0, enlarged=0.5))
    assert blur_of(matched) == pytest.approx(3.0, rel=0.2)
    assert missing_blur(2.0, 1.6, enlarged=0.5) == 0, "the swap is softer"
    # a small face, enlarged four times, is blurred by that and not by the lens
    assert missing_blur(1.0, 0.9, enlarged=4.0) == 0


@pytest.mark.parametrize("who", CAST[:3], ids=lambda one: one.name)
def test_focus_is_told_by_the_eyes_whatever_the_skin_shows(who: Person) -> None:
    found = render(who, random_scene(np.random.default_rng(5), max_yaw=10, max_pitch=5), 512)
    marks = found.landmarks.astype(np.float64)
    eyes = around_eyes(marks, 512, 200)[..., None]
    smooth = np.where(eyes, found.image, cv2.GaussianBlur(found.image, (0, 0), 6.0))
    assert blur_of_face(smooth, marks) < 1.5
    for sigma in (3.0, 5.0):
        blurry = cv2.GaussianBlur(found.image, (0, 0), sigma)
        assert blur_of_face(blurry, marks) == pytest.approx(sigma, rel=0.35)
