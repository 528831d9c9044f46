"""Faces that the detector misses for a moment, carried on by the motion of their pixels.

A face that vanishes for a few frames (a blink of the detector, a hand, motion blur) would flash the target's own face.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.detection import Face, overlap
from faceswap.faces.geometry import INNER, Matrix, Points, apply, fit_similarity, scale_of

Grey = NDArray[np.uint8]

_LONGEST = 0.4
"""Seconds for which a face is carried on without being found."""
_SIDE = 160
"""Size to which the face is brought for the optical flow, px: as quick for a large face as for a small one."""
_BACK = 1.5
"""Largest distance, px of that size, to which a point may return when it is tracked forwards and back."""
_LEAST_POINTS = 12
_GROWTH = (0.85, 1.18)
_SAME = 0.3
_WINDOW = (17, 17)


@dataclass
class _Seen:
    face: Face
    found: float
    """Seconds, when the detector last found it."""


class Bridge:
    """Remembers the faces of the frame before, and finds those again that the detector misses."""

    def __init__(self) -> None:
        self._seen: list[_Seen] = []
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
        carried: list[_Seen] = []
        if self._grey is not None and self._grey.shape == grey.shape:
            for seen in self._seen:
                if any(overlap(seen.face.box, face.box) > _SAME for face in faces):
                    continue
                if not 0 < time - seen.found <= _LONGEST:
                    continue
                moved = follow_flow(self._grey, grey, seen.face.landmarks)
                if moved is not None:
                    carried.append(_Seen(_moved_face(seen.face, moved), seen.found))
        self._grey = grey
        self._seen = [_Seen(face, time) for face in faces] + carried
        return [seen.face for seen in carried]


def follow_flow(before: NDArray[np.uint8], after: NDArray[np.uint8], landmarks: Points) -> Points | None:
    """Where a face's landmarks went from one frame to the next, or None where its pixels are not found again.

    Points on the face are tracked forwards and back (Lucas & Kanade, 1981, in pyramids; the check of Kalal et al.,
    "Forward-backward error", 2010); the landmarks move by the similarity that most of them agree on.

    Args:
        before, after: (H, W) uint8 grey.
        landmarks: (68, 2) in ``before``.
    """
    low, high = landmarks.min(0), landmarks.max(0)
    side = float((high - low).max())
    if not np.isfinite(side) or side < 8:
        return None
    origin = np.maximum(np.floor(low - 0.3 * side), 0).astype(int)
    end = np.minimum(np.ceil(high + 0.3 * side), before.shape[::-1]).astype(int)
    if (end - origin).min() < 16:
        return None
    scale = min(1.0, _SIDE / side)
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
    if good.sum() < _LEAST_POINTS or not _alike(a, b, start[good], there[good]):
        return None
    try:
        motion = fit_similarity(start[good], there[good])
        agree = good & (np.linalg.norm(apply(motion, start) - there, axis=1) < _BACK)
        motion = fit_similarity(start[agree], there[agree])
    except FaceError:
        return None
    return motion if agree.sum() >= _LEAST_POINTS and _GROWTH[0] < scale_of(motion) < _GROWTH[1] else None


def _tracked(a: Grey, b: Grey, start: Points) -> tuple[Points, NDArray[np.bool_]]:
    """Where the points (n, 2) are in ``b``, and which of them find their way back."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        a, b, start[:, None].astype(np.float32), None, winSize=_WINDOW, maxLevel=2, minEigThreshold=1e-3
    )
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(
        b, a, there, None, winSize=_WINDOW, maxLevel=2, minEigThreshold=1e-3
    )
    error = np.linalg.norm(back[:, 0] - start, axis=-1)
    return there[:, 0].astype(np.float64), (found[:, 0] > 0) & (found_back[:, 0] > 0) & (error < _BACK)


def _alike(a: Grey, b: Grey, start: Points, there: Points) -> bool:
    """True where the pixels around the points are much the same before and after: a cut is no motion."""
    patches = [
        np.stack([cv2.getRectSubPix(g, (9, 9), (float(x), float(y))).astype(np.float32) for x, y in points])
        for g, points in ((a, start), (b, there))
    ]
    change = np.abs(patches[0] - patches[1]).mean(axis=(1, 2))
    return float(np.median(change)) < 18


def _moved_face(face: Face, landmarks: Points) -> Face:
    shift = landmarks.mean(0) - face.landmarks.mean(0)
    left, top, right, bottom = face.box
    box = (left + shift[0], top + shift[1], right + shift[0], bottom + shift[1])
    return replace(face, box=box, landmarks=landmarks)
