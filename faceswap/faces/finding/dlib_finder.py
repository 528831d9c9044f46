"""Finding faces, their 68 landmarks and their 128-d embeddings: dlib with the models of face_recognition.

The models come from the package face_recognition_models; dlib is called directly, since importing
face_recognition needs pkg_resources and ends the process where that is missing.
"""

import importlib.util
import itertools
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.faces.finding.square import Square
from faceswap.faces.geometry import Points

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]
SearchEffort = Literal["coarse", "until_found", "fine"]
"""How finely a frame is searched: by the first, coarse search alone (a 1080p frame without a face costs a twentieth
then); more and more finely until a face is found; or on to small faces beside large ones (a tenth of a second and
more)."""


@dataclass(frozen=True)
class DetectionTuning:
    """Constants of dlib's detector and landmarks; not measured unless said."""

    window: int = 80
    """Side, px, of the smallest face that dlib's HOG detector finds; smaller ones need a larger picture."""
    usual_box: int = 48
    """Side, px, of the smallest box that is looked for unless asked otherwise."""
    smallest_box: int = 24
    """Side, px, of the smallest box that is looked for at all."""
    box_to_height: float = 1.6
    """Side of a face's box over its height from the brows to the lower lip, as measured on real footage."""
    coarse: int = 160
    """Side, px of the frame, of the smallest face that the first, coarse search can find."""
    least_score: float = 0.2
    """Of a face. Measured on real footage: faces, also tilted by 35°, blurred, dark or noisy, score from 0.5 on, with
    the mouth covered from 0.17; boxes around something else score up to 0.08 upright, 0.23 on pictures upside down."""
    least_score_at_hint: float = 0.0
    """Where a face was a moment ago, a doubtful one (half covered by a hand) is believed."""
    least_score_beside: float = 0.5
    """Of a small face beside a larger one, which finer searches must not find in its background."""
    small_beside: int = 20
    """Faces beside a larger one are looked for down to this part of the frame's shorter side."""
    same: float = 0.4
    """Overlap from which on two boxes are of the same face."""
    hint_margin: float = 0.6
    """Margin around a hint that is searched, in its sides."""
    hint_enlarged: float = 1.25
    """Size to which a face at a hint is brought, in sides of the window."""
    landmark_side: int = 400
    """Side, px, to which a larger face is shrunk before landmarks and embeddings, near to what the models know."""
    careful_moves: tuple[float, float] = (-0.03, 0.03)
    """Shifts and growths of the box in careful detections of landmarks, in its sides: all eight combinations."""


TUNING = DetectionTuning()
_CAREFUL_MOVES = tuple(itertools.product(TUNING.careful_moves, repeat=3))
"""Shift to the right, down, and growth of the box."""
_ONE_SEARCH, _ONE_EMBEDDING = threading.Lock(), threading.Lock()
"""dlib's detectors and networks keep their scratch in the model: one thread at a time may use each."""


@dataclass(frozen=True)
class Face:
    """One face in a frame.

    Attributes:
        box: left, top, right, bottom in px of the frame.
        landmarks: (68, 2) float64, x and y in px of the frame, iBUG order.
        score: of the detector, higher is surer.
        square: where the face's mesh is looked for in the next frame, if it was found by one.
    """

    box: Box
    landmarks: Points
    score: float
    square: Square | None = None

    @property
    def size(self) -> float:
        """Side of the box in px."""
        return self.box[3] - self.box[1]


@lru_cache
def _model(name: str) -> str:
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or found.origin is None:
        raise SettingsError(
            "The package face_recognition_models is missing", "pip install face_recognition_models"
        )
    return str(Path(found.origin).parent / "models" / name)


@lru_cache
def _hog() -> Any:
    return dlib.get_frontal_face_detector()


@lru_cache
def _cnn() -> Any:
    return dlib.cnn_face_detection_model_v1(_model("mmod_human_face_detector.dat"))


@lru_cache
def _landmarker() -> Any:
    return dlib.shape_predictor(_model("shape_predictor_68_face_landmarks.dat"))


@lru_cache
def _embedder() -> Any:
    return dlib.face_recognition_model_v1(_model("dlib_face_recognition_resnet_model_v1.dat"))


def load_models() -> None:
    """Load the HOG detector, the landmarks and the embedding now rather than at the first face."""
    for load in (_hog, _landmarker, _embedder):
        load()


class FaceFinder:
    """Finds faces coarse to fine, so that neither small nor large ones cost a search at full resolution.

    The first search shrinks the frame so that faces of 160 px become the detector's 80 px window; where it finds
    nothing, or all are wanted, finer searches follow, down to ``min_face``. Picklable, safe to use from several
    threads; dlib's models are loaded once a process.

    Args:
        detector: "hog", or "cnn" (better on turned faces; wants a dlib built for CUDA).
        min_face: side of the smallest box that is looked for, px of the frame; where the height of a face is known
            rather than that of a box, see :meth:`down_to`.
        careful: landmarks are the mean of eight detections, each from a slightly moved box (20 ms a face instead of
            3). dlib's landmarks depend on the box: on real footage the lips' gap of a single detection correlates at
            0.83 with the mean of 64, that of eight at 0.98. To measure with.
    """

    def __init__(
        self,
        detector: Literal["hog", "cnn"] = "hog",
        min_face: int = TUNING.usual_box,
        careful: bool = False,
    ) -> None:
        self.detector, self.min_face, self.careful = detector, min_face, careful

    @classmethod
    def down_to(cls, height: float, detector: Literal["hog", "cnn"] = "hog") -> Self:
        """One that also finds faces only so high, in px from the brows to the lower lip (as ``min_face`` in options).

        Small ones cost: the detector sees nothing below its 80 px, so that frames without a face are enlarged.
        """
        return cls(
            detector, round(min(TUNING.usual_box, max(TUNING.smallest_box, TUNING.box_to_height * height)))
        )

    def find(self, frame: Image, hint: Box | None = None, effort: SearchEffort = "until_found") -> list[Face]:
        """Faces of a frame, the largest first.

        Args:
            frame: (H, W, 3) uint8 RGB.
            hint: where a face was in the frame before: then the detector searches there first, and if it finds one
                there, nowhere else.
            effort: how finely to search, see :data:`SearchEffort`.
        """
        boxes = self._around(frame, hint) if hint is not None else []
        boxes = boxes or self._search(frame, effort)
        faces = [Face(box, self.landmarks(frame, box), score) for box, score in boxes]
        return sorted(faces, key=lambda face: -face.size)

    def _around(self, frame: Image, hint: Box) -> list[tuple[Box, float]]:
        left, top, right, bottom = hint
        margin = TUNING.hint_margin * (bottom - top)
        height, width = frame.shape[:2]
        x0, y0 = max(0, int(left - margin)), max(0, int(top - margin))
        x1, y1 = min(width, int(right + margin)), min(height, int(bottom + margin))
        if x1 - x0 < TUNING.window // 2 or y1 - y0 < TUNING.window // 2:
            return []
        scale = TUNING.hint_enlarged * TUNING.window / max(bottom - top, 1)
        found = self._detect(frame[y0:y1, x0:x1], min(1.0, scale), TUNING.least_score_at_hint)
        boxes = [((a + x0, b + y0, c + x0, d + y0), score) for (a, b, c, d), score in found]
        if not any(overlap(box, hint) > TUNING.same for box, _ in boxes):
            return []
        return [
            (box, score)
            for box, score in boxes
            if score >= TUNING.least_score or overlap(box, hint) > TUNING.same
        ]

    def _search(self, frame: Image, effort: SearchEffort) -> list[tuple[Box, float]]:
        side = min(frame.shape[:2])
        # a face a fifth of a large frame is found in the first search; small frames are searched as they are
        smallest = max(TUNING.coarse, side / 5)
        found: list[tuple[Box, float]] = []
        while True:
            found = _merged(
                found
                + self._detect(
                    frame,
                    TUNING.window / smallest,
                    TUNING.least_score_beside if found else TUNING.least_score,
                )
            )
            least = max(self.min_face, side / TUNING.small_beside) if found else self.min_face
            if effort == "coarse" or (found and effort == "until_found") or smallest <= least:
                return found
            # the finest search finds larger faces, too; one that is hardly coarser than the last would be paid twice
            smallest = least if found or smallest < 3 * least else smallest / 2

    def _detect(
        self, frame: Image, scale: float, least: float = TUNING.least_score
    ) -> list[tuple[Box, float]]:
        if round(min(frame.shape[:2]) * scale) < 1:
            return []
        if abs(scale - 1) > 0.05:
            interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=interpolation)
        else:
            scale = 1.0
        if self.detector == "cnn":
            with _ONE_SEARCH:
                found = [(d.rect, d.confidence) for d in _cnn()(np.ascontiguousarray(frame), 0)]
        else:
            grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
            with _ONE_SEARCH:
                rectangles, scores, _ = _hog().run(grey, 0, least)
            found = list(zip(rectangles, scores, strict=True))
        return [
            ((r.left() / scale, r.top() / scale, r.right() / scale, r.bottom() / scale), float(score))
            for r, score in found
        ]

    @staticmethod
    def _landmarks(frame: Image, box: Box) -> Points:
        """Landmarks on the frame's own pixels; a huge face is shrunk to the size that the model knows."""
        scale = min(1.0, TUNING.landmark_side / max(box[3] - box[1], 1))
        x0, y0 = 0, 0
        if scale < 1:
            margin = 0.5 * (box[3] - box[1])
            x0, y0 = max(0, int(box[0] - margin)), max(0, int(box[1] - margin))
            part = frame[y0 : int(box[3] + margin), x0 : int(box[2] + margin)]
            frame = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        moved = [(v - o) * scale for v, o in zip(box, (x0, y0, x0, y0), strict=True)]
        shape = _landmarker()(np.ascontiguousarray(frame), dlib.rectangle(*[round(v) for v in moved]))
        points = np.array([(p.x, p.y) for p in shape.parts()], np.float64)
        return (points + 0.5) / scale - 0.5 + (x0, y0)

    def landmarks(self, frame: Image, box: Box) -> Points:
        """(68, 2) landmarks of a face whose box (left, top, right, bottom) is known."""
        if not self.careful:
            return self._landmarks(frame, box)
        side = box[3] - box[1]
        moved = [
            tuple(v + d * side for v, d in zip(box, (x - g, y - g, x + g, y + g), strict=True))
            for x, y, g in _CAREFUL_MOVES
        ]
        return np.mean([self._landmarks(frame, one) for one in moved], axis=0)  # type: ignore[arg-type]

    def embed(self, frame: Image, landmarks: Points) -> NDArray[np.float64]:
        """(128,) embedding of a face; two faces closer than 0.6 are the same person. Takes over 100 ms."""
        return embedding(frame, landmarks)


def embedding(frame: Image, landmarks: Points) -> NDArray[np.float64]:
    """(128,) embedding of the face with these (68, 2) landmarks; see :meth:`FaceFinder.embed`."""
    scale = min(1.0, TUNING.landmark_side / max(float(np.ptp(landmarks[:, 1])), 1))
    if scale < 1:
        frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    points = (np.asarray(landmarks) + 0.5) * scale - 0.5
    parts = [dlib.point(round(x), round(y)) for x, y in points.tolist()]
    low, high = points.min(0), points.max(0)
    box = dlib.rectangle(*[round(v) for v in (*low, *high)])
    shape = dlib.full_object_detection(box, dlib.points(parts))
    with _ONE_EMBEDDING:
        return np.array(_embedder().compute_face_descriptor(np.ascontiguousarray(frame), shape, 0))


def _merged(found: list[tuple[Box, float]]) -> list[tuple[Box, float]]:
    """One box per face: of boxes that overlap, the surest."""
    kept: list[tuple[Box, float]] = []
    for box, score in sorted(found, key=lambda entry: -entry[1]):
        if all(overlap(box, other) < TUNING.same for other, _ in kept):
            kept.append((box, score))
    return kept


def overlap(a: Box, b: Box) -> float:
    """Intersection over the smaller area, 0..1: a box within another counts as the same face."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
    return width * height / max(min(areas), 1e-9)
