"""BlazeFace: where faces are and how they lie, by MediaPipe's short-range and full-range detectors.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs" (2019). Anchors, scores and boxes
are decoded as MediaPipe's ``SsdAnchorsCalculator`` and ``TensorsToDetectionsCalculator`` do with the options of
``face_detection_short_range.pbtxt`` and ``face_detection_full_range.pbtxt``; boxes of one face are averaged by their
scores (its ``NonMaxSuppressionCalculator``, ``WEIGHTED``).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.mediapipe.models import ModelName, model
from faceswap.faces.finding.square import Square, direction
from faceswap.faces.geometry import Image, Points, apply, invert

Array = NDArray[np.float64]
Range = Literal["short", "full"]

_MODELS: dict[Range, ModelName] = {
    "short": "face_detection_short_range",
    "full": "face_detection_full_range_sparse",
}
_ANCHORS: dict[Range, tuple[tuple[int, int], ...]] = {"short": ((8, 2), (16, 6)), "full": ((4, 1),)}
"""Stride, px, and number of anchors a cell; those of one cell lie on its centre, all of side 1."""
_SAME = 0.3
"""Overlap (intersection over union) from which on two boxes are of the same face; MediaPipe's
``min_suppression_threshold``."""
_BOX_TO_MESH = 1.5
"""Side of the square in which the mesh is looked for over that of the box; MediaPipe's
``face_detection_front_detection_to_roi``."""


@dataclass(frozen=True)
class Detection:
    """A face as the detector gives it.

    Attributes:
        square: around it with a margin, along the line of its eyes.
        score: 0 to 1.
    """

    square: Square
    score: float


@lru_cache
def anchors(kind: Range, size: int) -> Array:
    """(n, 2) centres of the anchors in px of the network's picture, in the order of its outputs."""
    found = []
    for stride, count in _ANCHORS[kind]:
        cells = (np.arange(size // stride) + 0.5) * stride
        found.append(np.repeat(np.stack(np.meshgrid(cells, cells), -1).reshape(-1, 2), count, axis=0))
    return np.concatenate(found)


def detect(image: Image, part: Square, kind: Range, least: float) -> list[Detection]:
    """The faces in a part of a frame, the surest first.

    Args:
        image: (H, W, 3) uint8 RGB.
        part: what the network sees, upright.
        kind: "short" finds faces from an eighth of the part's side on, lying in any way (those on their side or
            upside down with the wrong eyes); "full" from a fourteenth on, tilted by up to 60°. Measured on people a
            to g.
        least: score, 0 to 1, below which nothing counts.
    """
    network = model(_MODELS[kind])
    raw, logits = network(part.cut(image, network.size).astype(np.float32) / 127.5 - 1)
    logits = logits.reshape(-1)
    good = np.flatnonzero(logits > math.log(least / (1 - least)))
    if not len(good):
        return []
    scores = 1 / (1 + np.exp(-logits[good].astype(np.float64)))
    # centre, size, and six points: the eyes (that on the picture's left first), tip of the nose, mouth, ears
    values = raw.reshape(-1, 8, 2)[good].astype(np.float64)
    centres = anchors(kind, network.size)[good]
    middle, side, eyes = values[:, 0] + centres, values[:, 1], values[:, 2:4] + centres[:, None]
    boxes = np.concatenate([middle - side / 2, middle + side / 2], axis=1)
    # the network's coordinates count from the picture's edge, ours from the centre of its first pixel
    back = invert(part.matrix(network.size))
    return [
        Detection(_square(apply(back, np.vstack([box.reshape(2, 2), pair]) - 0.5), part.angle), score)
        for box, pair, score in _averaged(boxes, eyes, scores)
        if (box[2:] > box[:2]).all()
    ]


def _square(points: Points, angle: float) -> Square:
    """Of two corners of an upright box in a picture that is turned by ``angle``, and the eyes."""
    low, high, right_eye, left_eye = points
    x, y = ((low + high) / 2).tolist()
    across = high - low
    cos, sin = math.cos(angle), math.sin(angle)
    side = max(across[0] * cos + across[1] * sin, across[1] * cos - across[0] * sin)
    return Square(x, y, _BOX_TO_MESH * float(side), direction(right_eye, left_eye))


def _averaged(boxes: Array, eyes: Array, scores: Array) -> list[tuple[Array, Array, float]]:
    """One box a face: those that overlap with the surest, averaged by their scores."""
    left = np.argsort(-scores)
    found = []
    while len(left):
        first = left[0]
        same = _overlap(boxes[first], boxes[left]) > _SAME
        same[0] = True
        group, left = left[same], left[~same]
        weights = scores[group] / scores[group].sum()
        found.append((weights @ boxes[group], np.tensordot(weights, eyes[group], 1), float(scores[first])))
    return found


def _overlap(box: Array, others: Array) -> Array:
    """(n,) intersection over union, 0 to 1, of a box (4,) with others (n, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.clip(high - low, 0, None).prod(1)
    areas = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1)
    return np.asarray(common / np.maximum(areas - common, 1e-9))
