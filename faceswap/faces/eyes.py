"""How far eyes are open and where they look, by MediaPipe's iris network, whatever finder found the face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.mediapipe.mesh import Eye, find_eye
from faceswap.faces.geometry import Image, Points
from faceswap.faces.landmarks import LEFT_EYE, RIGHT_EYE

Floats = NDArray[np.float64]

_SHUT = 0.12
"""Height of an eye over its width below which its iris can't be seen; open ones have 0.2 to 0.5."""
_SMALLEST = 4.0
"""Width of an eye, px, below which it tells nothing."""
_OUTER, _INNER = 0, 8
"""Corners among the points of an eye's contour."""
_LOWER, _UPPER = [3, 4, 5], [11, 12, 13]
"""The middle of each lid among them."""


@dataclass(frozen=True)
class Eyes:
    """Both eyes of a face, that on the picture's left (the person's right one) first.

    Attributes:
        openness: (2,) height over width; NaN: too small to tell.
        read: each as the network reads it; None: too small.
        offsets: (2, 2) how far each iris lies from the middle between the corners, in halves of the eye's width: to the
            picture's right, and down, along the face's own axes; NaN: shut or too small.
    """

    openness: Floats
    offsets: Floats
    read: tuple[Eye | None, Eye | None] = (None, None)

    @classmethod
    def of(cls, image: Image, landmarks: Points) -> "Eyes":
        """Those of a face (68, 2) in an image (H, W, 3) uint8 RGB; 1 ms each."""
        openness, offsets = np.full(2, np.nan), np.full((2, 2), np.nan)
        read: list[Eye | None] = [None, None]
        for number, (eye, left) in enumerate(((landmarks[RIGHT_EYE], False), (landmarks[LEFT_EYE], True))):
            outer, inner = (eye[3], eye[0]) if left else (eye[0], eye[3])
            if np.linalg.norm(outer - inner) > _SMALLEST:
                found = find_eye(image, outer, inner, left)
                read[number], (openness[number], offsets[number]) = found, _read(found, left)
        return cls(openness, offsets, (read[0], read[1]))

    @property
    def gaze(self) -> tuple[float, float]:
        """Mean of the offsets of the eyes whose iris is seen: 0 is straight ahead in a frontal face; NaN: of none."""
        seen = self.offsets[np.isfinite(self.offsets).all(axis=1)]
        x, y = seen.mean(axis=0).tolist() if len(seen) else (float("nan"), float("nan"))
        return x, y


def _read(eye: Eye, left: bool) -> tuple[float, Floats]:
    """Openness and offset (2,) of one eye; the offset is NaN where it is shut."""
    ends = eye.contour[[_INNER, _OUTER] if left else [_OUTER, _INNER]]
    across = ends[1] - ends[0]
    width = max(float(np.linalg.norm(across)), 1e-6)
    down = np.array([-across[1], across[0]]) / width
    lids = eye.contour[_LOWER].mean(0) - eye.contour[_UPPER].mean(0)
    openness = abs(float(lids @ down)) / width
    if openness <= _SHUT:
        return openness, np.full(2, np.nan)
    offset = eye.iris[0] - ends.mean(axis=0)
    return openness, np.array([offset @ across / (width**2 / 2), offset @ down / (width / 2)])


def gaze(image: Image, landmarks: Points) -> tuple[float, float]:
    """Where a face (68, 2) in an image (H, W, 3) uint8 RGB looks; see :attr:`Eyes.gaze`."""
    return Eyes.of(image, landmarks).gaze
