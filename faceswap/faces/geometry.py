"""How a face in a frame maps to the model's crop and back.

One class for extraction, training crops, swapping and evaluation. All coordinates are x, y with pixel
*centres* at whole numbers: the centre of the top-left pixel is (0, 0), so scaling a crop from ``a`` to ``b``
pixels maps x to ``(x + .5) * b / a - .5``.
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.landmarks import INNER

Points = NDArray[np.float64]
Matrix = NDArray[np.float64]
Image = NDArray[np.uint8]

# The mean shape of dlib's inner landmarks over frontal renders of fictional people, made symmetric; in units
# of the root-mean-square radius, y down. It holds no one's likeness.
_RIGHT_BROW = [(-1.174, -0.991), (-1.003, -1.169), (-0.744, -1.221), (-0.474, -1.185), (-0.227, -1.076)]
_NOSE = [(0, -0.727), (0, -0.427), (0, -0.128), (0, 0.175)]
_NOSTRILS = [(-0.287, 0.347), (-0.149, 0.399), (0, 0.445), (0.149, 0.399), (0.287, 0.347)]
_RIGHT_EYE = [
    (-0.904, -0.684),
    (-0.751, -0.778),
    (-0.544, -0.772),
    (-0.376, -0.640),
    (-0.561, -0.578),
    (-0.767, -0.582),
]
_LEFT_EYE = [
    (0.376, -0.640),
    (0.544, -0.772),
    (0.751, -0.778),
    (0.904, -0.684),
    (0.767, -0.582),
    (0.561, -0.578),
]
_OUTER_LIPS = [
    (-0.531, 0.892),
    (-0.345, 0.795),
    (-0.153, 0.753),
    (0, 0.793),
    (0.153, 0.753),
    (0.345, 0.795),
    (0.531, 0.892),
    (0.353, 1.065),
    (0.164, 1.136),
    (0, 1.154),
    (-0.164, 1.136),
    (-0.353, 1.065),
]
_INNER_LIPS = [
    (-0.447, 0.895),
    (-0.155, 0.882),
    (0, 0.900),
    (0.155, 0.882),
    (0.447, 0.895),
    (0.155, 0.939),
    (0, 0.962),
    (-0.155, 0.939),
]
_FACE_HEIGHT = 2.375
"""Brows to lower lip of the mean shape: the unit in which coverage is measured."""
_CENTRE = (0.0, 0.4)
"""The crop's centre lies below the inner landmarks' mean, so that an open jaw stays inside."""

TEMPLATE: Points = (
    np.array(
        _RIGHT_BROW
        + [(-x, y) for x, y in reversed(_RIGHT_BROW)]
        + _NOSE
        + _NOSTRILS
        + _RIGHT_EYE
        + _LEFT_EYE
        + _OUTER_LIPS
        + _INNER_LIPS
    )
    - _CENTRE
) / _FACE_HEIGHT
"""(51, 2): where the inner landmarks lie around the crop's centre, in face heights."""


def fit_similarity(source: Points, target: Points) -> Matrix:
    """The similarity (rotation, uniform scale, shift) that maps source to target with least squared error.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991).

    Args:
        source, target: (n, 2) points, n >= 2.

    Returns:
        (2, 3) float64 matrix, applied as ``M @ (x, y, 1)``.

    Raises:
        FaceError: all source points coincide, or a coordinate is not finite.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    mean_s, mean_t = source.mean(0), target.mean(0)
    s, t = source - mean_s, target - mean_t
    variance = (s**2).sum()
    if not np.isfinite(variance) or variance < 1e-12:
        raise FaceError("The landmarks of a face collapse into one point")
    # In 2-D the best rotation has a closed form; reflections are excluded by construction.
    a = (s * t).sum() / variance
    b = (s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum() / variance
    linear = np.array([[a, -b], [b, a]])
    return np.hstack([linear, (mean_t - linear @ mean_s)[:, None]])


def invert(matrix: Matrix) -> Matrix:
    """The inverse of a (2, 3) affine matrix, as (2, 3).

    Raises:
        FaceError: it maps the plane onto a line.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    det = a * d - b * c
    if not det:
        raise FaceError("The landmarks of a face collapse into one point")
    a, b, c, d = d / det, -b / det, -c / det, a / det
    return np.array([[a, b, -a * x - b * y], [c, d, -c * x - d * y]])


def compose(second: Matrix, first: Matrix) -> Matrix:
    """The (2, 3) matrix that applies ``first`` and then ``second``."""
    return (np.vstack([second, [0, 0, 1]]) @ np.vstack([first, [0, 0, 1]]))[:2]


def apply(matrix: Matrix, points: Points) -> Points:
    """Map (n, 2) points by a (2, 3) matrix."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def scale_of(matrix: Matrix) -> float:
    """The length that one unit becomes under a similarity (or the mean scale of an affine map)."""
    (a, b, _), (c, d, _) = matrix.tolist()
    return math.sqrt(abs(a * d - b * c))


def warp(
    image: NDArray[Any], matrix: Matrix, size: tuple[int, int], border: int = cv2.BORDER_REPLICATE
) -> NDArray[Any]:
    """Sample ``image`` (H, W[, C]) through ``matrix`` (image -> result) into (size[1], size[0][, C]).

    Shrinking by more than 1.5 first averages whole pixels (area filter), so that large faces do not alias.
    """
    scale = scale_of(matrix)
    if scale < 1 / 1.5:
        image, matrix = _shrink(image, matrix, scale)
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)


def _shrink(image: NDArray[Any], matrix: Matrix, scale: float) -> tuple[NDArray[Any], Matrix]:
    height, width = image.shape[:2]
    new = max(1, round(width * scale)), max(1, round(height * scale))
    fx, fy = new[0] / width, new[1] / height
    small = cv2.resize(image, new, interpolation=cv2.INTER_AREA)
    # pixel centres: x_small = (x + .5) * f - .5
    back = np.array([[1 / fx, 0, 0.5 / fx - 0.5], [0, 1 / fy, 0.5 / fy - 0.5]])
    return small, compose(matrix, back)


@dataclass(frozen=True)
class Geometry:
    """The map between a frame and a square crop around one face.

    Args:
        size: side of the crop in pixels.
        coverage: side of the crop in face heights (brows to lower lip). 1.5 shows brows to chin, 2.25 the whole face.
        centre: how far the crop's centre lies below the inner face's, in face heights. A whole face reaches from
            about -1.35 (the hairline) to 0.85 (the chin of an open mouth), so its centre is -0.25. Whatever was
            stored before crops had a centre of their own has 0.
        generated: width of the crop's middle that a network generates, in face heights, since a face is higher than
            wide; what lies beside it repeats its border. 0: all of the crop.
    """

    size: int
    coverage: float
    centre: float = 0.0
    generated: float = 0.0

    def __post_init__(self) -> None:
        if self.size < 8 or not 0.5 <= self.coverage <= 6 or not abs(self.centre) <= 1:
            raise FaceError(
                f"{self} makes no sense",
                "use a size of at least 8 px, a coverage from 0.5 to 6 and a centre from -1 to 1 face heights",
            )
        if not 0 <= self.generated <= self.coverage:
            raise FaceError(f"{self} makes no sense", "generate no more than the crop's coverage")

    @property
    def unit(self) -> float:
        """Pixels of a face height (brows to lower lip) in the crop."""
        return self.size / self.coverage

    @property
    def beside(self) -> int:
        """Columns at either side of the crop that a network does not generate."""
        return round((self.coverage - (self.generated or self.coverage)) * self.unit / 2)

    @property
    def middle(self) -> Points:
        """(2,): where the centre of the inner face (of :data:`TEMPLATE`) lies in the crop, in pixels."""
        return np.array([0.5, 0.5 - self.centre / self.coverage]) * self.size - 0.5

    @property
    def template(self) -> Points:
        """(51, 2): where the mean face's inner landmarks lie in the crop, in pixels."""
        return (TEMPLATE / self.coverage + (0.5, 0.5 - self.centre / self.coverage)) * self.size - 0.5

    def matrix(self, landmarks: Points) -> Matrix:
        """The (2, 3) similarity from frame to crop for one face's (68, 2) landmarks in the frame."""
        return fit_similarity(np.asarray(landmarks)[INNER], self.template)

    def crop(self, frame: NDArray[Any], matrix: Matrix) -> NDArray[Any]:
        """Cut the (size, size[, C]) crop out of a frame; pixels beyond the frame repeat its border."""
        region, local = _region_of(frame, matrix, self.size)
        return warp(region, local, (self.size, self.size))

    def from_crop(self, other: "Geometry") -> Matrix:
        """The (2, 3) matrix from a crop made with ``other`` to a crop made with this geometry."""
        ratio = self.unit / other.unit
        right, down = self.middle - ratio * other.middle
        return np.array([[ratio, 0, right], [0, ratio, down]])

    def margin_over(self, other: "Geometry") -> float:
        """How far this view reaches beyond another one on each side, face heights; below 0: it lacks so much."""
        return (self.coverage - other.coverage) / 2 - abs(self.centre - other.centre)

    def at(self, size: int) -> "Geometry":
        """The same view of the face with another resolution."""
        return replace(self, size=size)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; :meth:`from_dict` is the inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Geometry":
        """The inverse of :meth:`to_dict`."""
        centre, generated = (float(values.get(name, 0)) for name in ("centre", "generated"))
        return cls(int(values["size"]), float(values["coverage"]), centre, generated)


def _region_of(frame: NDArray[Any], matrix: Matrix, size: int) -> tuple[NDArray[Any], Matrix]:
    """The part of a frame that a crop sees: shrinking a 4K frame for one small face would be wasted work."""
    corners = np.array([(0, 0), (size - 1, 0), (0, size - 1), (size - 1, size - 1)], np.float64)
    seen = apply(invert(matrix), corners)
    margin = 2 + 2 / max(scale_of(matrix), 1e-6)
    height, width = frame.shape[:2]
    x0, y0 = np.clip(np.floor(seen.min(0) - margin), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(seen.max(0) + margin) + 1, (x0 + 1, y0 + 1), (width, height)).astype(int)
    return frame[y0:y1, x0:x1], compose(matrix, np.array([[1.0, 0, x0], [0, 1.0, y0]]))
