"""Where the eyes look: the place of the iris between the corners of the eye, by MediaPipe's iris network."""

import numpy as np

from faceswap.faces.finding.mediapipe.mesh import find_eye
from faceswap.faces.geometry import Image, Points
from faceswap.faces.landmarks import LEFT_EYE, RIGHT_EYE

_SHUT = 0.12
"""Height of an eye over its width below which its iris can't be seen; open ones have 0.2 to 0.5."""
_SMALLEST = 4.0
"""Width of an eye, px, below which it has no iris to speak of."""
_OUTER, _INNER = 0, 8
"""Corners among the points of an eye's contour."""


def gaze(image: Image, landmarks: Points) -> tuple[float, float]:
    """Where a face looks, along its own axes, whatever finder found it.

    Args:
        image: (H, W, 3) uint8 RGB.
        landmarks: (68, 2) of the face: where the eyes are looked for.

    Returns:
        how far the irises lie from the middle between the corners, in halves of the eye's width, mean of both eyes:
        to the picture's right, and down. 0 is straight ahead in a frontal face; NaN where both eyes are shut
        or tiny.
    """
    found = []
    for eye, left in ((landmarks[RIGHT_EYE], False), (landmarks[LEFT_EYE], True)):
        outer, inner = (eye[3], eye[0]) if left else (eye[0], eye[3])
        if not np.linalg.norm(outer - inner) > _SMALLEST:
            continue
        seen = find_eye(image, outer, inner, left)
        right_end, left_end = (
            (seen.contour[_INNER], seen.contour[_OUTER])
            if left
            else (seen.contour[_OUTER], seen.contour[_INNER])
        )
        across = left_end - right_end
        half = float(np.linalg.norm(across)) / 2
        down = np.array([-across[1], across[0]]) / (2 * half)
        lids = seen.contour[[3, 4, 5]].mean(0) - seen.contour[[11, 12, 13]].mean(0)
        if abs(float(lids @ down)) / (2 * half) > _SHUT:
            offset = seen.iris[0] - (right_end + left_end) / 2
            found.append((float(offset @ across) / (2 * half**2), float(offset @ down) / half))
    x, y = np.mean(found, axis=0).tolist() if found else (float("nan"), float("nan"))
    return x, y
