"""iBUG's 68 landmarks from a mesh and its eyes.

Jaw, brows, nose and lips are means of the mesh's vertices with the weights of ``landmarks68.json``, which
``tests/benchmarks/fit_landmarks.py`` fits. The lids are the contours of the iris's network: the mesh itself hardly sees
an eye close.
"""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.mediapipe.mesh import Mesh, find_eye
from faceswap.faces.geometry import Image, Points
from faceswap.faces.landmarks import LEFT_EYE, RIGHT_EYE

_RIGHT_EYE, _LEFT_EYE = [33, 160, 158, 133, 153, 144], [362, 385, 387, 263, 373, 380]
"""The vertices of each eye's six landmarks."""
_RIGHT_CONTOUR, _LEFT_CONTOUR = [0, 11, 13, 8, 5, 3], [8, 13, 11, 0, 3, 5]
"""Which points of an eye's contour its six landmarks are."""
_FORESHORTENED = 0.45
"""An eye is taken from the mesh where its corners seem closer together than this part of the other's: the head is in
profile, and the iris's network would look at the bridge of the nose."""


@lru_cache
def weights() -> NDArray[np.float64]:
    """(68, 468): how much each vertex counts in each landmark; every row's sum is 1."""
    found = np.zeros((68, 468))
    stored = json.loads(Path(__file__).with_suffix(".json").read_text())
    for landmark, entry in stored.items():
        for vertex, weight in entry.items():
            found[int(landmark), int(vertex)] = weight
    found[RIGHT_EYE] = np.eye(468)[_RIGHT_EYE]
    found[LEFT_EYE] = np.eye(468)[_LEFT_EYE]
    return found / found.sum(1, keepdims=True)


def landmarks_of(image: Image, mesh: Mesh) -> Points:
    """(68, 2) landmarks of a face in a frame (H, W, 3) uint8 RGB, px."""
    landmarks = weights() @ mesh.points
    right, left = mesh.points[[33, 133]], mesh.points[[263, 362]]
    widths = [float(np.linalg.norm(one[0] - one[1])) for one in (right, left)]
    if widths[0] > _FORESHORTENED * widths[1]:
        landmarks[RIGHT_EYE] = find_eye(image, right[0], right[1], left=False).contour[_RIGHT_CONTOUR]
    if widths[1] > _FORESHORTENED * widths[0]:
        landmarks[LEFT_EYE] = find_eye(image, left[0], left[1], left=True).contour[_LEFT_CONTOUR]
    return landmarks
