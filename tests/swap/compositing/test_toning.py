"""Targets of one hue keep it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry
from faceswap.swap.compositing.composite import FaceMemory, composite
from faceswap.swap.compositing.toning import toning_of
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.options import SwapOptions
from tests.swap.fakes import face_points, smooth_noise

SIZE = 128
POINTS = face_points(64, 60, 70)
SEPIA = np.array([1.2, 1.03, 0.8])
OPTIONS = SwapOptions(occlusion="none")


def swapped(frame: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A frame with a colourful face composited, and where it changed."""
    crop = FaceCrop.of(POINTS, Geometry(96, 1.5), frame)
    colourful = smooth_noise(96, 96, 7).astype(np.float32) / 255
    image = frame.copy()
    area = composite(image, GeneratedFace(crop, crop.cut(frame), colourful), OPTIONS, FaceMemory())
    assert area > 1000
    return image, (image != frame).any(axis=-1)


def test_grey_stays_grey_to_the_bit() -> None:
    grey = smooth_noise(SIZE, SIZE, 1)[..., :1].repeat(3, axis=2)
    image, changed = swapped(grey)
    assert changed.mean() > 0.1
    assert (image == image[..., :1]).all()


def test_sepia_stays_on_its_line() -> None:
    level = np.clip(smooth_noise(SIZE, SIZE, 1)[..., :1].astype(float) * 0.7, 12, 200)
    image, changed = swapped(np.rint(level * SEPIA).astype(np.uint8))
    pixels = image[changed].astype(float)
    line = (pixels @ SEPIA / (SEPIA @ SEPIA))[:, None] * SEPIA
    assert np.abs(pixels - line).max() < 3
    assert np.ptp(pixels[:, 0]) > 60


@pytest.mark.parametrize("light", [1.0, 0.4])
def test_colours_are_not_taken_for_one_hue(light: float) -> None:
    skin = smooth_noise(SIZE, SIZE, 1)[..., :1] * np.array([0.8, 0.55, 0.45])
    lips = skin.copy()
    lips[70:90, 40:80] *= (1.1, 0.6, 0.8)
    assert toning_of(np.rint(skin * light).astype(np.uint8)) is not None
    assert toning_of(np.rint(lips * light).astype(np.uint8)) is None
