import cv2
import numpy as np
import pytest

from faceswap.evaluation import metrics
from faceswap.evaluation.crispness_calibration import crispness_on
from faceswap.faces.crispness import Crispness
from faceswap.faces.faceset import FaceSet
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.geometry import Geometry
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import CAST, random_scene, render
from tests.swap.fakes import Echo


class Faces:
    """Rendered pictures as held-out faces."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(4)
        found = [render(CAST[1], random_scene(rng, max_yaw=8, max_pitch=4), 256) for _ in range(count)]
        self._images = np.array([one.image for one in found])
        self._landmarks = np.array([one.landmarks for one in found], np.float64)

    def images(self, split: str, rows: np.ndarray | None = None) -> np.ndarray:
        return self._images if rows is None else self._images[rows]

    def landmarks(self, split: str) -> np.ndarray:
        return self._landmarks


class Blurred(Echo):
    """Draws the face that it sees, out of focus."""

    def __init__(self, sigma: float) -> None:
        super().__init__(Geometry(192, 1.5))
        self.sigma = sigma

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        return np.stack([cv2.GaussianBlur(c, (0, 0), self.sigma) for c in crops]).astype(np.float32) / 255


def test_the_amount_makes_the_pictures_as_crisp_as_asked() -> None:
    faces: FaceSet = Faces(6)  # type: ignore[assignment]
    network = Blurred(0.4)
    network.crispness = crispness_on(network, faces)
    assert 0 < network.crispness.unsharp < 1.6
    swapper = Swapper(network, FaceFinder(), SwapOptions(label=False, match_blur=False, sharpen=1, texture=0))
    pairs = list(zip(faces.images("heldout"), faces.landmarks("heldout"), strict=True))
    swaps = [metrics.laplacian_variance(swapper.swap_face(image, marks), marks) for image, marks in pairs]
    real = [metrics.laplacian_variance(image, marks) for image, marks in pairs]
    assert np.median(swaps) / np.median(real) == pytest.approx(0.95, abs=0.06)


def test_more_blur_needs_more_and_crisp_pictures_little() -> None:
    faces: FaceSet = Faces(4)  # type: ignore[assignment]
    amounts = [crispness_on(Blurred(sigma), faces).unsharp for sigma in (0.2, 0.35, 0.42, 4.0)]
    assert amounts == sorted(set(amounts)), amounts
    assert amounts[0] < 0.7  # what two samplings of a crisp picture take
    assert amounts[-1] == 1.6


def test_without_held_out_faces_the_usual_amount() -> None:
    assert crispness_on(Blurred(1), Faces(0)) == Crispness()  # type: ignore[arg-type]
