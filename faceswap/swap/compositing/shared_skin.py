"""Where a target's crop and the generated face both show skin: what their colours are compared on."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import apply
from faceswap.faces.landmarks import BROWS, EYES, OUTER_LIPS
from faceswap.faces.regions import fill_outline
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.masks.visibility import Visibility

Floats = NDArray[np.float32]

GRID = 48
"""Cells along each side of the crop in which skin is compared: light changes slowly."""
_FINE = 4 * GRID
"""Side of the picture in which outlines are filled, before it is averaged to the grid."""
_FOREHEAD = 0.45
"""How far skin is looked for above the brows, face heights: hair that lies there is left out by its colour."""
_FOREHEAD_WEIGHT = 0.5
"""How much that counts beside what the landmarks enclose."""
_MARGIN = 0.04
"""How far around eyes, brows and lips nothing counts as skin, face heights."""


def shared_skin(face: GeneratedFace, visible: Visibility | None = None) -> Floats:
    """The share of each cell of a grid over the crop in which both pictures show skin, to compare their colours.

    Skin counts within the landmarks and on the forehead, without eyes, brows and mouth of either face, without what
    lies over the target's and without hair that was generated.

    Args:
        face: the crop, and the landmarks of the generated face, where they are known.
        visible: where the target's face is not covered; None: everywhere.

    Returns:
        (48, 48) float32, 0..1.
    """
    crop = face.crop
    unit = crop.geometry.unit
    target = crop.landmarks_in_crop
    people = [target] if face.landmarks is None else [target, apply(crop.matrix, face.landmarks)]
    scale = _FINE / crop.geometry.size
    inner, whole, features = (np.zeros((_FINE, _FINE), np.uint8) for _ in range(3))
    fill_outline(inner, target, scale)
    fill_outline(whole, np.concatenate([target, target[BROWS] - (0, _FOREHEAD * unit)]), scale)
    first, last = BROWS.start, BROWS.stop
    brows = (slice(first, (first + last) // 2), slice((first + last) // 2, last))
    for points in people:
        for part in (*EYES, OUTER_LIPS, *brows):
            fill_outline(features, points[part], scale)
    reach = 2 * round(_MARGIN * unit * scale) + 1
    features = cv2.dilate(features, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    skin = np.where(inner > 0, np.float32(1), np.float32(_FOREHEAD_WEIGHT)) * (whole > 0) * (features == 0)
    cells = _on_grid(skin)
    if visible is not None:
        cells *= _whole(_on_grid(visible.in_crop(crop.matrix, crop.geometry.size)))
    if face.mask is not None:
        cells *= _whole(_on_grid(face.mask.face))
    return cells


def _on_grid(share: NDArray[Any]) -> Floats:
    return np.asarray(cv2.resize(share.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA))


def _whole(cells: Floats) -> Floats:
    """The share of each cell, none of it where less than half is there: an edge blurs one into the other."""
    return np.asarray(np.clip(2 * cells - 1, 0, 1))
