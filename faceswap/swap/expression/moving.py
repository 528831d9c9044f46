"""Parts of a generated picture that move: only what moves is sampled anew."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]


def moved(picture: Floats32, down: Floats32, across: Floats32 | None = None, still: float = 0.0) -> Floats32:
    """A picture of which each pixel comes from another place.

    Args:
        picture: (H, W, 3) float32 RGB, 0..1.
        down: (H, W) px by which that place lies below the pixel.
        across: (H, W) px by which it lies to the right; None: it does not.
        still: moves up to this, px, are none.

    Returns:
        (H, W, 3) float32, a new picture; where nothing moves, the same values.
    """
    moves = np.abs(down) > still
    if across is not None:
        moves |= np.abs(across) > still
    left, top, width, height = cv2.boundingRect(moves.view(np.uint8))
    result = picture.copy()
    if not width:
        return result
    part = np.s_[top : top + height, left : left + width]
    y = down[part] + np.arange(top, top + height, dtype=np.float32)[:, None]
    x = np.broadcast_to(np.arange(left, left + width, dtype=np.float32), y.shape)
    x = x.copy() if across is None else across[part] + x
    there = cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    np.copyto(result[part], np.clip(there, 0, 1), where=moves[part][..., None])
    return result
