"""Faces followed from frame to frame: smoothed landmarks, and a memory of who is who."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from faceswap.errors import FaceError
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.geometry import Geometry, Points, scale_of

Memory = TypeVar("Memory")

_UNIT = Geometry(size=256, coverage=1.0)
"""The crop by which a face height is told in pixels."""


@dataclass(frozen=True)
class FollowerTuning:
    """Constants of linking and smoothing; not measured."""

    jump: float = 0.35
    """Landmarks that move further than this between two frames, face heights on average, are another face, or a cut."""
    near: float = 0.9
    """Face heights between two faces' centres below which they cross."""
    apart: float = 1.3
    """Face heights beyond which they have parted again."""
    forget: float = 0.5
    """Seconds after which a face that is not seen any more is forgotten."""
    slowest: float = 1.5
    """Cutoff of the smoothing at rest, Hz."""
    beta: float = 10.0
    """Hz by which the cutoff rises per face height a second."""
    speed_cutoff: float = 2.0
    """Cutoff of the filter that the speed itself runs through, Hz."""
    velocity_share: float = 0.5
    """Share of a new velocity of the whole face that counts at once."""


TUNING = FollowerTuning()


class OneEuro:
    """Low-pass filter for points whose cutoff rises with their speed: calm at rest, no lag in motion.

    Casiez, Roussel & Vogel, "1€ Filter: a simple speed-based low-pass filter for noisy input" (CHI 2012). Each
    point has its own speed, so that lips may move while the jaw rests.

    Args:
        slowest: cutoff at rest, Hz.
        beta: Hz by which the cutoff rises per face height a second.
        speed_cutoff: of the filter that the speed itself runs through, Hz.
    """

    def __init__(
        self,
        slowest: float = TUNING.slowest,
        beta: float = TUNING.beta,
        speed_cutoff: float = TUNING.speed_cutoff,
    ) -> None:
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
class Track(Generic[Memory]):
    """One face over time."""

    raw: Points
    """(68, 2) landmarks as last detected."""
    time: float
    """Seconds, when it was last seen."""
    filter: OneEuro
    memory: Memory
    """What its user remembers of it."""
    distances: NDArray[np.float64] | None = None
    """(references,) embedding distances to the people of the references, where they were measured."""
    measured: float = -math.inf
    """Seconds, when that was."""
    velocity: Points = field(default_factory=lambda: np.zeros(2))
    """(2,) of the face's centre, px a second, smoothed."""
    crossing: bool = False
    """True while another face is so near that the two may be taken for each other."""


class Follower(Generic[Memory]):
    """Links the faces of each frame to those of the frames before, and smooths their landmarks.

    Args:
        memory: makes what is to be remembered of a new face.
        steady: smooth the landmarks; else only link.
    """

    def __init__(self, memory: Callable[[], Memory], steady: bool = True) -> None:
        self.steady = steady
        self._memory = memory
        self._known: list[Track[Memory]] = []

    def update(self, faces: Sequence[Face], time: float) -> list[tuple[Face, Track[Memory]]]:
        """The faces of the next frame with smoothed landmarks, each with what is known of it.

        Of all ways to link the faces to those of the frames before, the one with the least sum of distances is
        taken (Hungarian method). A face and a known one can be the same where its landmarks lie within a third of a
        face height on average of where that one was, or of where its motion takes it; else the face is new, and
        starts unsmoothed. After a crossing, a face is identified anew.

        Args:
            faces: of this frame, in any order.
            time: of this frame in seconds.
        """
        self._known = [k for k in self._known if 0 <= time - k.time <= TUNING.forget]
        units = [_height(face.landmarks) for face in faces]
        linked = self._linked(faces, units, time)
        result: list[tuple[Face, Track[Memory]]] = []
        for face, unit, known in zip(faces, units, linked, strict=True):
            followed = known
            if followed is None:
                followed = Track(face.landmarks, time, OneEuro(), self._memory())
                self._known.append(followed)
            else:
                _move(followed, face.landmarks, time)
            steady = self.steady and unit > 0
            points = followed.filter(face.landmarks, time, unit) if steady else face.landmarks
            result.append((replace(face, landmarks=points), followed))
        for (_, followed), unit in zip(result, units, strict=True):
            self._watch_crossing(followed, unit)
        return result

    def _linked(
        self, faces: Sequence[Face], units: Sequence[float], time: float
    ) -> list[Track[Memory] | None]:
        linked: list[Track[Memory] | None] = [None] * len(faces)
        if not faces or not self._known:
            return linked
        costs = np.array(
            [
                [_apart(known, face.landmarks, time) / max(unit, 1e-6) for known in self._known]
                for face, unit in zip(faces, units, strict=True)
            ]
        )
        allowed = costs < TUNING.jump
        rows, columns = linear_sum_assignment(np.where(allowed, costs, 10.0 * (1 + len(faces))))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if allowed[row, column]:
                linked[row] = self._known[column]
        return linked

    def _watch_crossing(self, followed: Track[Memory], unit: float) -> None:
        """Notice when another face, seen a moment ago, comes near, and identify anew when it is gone."""
        centre = followed.raw.mean(0)
        others = [k for k in self._known if k is not followed]
        nearest = min((float(np.linalg.norm(k.raw.mean(0) - centre)) for k in others), default=math.inf)
        if nearest < TUNING.near * unit:
            followed.crossing = True
        elif followed.crossing and nearest > TUNING.apart * unit:
            followed.crossing, followed.measured = False, -math.inf


def _move(followed: Track[Memory], landmarks: Points, time: float) -> None:
    step = time - followed.time
    if step > 0:
        velocity = (landmarks - followed.raw).mean(0) / step
        followed.velocity = followed.velocity + TUNING.velocity_share * (velocity - followed.velocity)
    followed.raw, followed.time = landmarks, time


def _apart(known: Track[Memory], landmarks: Points, time: float) -> float:
    """Mean distance of landmarks to where a known face was, or to where its motion takes it, px."""
    was = landmarks - known.raw
    return min(
        float(np.linalg.norm(away, axis=1).mean())
        for away in (was, was - known.velocity * (time - known.time))
    )


def _height(landmarks: Points) -> float:
    """Height of a face in the frame's pixels, 0 where its landmarks are broken."""
    try:
        return _UNIT.size / scale_of(_UNIT.matrix(landmarks))
    except FaceError:
        return 0.0
