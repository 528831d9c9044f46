"""Faces that the detector misses for a moment, followed by the motion of their pixels.

A face that vanishes for a few frames (a blink of the detector, a hand, motion blur) would flash the target's own face.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.finding.dlib_finder import Face, overlap
from faceswap.faces.geometry import Matrix, Points, apply, fit_similarity, scale_of
from faceswap.faces.landmarks import INNER

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class FlowTuning:
    """Constants of the optical flow; not measured."""

    longest: float = 0.4
    """Seconds for which a face is followed without being detected."""
    side: int = 160
    """Size, px, to which the face is brought: as quick for a large face as for a small one."""
    margin: float = 0.3
    """Margin around the landmarks in which the flow is computed, in their size."""
    smallest_face: float = 8
    """Px of the frame below which a face is not followed."""
    smallest_part: int = 16
    """Px of the frame of the part around it, below which it is not followed: it left the picture."""
    way_back: float = 1.5
    """Largest distance, px of that size, to which a point may return when it is tracked forwards and back."""
    least_points: int = 12
    """Points that have to agree on the motion."""
    growth: tuple[float, float] = (0.85, 1.18)
    """Factors between which a face may change its size from frame to frame."""
    same: float = 0.3
    """Overlap from which on two boxes are of the same face."""
    window: tuple[int, int] = (17, 17)
    """Px in which Lucas and Kanade's method looks for a point."""
    levels: int = 2
    """Levels of the pyramid below the first."""
    least_eigenvalue: float = 1e-3
    """Points with less texture are not tracked (OpenCV's ``minEigThreshold``)."""
    patch: tuple[int, int] = (9, 9)
    """Px around a point that have to be alike before and after."""
    largest_change: float = 18
    """Median change of those patches, grey levels, from which on a motion is taken for a cut."""


TUNING = FlowTuning()


@dataclass
class _FollowedFace:
    face: Face
    found: float
    """Seconds, when the detector last found it."""


class OpticalFlowTracker:
    """Remembers the faces of the frame before, and finds those again that the detector misses."""

    def __init__(self) -> None:
        self._faces: list[_FollowedFace] = []
        self._grey: NDArray[np.uint8] | None = None

    def missing(self, frame: NDArray[np.uint8], faces: Sequence[Face], time: float) -> list[Face]:
        """Faces of the frame before that are in this frame too, though they are not among ``faces``.

        Args:
            frame: (H, W, 3) uint8 RGB, the next one.
            faces: what the detector found in it.
            time: of the frame in seconds.

        Returns:
            faces with moved landmarks; none that left the picture, was cut away or has been missing for long.
        """
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        followed: list[_FollowedFace] = []
        if self._grey is not None and self._grey.shape == grey.shape:
            for known in self._faces:
                if any(overlap(known.face.box, face.box) > TUNING.same for face in faces):
                    continue
                if not 0 < time - known.found <= TUNING.longest:
                    continue
                moved = follow_landmarks(self._grey, grey, known.face.landmarks)
                if moved is not None:
                    followed.append(_FollowedFace(_moved_face(known.face, moved), known.found))
        self._grey = grey
        self._faces = [_FollowedFace(face, time) for face in faces] + followed
        return [known.face for known in followed]


def follow_landmarks(before: NDArray[np.uint8], after: NDArray[np.uint8], landmarks: Points) -> Points | None:
    """Where a face's landmarks went from one frame to the next, or None where its pixels are not found again.

    Points on the face are tracked forwards and back (Lucas & Kanade, 1981, in pyramids; the check of Kalal et al.,
    "Forward-backward error", 2010); the landmarks move by the similarity that most of them agree on.

    Args:
        before, after: (H, W) uint8 grey.
        landmarks: (68, 2) in ``before``.
    """
    low, high = landmarks.min(0), landmarks.max(0)
    side = float((high - low).max())
    if not np.isfinite(side) or side < TUNING.smallest_face:
        return None
    origin = np.maximum(np.floor(low - TUNING.margin * side), 0).astype(int)
    end = np.minimum(np.ceil(high + TUNING.margin * side), before.shape[::-1]).astype(int)
    if (end - origin).min() < TUNING.smallest_part:
        return None
    scale = min(1.0, TUNING.side / side)
    a, b = (_part(grey, origin, end, scale) for grey in (before, after))
    small = (landmarks - origin + 0.5) * scale - 0.5
    motion = _motion(a, b, small[INNER])
    return None if motion is None else (apply(motion, small) + 0.5) / scale - 0.5 + origin


def _part(grey: Grey, origin: NDArray[np.int_], end: NDArray[np.int_], scale: float) -> Grey:
    part = np.ascontiguousarray(grey[origin[1] : end[1], origin[0] : end[0]])
    return np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _motion(a: Grey, b: Grey, start: Points) -> Matrix | None:
    """The similarity by which most of the points (n, 2) move from ``a`` to ``b``."""
    there, good = _tracked(a, b, start)
    if good.sum() < TUNING.least_points or not _alike(a, b, start[good], there[good]):
        return None
    try:
        motion = fit_similarity(start[good], there[good])
        agree = good & (np.linalg.norm(apply(motion, start) - there, axis=1) < TUNING.way_back)
        motion = fit_similarity(start[agree], there[agree])
    except FaceError:
        return None
    return (
        motion
        if agree.sum() >= TUNING.least_points and TUNING.growth[0] < scale_of(motion) < TUNING.growth[1]
        else None
    )


def _tracked(a: Grey, b: Grey, start: Points) -> tuple[Points, NDArray[np.bool_]]:
    """Where the points (n, 2) are in ``b``, and which of them find their way back."""
    options: dict[str, Any] = {
        "winSize": TUNING.window,
        "maxLevel": TUNING.levels,
        "minEigThreshold": TUNING.least_eigenvalue,
    }
    there, found, _ = cv2.calcOpticalFlowPyrLK(a, b, start[:, None].astype(np.float32), None, **options)
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(b, a, there, None, **options)
    error = np.linalg.norm(back[:, 0] - start, axis=-1)
    return there[:, 0].astype(np.float64), (found[:, 0] > 0) & (found_back[:, 0] > 0) & (
        error < TUNING.way_back
    )


def _alike(a: Grey, b: Grey, start: Points, there: Points) -> bool:
    """True where the pixels around the points are much the same before and after: a cut is no motion."""
    patches = [
        np.stack(
            [cv2.getRectSubPix(g, TUNING.patch, (float(x), float(y))).astype(np.float32) for x, y in points]
        )
        for g, points in ((a, start), (b, there))
    ]
    change = np.abs(patches[0] - patches[1]).mean(axis=(1, 2))
    return float(np.median(change)) < TUNING.largest_change


def _moved_face(face: Face, landmarks: Points) -> Face:
    shift = landmarks.mean(0) - face.landmarks.mean(0)
    left, top, right, bottom = face.box
    box = (left + shift[0], top + shift[1], right + shift[0], bottom + shift[1])
    return replace(face, box=box, landmarks=landmarks)
