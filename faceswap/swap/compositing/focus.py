"""The target's focus: how blurred it is, and a swap that is as blurred."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points, apply, scale_of
from faceswap.faces.landmarks import BROWS, EYES, OUTER_LIPS
from faceswap.faces.regions import convex

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FocusTuning:
    """Constants of the focus; not measured unless they follow from theory."""

    reblur: float = 1.0
    """Standard deviation, px, of the second blur by which the first is told."""
    strongest: float = 95.0
    """Percentile of the gradients from which on they count."""
    least_gradient: float = 0.02
    """Least gradient, of 1 a px, that counts as an edge."""
    sharpest: float = 0.45
    """Blur (standard deviation, px) of a crisp edge that is sampled by pixels."""
    difference: float = 0.42
    """Variance, px², that the central difference over two pixels and the sampling of a step add to an edge."""
    least_blur: float = 0.25
    """Variance, px², of the missing blur up to which a picture stays as it is."""
    lashes: float = 0.04
    """How far around the eyes' landmarks edges are looked at, in face heights."""
    looked_at: float = 128.0
    """Px a face height at which a target's eyes are looked at. Measured on four frames each of a to g (163 to 224 px a
    face height), as they are and blurred by 1.5, 3 and 5 px: 0.0 to 1.2, 1.6 to 2.2, 2.7 to 3.6 and 4.1 to 5.7 px are
    found. On the skin beside the eyes sharp frames pass for blurred by up to 3.7 px."""
    least_looked_at: float = 32.0
    """The same for small faces, which are enlarged to it."""


TUNING = FocusTuning()
_EYES_COVERAGE = 1.3
"""Face heights that are cut out to look at the eyes."""


def blur_of(crop: Floats, where: NDArray[np.bool_] | None = None) -> float:
    """How blurred the edges of a crop are: the standard deviation of the Gaussian, in px.

    The gradient of a blurred step falls by a known ratio when it is blurred once more (Zhuo & Sim, "Defocus map
    estimation from a single image", 2011); the median over the strongest twentieth of the gradients.

    Args:
        crop: (S, S, 3) float32 RGB, 0..1.
        where: (S, S) to look at; None: everywhere.

    Returns:
        px; 0 where there is no edge to measure.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(crop, np.float32), cv2.COLOR_RGB2GRAY)
    first, second = (_gradient(g) for g in (grey, cv2.GaussianBlur(grey, (0, 0), TUNING.reblur)))
    if where is not None:
        first, second = first[where], second[where]
    if first.size == 0:
        return 0.0
    strong = first >= max(float(np.percentile(first, TUNING.strongest)), TUNING.least_gradient)
    if not strong.any():
        return 0.0
    ratio = float(np.median(first[strong] / np.maximum(second[strong], 1e-6)))
    # ratio² = (s² + reblur²) / s², where s holds the blur of the difference itself too
    variance = TUNING.reblur**2 / max(ratio**2 - 1, 1e-2)
    return float(np.sqrt(max(variance - TUNING.difference, 0.0)))


def around_eyes(landmarks: Points, size: int, height: float) -> NDArray[np.bool_]:
    """(size, size): eyes and lashes of a face, whose edges are sharp wherever a face is in focus; its skin has none.

    Args:
        landmarks: (68, 2) in the picture's px.
        size: side of the picture.
        height: of the face, px.
    """
    result = np.zeros((size, size), np.uint8)
    for eye in EYES:
        cv2.fillConvexPoly(result, np.rint(convex(landmarks[eye])).astype(np.int32), 1)
    reach = 2 * max(1, round(TUNING.lashes * height)) + 1
    return np.asarray(cv2.dilate(result, np.ones((reach, reach), np.uint8)) > 0)


def blur_of_face(image: NDArray[np.uint8], landmarks: Points) -> float:
    """How blurred a face is, told by its eyes: the standard deviation of the Gaussian, in px of the image.

    Args:
        image: (H, W, 3) uint8 RGB.
        landmarks: (68, 2) in it.
    """
    height = float(np.linalg.norm(landmarks[BROWS].mean(axis=0) - landmarks[OUTER_LIPS].max(axis=0)))
    unit = min(TUNING.looked_at, max(height, TUNING.least_looked_at))
    view = Geometry(round(_EYES_COVERAGE * unit), _EYES_COVERAGE)
    matrix = view.matrix(landmarks)
    crop = view.crop(image, matrix).astype(np.float32) / np.float32(255)
    return blur_of(crop, around_eyes(apply(matrix, landmarks), view.size, unit)) / scale_of(matrix)


def missing_blur(own: float, target: float, enlarged: float) -> float:
    """How much a crop has to be blurred to be no crisper than the target: the standard deviation, in px of the crop.

    Args:
        own: blur of the crop, px of it.
        target: blur of the target, px of the frame; 0: it has no edge to measure.
        enlarged: crop pixels per frame pixel; where it is above 1, that much of the target's blur comes from the
            small face and not from the lens, and goes away on the way back.

    Returns:
        px; 0 where the target is crisp.
    """
    wanted = target * enlarged
    lens = wanted**2 - (TUNING.sharpest * max(1.0, 2 * enlarged)) ** 2
    missing = min(lens, wanted**2 - own**2) if wanted else 0.0
    return float(np.sqrt(missing)) if missing > TUNING.least_blur else 0.0


def blurred(crop: Floats, deviation: float) -> Floats:
    """(S, S, 3) float32 RGB with a Gaussian's blur of so many px; the crop itself where that is 0."""
    return cv2.GaussianBlur(crop, (0, 0), deviation) if deviation else crop


def _gradient(grey: Floats) -> Floats:
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(cv2.magnitude(dx, dy) / 8)
