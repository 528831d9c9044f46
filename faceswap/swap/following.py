"""Faces followed from frame to frame: calm landmarks, and a memory of who is who."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.detection import Face
from faceswap.faces.geometry import Geometry, Points, scale_of
from faceswap.swap.laying import Memory

_UNIT = Geometry(size=256, coverage=1.0)
_JUMP = 0.35
"""Landmarks that move further than this between two frames (face heights) are another face, or a cut."""
_FORGET = 0.5
"""Seconds after which a face that is not seen any more is forgotten."""


class OneEuro:
    """Low-pass filter for points whose cutoff rises with their speed: calm at rest, no lag in motion.

    Casiez, Roussel & Vogel, "1€ Filter: a simple speed-based low-pass filter for noisy input" (CHI 2012). Each
    point has its own speed, so that lips may move while the jaw rests.

    Args:
        slowest: cutoff at rest, Hz.
        beta: Hz by which the cutoff rises per face height a second.
        speed_cutoff: of the filter that the speed itself runs through, Hz.
    """

    def __init__(self, slowest: float = 1.5, beta: float = 10.0, speed_cutoff: float = 2.0) -> None:
        self.slowest, self.beta, self.speed_cutoff = slowest, beta, speed_cutoff
        self._points: Points | None = None
        self._speed: Points = np.zeros(0)
        self._time = 0.0

    def __call__(self, points: Points, time: float, unit: float) -> Points:
        """Filter the next sample.

        Args:
            points: (n, 2).
            time: in seconds; a time not later than the last starts anew.
            unit: the face's height in the points' unit, so that large and small faces are treated alike.

        Returns:
            (n, 2) the filtered points.
        """
        step = time - self._time
        if self._points is None or step <= 0:
            self._points, self._speed, self._time = points.copy(), np.zeros_like(points), time
            return points
        velocity = (points - self._points) / (step * unit)
        self._speed = self._speed + _share(np.float64(self.speed_cutoff), step) * (velocity - self._speed)
        cutoff = self.slowest + self.beta * np.linalg.norm(self._speed, axis=1, keepdims=True)
        self._points = self._points + _share(cutoff, step) * (points - self._points)
        self._time = time
        return self._points.copy()


def _share(cutoff: Points | np.float64, step: float) -> Points:
    """How much of a new sample a first-order filter of that cutoff (Hz) takes after ``step`` seconds."""
    return np.asarray(1 / (1 + 1 / (2 * math.pi * cutoff * step)))


@dataclass(eq=False)
class Followed:
    """One face over time."""

    raw: Points
    """(68, 2) landmarks as last detected."""
    time: float
    """Seconds, when it was last seen."""
    filter: OneEuro
    distances: NDArray[np.float64] | None = None
    """(roles,) embedding distances to the people of the roles, where they were measured."""
    measured: float = -math.inf
    """Seconds, when that was."""
    memory: Memory = field(default_factory=Memory)
    """What the swap remembers of it."""


class Follower:
    """Links the faces of each frame to those of the frames before, and smooths their landmarks.

    Args:
        steady: smooth the landmarks; else only link.
    """

    def __init__(self, steady: bool = True) -> None:
        self.steady = steady
        self._known: list[Followed] = []

    def update(self, faces: Sequence[Face], time: float) -> list[tuple[Face, Followed]]:
        """The faces of the next frame with smoothed landmarks, each with what is known of it.

        A face is the nearest known one whose landmarks lie within a third of a face height on average; else it
        is new, and starts unsmoothed.

        Args:
            faces: of this frame, in any order.
            time: of this frame in seconds.
        """
        self._known = [k for k in self._known if 0 <= time - k.time <= _FORGET]
        free = list(self._known)
        result: list[tuple[Face, Followed]] = []
        for face in faces:
            unit = _height(face.landmarks)
            away = [float(np.linalg.norm(k.raw - face.landmarks, axis=1).mean()) for k in free]
            if away and min(away) < _JUMP * unit:
                followed = free.pop(int(np.argmin(away)))
            else:
                followed = Followed(face.landmarks, time, OneEuro())
                self._known.append(followed)
            followed.raw, followed.time = face.landmarks, time
            points = (
                followed.filter(face.landmarks, time, unit) if self.steady and unit > 0 else face.landmarks
            )
            result.append((replace(face, landmarks=points), followed))
        return result


def _height(landmarks: Points) -> float:
    """Height of a face in the frame's pixels, 0 where its landmarks are broken."""
    try:
        return _UNIT.size / scale_of(_UNIT.matrix(landmarks))
    except FaceError:
        return 0.0
