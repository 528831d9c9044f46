"""Eyes and mouth of a generated face: what lies in them is not all skin, whose colours would be wrong there."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import apply
from faceswap.faces.landmarks import EYES, INNER_LIPS
from faceswap.faces.regions import fill_outline
from faceswap.swap.generated_face import GeneratedFace

Floats = NDArray[np.float32]

_FINER = 2
"""Times the crop's size in which outlines are filled, before they are averaged to it."""
_EDGE = 0.5
"""Standard deviation of the outlines' edge, px of the crop; by eye."""


@dataclass(frozen=True, eq=False)
class Openings:
    """What lies between the lids and between the lips of a generated face.

    Attributes:
        eyes: (S, S) float32, 0..1: nothing there is skin.
        mouth: (S, S) float32, 0..1: teeth, and what has about the colour of skin.
    """

    eyes: Floats
    mouth: Floats


def openings_of(face: GeneratedFace) -> Openings:
    """By the landmarks of the generated face where they are known, else by the target's."""
    crop = face.crop
    points = crop.landmarks_in_crop if face.landmarks is None else apply(crop.matrix, face.landmarks)
    size = crop.geometry.size
    eyes, mouth = (np.zeros((_FINER * size, _FINER * size), np.uint8) for _ in range(2))
    for eye in EYES:
        fill_outline(eyes, points[eye], _FINER)
    fill_outline(mouth, points[INNER_LIPS], _FINER)
    return Openings(*(_in_crop(part, size) for part in (eyes, mouth)))


def _in_crop(part: NDArray[np.uint8], size: int) -> Floats:
    share = cv2.resize(part.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(share, (0, 0), _EDGE)
