"""Parts of a generated picture that move up and down, column by column: lips and lids."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.swap.expression.moving import moved

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnWarpTuning:
    """Constants of the warp; not measured."""

    blur: float = 0.6
    """Standard deviation, px, of the blur that rounds the kinks of the map."""
    still: float = 1e-3
    """Moves below this, px, are none."""


TUNING = ColumnWarpTuning()


def columns_of(picture: NDArray[np.float32]) -> Floats:
    """(W,) the x of each column of a picture."""
    return np.arange(picture.shape[1], dtype=np.float64)


def warp_columns(picture: NDArray[np.float32], heights: Floats, moves: Floats) -> NDArray[np.float32]:
    """A picture in which marks of each column lie elsewhere; what is between two marks is stretched between them.

    Args:
        picture: (H, W, 3) float32 RGB, 0..1.
        heights: (W, k) y of each column's marks, downwards; nothing moves above the first and below the last.
        moves: (W, k) by how many px each goes down; marks may come together but not cross.

    Returns:
        (H, W, 3) float32, a new picture; where nothing moves, the same values.
    """
    columns = np.flatnonzero(np.abs(moves).max(axis=1) > TUNING.still)
    down = np.zeros(picture.shape[:2], np.float32)
    if len(columns):
        goals, sources = (heights + moves)[columns], -moves[columns]
        top, bottom = np.clip((math.floor(goals.min()), math.ceil(goals.max()) + 1), 0, len(picture)).tolist()
        down[top:bottom, columns] = _between(np.arange(top, bottom)[:, None], goals, sources)
        down = cv2.GaussianBlur(down, (0, 0), TUNING.blur)
    return moved(picture, down, still=TUNING.still)


def _between(rows: NDArray[np.int_], goals: Floats, values: Floats) -> Floats:
    """(n, m): values (m, k) at goals (m, k) of each column, linearly in between, at rows (n, 1); 0 beyond."""
    result = np.repeat(values[None, :, 0], len(rows), axis=0)
    for i in range(goals.shape[1] - 1):
        width = np.maximum(goals[:, i + 1] - goals[:, i], 1e-9)
        result += (values[:, i + 1] - values[:, i]) * np.clip((rows - goals[:, i]) / width, 0, 1)
    return np.where((rows >= goals[:, 0]) & (rows <= goals[:, -1]), result, 0)
