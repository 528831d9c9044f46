"""Parts of a drawing that move up and down, column by column: lips and lids."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SOFT = 0.6
"""Deviation in px of the blur that rounds the map's kinks."""
_STILL = 1e-3
"""Moves below this, in px, are none."""


def columns_of(picture: NDArray[np.float32]) -> Floats:
    """(S,) the places of the columns of a square picture."""
    return np.arange(len(picture), dtype=np.float64)


def with_rows(drawn: NDArray[np.float32], heights: Floats, moves: Floats) -> NDArray[np.float32]:
    """A drawing in which marks of each column lie elsewhere, and what is between two marks is stretched between them.

    Args:
        drawn: (S, S, 3) float32 RGB, 0..1.
        heights: (S, k) rows of each column's marks, downwards; nothing moves above the first and below the last.
        moves: (S, k) by how many px each goes down; marks may come together but not cross.

    Returns:
        (S, S, 3) float32, a new picture; where nothing moves, the same values.
    """
    size = len(drawn)
    rows = columns_of(drawn)
    sources = np.zeros((size, size), np.float32)
    for column in np.flatnonzero(np.abs(moves).max(axis=1) > _STILL):
        goal = heights[column] + moves[column]
        sources[:, column] = np.interp(rows, goal, -moves[column], left=0, right=0)
    sources = cv2.GaussianBlur(sources, (0, 0), _SOFT)
    x, y = np.meshgrid(rows.astype(np.float32), rows.astype(np.float32))
    moved = cv2.remap(drawn, x, y + sources, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.where(np.abs(sources[..., None]) > _STILL, np.clip(moved, 0, 1), drawn), np.float32)
