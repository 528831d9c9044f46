"""The landmarks of the face that the network generated.

The reference's jaw is not the target's. Where a mask follows the target's landmarks alone, it must stay well inside of
them, or it lets in what surrounds the reference's face in the generated picture: a collar, hair at the temples.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Box
from faceswap.faces.finding.finder import LandmarkDetector, MeshFinder
from faceswap.faces.geometry import Geometry, Matrix, Points, apply, invert, scale_of
from faceswap.faces.smoothing import weight_of_new


@dataclass(frozen=True)
class LandmarkTuning:
    """Constants of how landmarks are detected in a network's crop; not measured unless said."""

    coverage: float = 1.5
    """Coverage, face heights, of the crop in which ``box`` is given."""
    box: tuple[tuple[float, float], tuple[float, float]] = ((0.04, -0.02), (0.94, 0.88))
    """Left top and right bottom of the box that dlib's detector gives for a face in such a crop, in its sides; the
    detection of landmarks starts from there."""
    moves: tuple[tuple[float, float, float], ...] = (
        (0.03, 0.03, 0.02),
        (-0.03, -0.03, 0.02),
        (0.03, -0.03, -0.02),
        (-0.03, 0.03, -0.02),
    )
    """Shift to the right, down, and growth of that box, in its sides, for each detection, of which the mean is taken:
    dlib's landmarks depend on the box. Half of a cube's corners (a fractional factorial design); the mean of four was
    measured to be as good as that of eight."""
    moves_a_frame: int = 2
    """So many of them are used on a frame of a video, which follows its target as well as with two
    (docs/measurements/video-speed.md); the next frames get the others."""
    detection_side: int = 288
    """Side, px, to which the inner face of a smaller picture is enlarged: dlib gives landmarks in whole pixels."""
    detect_every: float = 0.1
    """Seconds of video after which they are detected anew: how far one face reaches beyond another changes slowly."""
    time_constant: float = 0.4
    """Seconds over which they are smoothed."""


TUNING = LandmarkTuning()
DETECTION_SIDE = TUNING.detection_side


@dataclass
class LandmarkOffsets:
    """How far a generated face's landmarks lay from the target's, on a video: (68, 2) in sides of the crop."""

    time: float
    offsets: Points


def detect_landmarks(
    detector: LandmarkDetector, picture: NDArray[np.float32], geometry: Geometry, frame: int | None = None
) -> Points:
    """The landmarks of the face in a network's crop (4 ms on a video, else 7).

    Args:
        detector: of landmarks.
        picture: (S, S, 3) float32 RGB, 0..1.
        geometry: of that crop.
        frame: number of a video's frame, which gets half of the detections, the next one the others; None: a single
            picture, which gets all.

    Returns:
        (68, 2) in the crop's pixels.
    """
    side = max(TUNING.detection_side, round(geometry.unit * TUNING.coverage))
    view = Geometry(side, TUNING.coverage)
    pixels, matrix = _enlarged(picture, view.from_crop(geometry), side)
    box = np.array(TUNING.box) * side - 0.5
    first = 0 if frame is None else frame * TUNING.moves_a_frame % len(TUNING.moves)
    moves = TUNING.moves if frame is None else TUNING.moves[first : first + TUNING.moves_a_frame]
    if isinstance(detector, MeshFinder):
        moves = ((0, 0, 0),)  # the box makes no difference
    found = np.mean([detector.landmarks(pixels, _moved(box, *move)) for move in moves], axis=0)
    return apply(invert(matrix), found)


def _enlarged(picture: NDArray[np.float32], matrix: Matrix, side: int) -> tuple[NDArray[np.uint8], Matrix]:
    """The part of a picture that a view of ``side`` px sees, to whole pixels of the picture, and its own matrix.

    To cut and enlarge takes a tenth of the time of sampling through a matrix.

    Args:
        picture: (S, S, 3) float32 RGB, 0..1; its border repeats beyond it.
        matrix: (2, 3) from the picture to the view, which is neither turned nor smaller.
    """
    scale = scale_of(matrix)
    count = max(1, round(side / scale))
    left, top = (round(v) for v in (-(matrix[:, 2] + 0.5) / scale + 0.5).tolist())
    beyond = max(0, -left, -top, left + count - len(picture), top + count - len(picture))
    pixels = cv2.convertScaleAbs(picture, alpha=255)
    if beyond:
        pixels = cv2.copyMakeBorder(pixels, beyond, beyond, beyond, beyond, cv2.BORDER_REPLICATE)
    part = pixels[top + beyond : top + beyond + count, left + beyond : left + beyond + count]
    ratio = side / count
    return (
        np.asarray(cv2.resize(part, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8),
        np.array([[ratio, 0, (0.5 - left) * ratio - 0.5], [0, ratio, (0.5 - top) * ratio - 0.5]], np.float64),
    )


def _moved(box: Points, right: float, down: float, growth: float) -> Box:
    """A box of two corners (2, 2), shifted and grown by shares of its sides."""
    way = np.array([(right - growth, down - growth), (right + growth, down + growth)])
    x0, y0, x1, y1 = (box + way * (box[1] - box[0])).ravel().tolist()
    return (x0, y0, x1, y1)


@dataclass(frozen=True)
class LandmarkPair:
    """The landmarks of a generated picture and of what the network saw, each detected when it is first asked for.

    Both are detected in the same way, so that errors which the detector makes on every face cancel in their difference.

    Attributes:
        detector, picture, geometry, frame: as for :func:`detect_landmarks`.
        crop: (S, S, 3) uint8 RGB, what the network saw.
    """

    detector: LandmarkDetector
    picture: NDArray[np.float32]
    crop: NDArray[np.uint8]
    geometry: Geometry
    frame: int | None = None

    @cached_property
    def generated(self) -> Points:
        """(68, 2) of the generated face, in the crop's pixels."""
        return detect_landmarks(self.detector, self.picture, self.geometry, self.frame)

    @cached_property
    def target(self) -> Points:
        """(68, 2) of the target, likewise."""
        crop = self.crop.astype(np.float32) / np.float32(255)
        return detect_landmarks(self.detector, crop, self.geometry, self.frame)


def track_generated_landmarks(
    pair: LandmarkPair, target: Points, before: LandmarkOffsets | None, time: float
) -> tuple[Points, LandmarkOffsets]:
    """The landmarks of a generated face; on a video seldom detected, and smoothed as offsets from the target's.

    A network that returns its input has the target's landmarks.

    Args:
        pair: of the generated picture and the target.
        target: (68, 2) the target's landmarks in the crop's pixels.
        before: what the frame before left; None: a single picture, or the first.
        time: of the frame, seconds.

    Returns:
        (68, 2) in the crop's pixels, and what the next frame needs.
    """
    size = pair.geometry.size
    age = math.inf if before is None else time - before.time
    if before is not None and 0 <= age < TUNING.detect_every:
        return target + before.offsets * size, before
    offsets = (pair.generated - pair.target) / size
    if before is not None and age >= 0:
        share = weight_of_new(age, TUNING.time_constant)
        offsets = before.offsets + share * (offsets - before.offsets)
    return target + offsets * size, LandmarkOffsets(time, offsets)
