"""Parts of a generated picture that move up and down, column by column: lips and lids."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

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
    """(S,) the x of each column of a square picture."""
    return np.arange(len(picture), dtype=np.float64)


def warp_columns(picture: NDArray[np.float32], heights: Floats, moves: Floats) -> NDArray[np.float32]:
    """A picture in which marks of each column lie elsewhere; what is between two marks is stretched between them.

    Args:
        picture: (S, S, 3) float32 RGB, 0..1.
        heights: (S, k) y of each column's marks, downwards; nothing moves above the first and below the last.
        moves: (S, k) by how many px each goes down; marks may come together but not cross.

    Returns:
        (S, S, 3) float32, a new picture; where nothing moves, the same values.
    """
    size = len(picture)
    rows = columns_of(picture)
    sources = np.zeros((size, size), np.float32)
    for column in np.flatnonzero(np.abs(moves).max(axis=1) > TUNING.still):
        goal = heights[column] + moves[column]
        sources[:, column] = np.interp(rows, goal, -moves[column], left=0, right=0)
    sources = cv2.GaussianBlur(sources, (0, 0), TUNING.blur)
    x, y = np.meshgrid(rows.astype(np.float32), rows.astype(np.float32))
    moved = cv2.remap(picture, x, y + sources, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    moves_here = np.abs(sources[..., None]) > TUNING.still
    return np.asarray(np.where(moves_here, np.clip(moved, 0, 1), picture), np.float32)
