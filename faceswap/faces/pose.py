"""Expression and pose read from landmarks, independent of the size of the face."""

import cv2
import numpy as np

from faceswap.faces.geometry import Points
from faceswap.faces.landmarks import (
    CHIN,
    LEFT_EYE,
    LEFT_EYE_CORNER,
    LEFT_MOUTH_CORNER,
    LOWER_LIDS,
    LOWER_LIP_MIDDLE,
    NOSE_TIP,
    RIGHT_EYE,
    RIGHT_EYE_CORNER,
    RIGHT_MOUTH_CORNER,
    UPPER_LIDS,
    UPPER_LIP_MIDDLE,
)
from faceswap.faces.smoothing import rise

# Nose tip, chin, outer eye corners, mouth corners of a generic head; cm, y down, z to the back. The depths are
# those at which the measured yaw of rendered people has the slope 1 against the true one.
_MODEL = np.array(
    [(0, 0, 0), (0, 6.6, 4.0), (-4.4, -3.6, 5.4), (4.4, -3.6, 5.4), (-2.7, 2.9, 3.8), (2.7, 2.9, 3.8)]
)
_MODEL_POINTS = [
    NOSE_TIP,
    CHIN,
    RIGHT_EYE_CORNER,
    LEFT_EYE_CORNER,
    RIGHT_MOUTH_CORNER,
    LEFT_MOUTH_CORNER,
]

_FRONTAL, _PROFILE = 25.0, 50.0
"""Degrees of yaw between which a change of the face's shape fades: in profile the landmarks of the far side are
guesses."""


def interocular(landmarks: Points) -> float:
    """Distance of the eyes' centres in px; landmarks (68, 2)."""
    return float(np.linalg.norm(landmarks[RIGHT_EYE].mean(0) - landmarks[LEFT_EYE].mean(0)))


def lip_gap(landmarks: Points) -> float:
    """Mean gap of the inner lips over the inter-ocular distance; 0 is a closed mouth."""
    gaps = np.linalg.norm(landmarks[UPPER_LIP_MIDDLE] - landmarks[LOWER_LIP_MIDDLE], axis=1)
    return float(gaps.mean()) / max(interocular(landmarks), 1e-6)


def eye_openness(landmarks: Points) -> float:
    """Mean gap of both eyes' lids over the inter-ocular distance; 0 is shut."""
    gaps = np.linalg.norm(landmarks[UPPER_LIDS] - landmarks[LOWER_LIDS], axis=1)
    return float(gaps.mean()) / max(interocular(landmarks), 1e-6)


def head_pose(landmarks: Points) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees, from six landmarks and a generic head seen from afar.

    Perspective-n-point (OpenCV's SQPNP) with a long focal length. Positive yaw turns the nose to the picture's
    right, positive pitch lowers it, positive roll tilts the head counter-clockwise in the picture.
    """
    points = np.asarray(landmarks, np.float64)[_MODEL_POINTS]
    size = max(interocular(np.asarray(landmarks)), 1e-6)
    focal = 12.0 * size  # about a metre away
    centre = points.mean(0)
    camera = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1.0]])
    found, rotation, _ = cv2.solvePnP(_MODEL, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not found:
        return float("nan"), float("nan"), float("nan")
    matrix = cv2.Rodrigues(rotation)[0]
    roll = np.degrees(np.arctan2(-matrix[1, 0], matrix[0, 0]))
    nose = matrix @ (0, 0, -1.0)  # where the nose points: x right, y down, z away from the camera
    yaw = np.degrees(np.arctan2(nose[0], -nose[2]))
    pitch = np.degrees(np.arctan2(nose[1], np.hypot(nose[0], nose[2])))
    return float(yaw), float(pitch), float(roll)


def frontality(landmarks: Points) -> float:
    """How far a face (68, 2) is seen from the front: 1 up to 25 degrees of yaw, 0 from 50 on (profile) or unknown."""
    yaw = abs(head_pose(landmarks)[0])
    return float(1 - rise(yaw, (_FRONTAL, _PROFILE))) if np.isfinite(yaw) else 0.0
