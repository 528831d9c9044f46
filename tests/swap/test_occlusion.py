"""An occluder painted over a synthetic face; the network is the true face without it, as another person's swap is."""

import cv2
import numpy as np
import pytest

from faceswap.faces.detection import Face
from faceswap.faces.geometry import Geometry
from faceswap.swap.options import Occlusion, SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import person, random_scene, render
from tests.swap.fakes import KnownFaces

VIEW = Geometry(96, 1.5)
SCENE = random_scene(np.random.default_rng(3))
TARGET, REFERENCE = (render(person(name), SCENE, size=256) for name in ("emeric", "bram"))
POINTS = TARGET.landmarks.astype(np.float64)
CLEAN = np.asarray(TARGET.image, np.uint8)


class Truth:
    """Draws the reference in the target's scene, as a perfect network does."""

    geometry = VIEW
    unsharp = 1.0

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        crop = VIEW.crop(np.asarray(REFERENCE.image, np.uint8), VIEW.matrix(POINTS))
        return np.repeat(crop[None].astype(np.float32) / 255, len(crops), 0)


def bar(colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The target behind a slanting bar over its cheek and mouth, and where the bar is."""
    covered = np.zeros(CLEAN.shape[:2], np.uint8)
    mouth = POINTS[48:60].mean(0)
    ends = mouth + np.array([-60, -14]), mouth + np.array([10, 12])
    cv2.line(covered, *(tuple(np.rint(e).astype(int).tolist()) for e in ends), 1, 22)
    image = CLEAN.copy()
    image[covered > 0] = colour
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), covered > 0


def swapped(image: np.ndarray, occlusion: Occlusion) -> np.ndarray:
    options = SwapOptions(label=False, occlusion=occlusion, match_blur=False)
    face = Face((*POINTS.min(0), *POINTS.max(0)), POINTS, 1.0)
    return Swapper(Truth(), KnownFaces(face), options).swap(image).image


@pytest.mark.parametrize("how", ["colour", "grabcut"])
@pytest.mark.parametrize("colour", [(30, 60, 160), (20, 20, 20), (60, 150, 60)])
def test_an_occluder_stays_and_the_rest_is_swapped(how: Occlusion, colour: tuple[int, int, int]) -> None:
    image, covered = bar(colour)
    naive, result = swapped(image, "none"), swapped(image, how)
    touched = (naive.astype(int) != image).any(-1)
    core = touched & (cv2.erode(covered.astype(np.uint8), np.ones((5, 5))) > 0)
    assert core.sum() > 300

    def change(picture: np.ndarray, where: np.ndarray) -> float:
        return float(np.abs(picture.astype(int) - image)[where].mean())

    assert change(result, core) < 0.1 * change(naive, core)
    rest = touched & ~(cv2.dilate(covered.astype(np.uint8), np.ones((25, 25))) > 0)
    assert change(result, rest) > 0.85 * change(naive, rest)


@pytest.mark.parametrize("how", ["colour", "grabcut"])
def test_a_face_that_nothing_covers_is_swapped_as_before(how: Occlusion) -> None:
    naive, result = swapped(CLEAN, "none"), swapped(CLEAN, how)
    changed = (naive.astype(int) != CLEAN).any(-1)
    assert (
        np.abs(naive.astype(int) - result)[changed].mean()
        < 0.15 * np.abs(naive.astype(int) - CLEAN)[changed].mean()
    )


def test_an_occluder_does_not_teach_its_colour() -> None:
    image, covered = bar((30, 60, 160))
    away = ~(cv2.dilate(covered.astype(np.uint8), np.ones((25, 25))) > 0)
    with_bar, without = swapped(image, "colour"), swapped(CLEAN, "colour")
    noise = 4
    assert np.abs(with_bar.astype(int) - without)[away & (without != CLEAN).any(-1)].mean() < noise + 4
