"""The target's own skin texture on the swap: pores and noise that are finer than what the network generates.

A network's crop has some 64 px a face height, a frame three times as many: what is put on it looks like wax. The finest
frequencies of the target's skin belong to its camera and light, and move with its head. Where more than texture is in
them (lids, brows, rims, strands, deep wrinkles) nothing is taken, so that no second edge shows.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TextureTuning:
    """Constants of the texture; chosen by eye on a, b and g. More of it (0.8 px and 0.06) takes likeness: identity
    distances on a, b and c are 0.01 to 0.03 larger."""

    finest: float = 0.5
    """Standard deviation, in px of the crop, of the Gaussian that takes away what the network can't generate."""
    least: float = 0.6
    """The same in px of the frame, below which the network generates all that the frame shows."""
    edge: float = 0.06
    """Root mean square of what is finer, of the mean grey level, at which half of it counts as texture."""
    deepest: float = 0.04
    """Largest change of a pixel, of the mean grey level: a single line on even skin is no pore."""
    around: float = 2.0
    """Standard deviation of the neighbourhood in which that is measured, in those of the Gaussian."""


TUNING = TextureTuning()
_COARSER = 4
"""Times that the neighbourhood is looked at smaller: it is smooth."""


def texture_of(under: NDArray[np.uint8], amount: float, enlarged: float) -> NDArray[np.float32] | None:
    """The target's finest detail.

    Args:
        under: (h, w, 3) uint8 RGB, the target in the frame's pixels.
        amount: 1 gives all, 0 nothing.
        enlarged: px of the frame per px of the crop.

    Returns:
        (h, w) float32, grey levels of 255 that are to be added to a swap; None: nothing.
    """
    sigma = TUNING.finest * enlarged
    if not amount or sigma < TUNING.least:
        return None
    grey = cv2.cvtColor(under, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), sigma)
    size = fine.shape[1::-1]
    coarse = tuple(max(1, side // _COARSER) for side in size)
    power = cv2.resize(fine * fine, coarse, interpolation=cv2.INTER_AREA)
    power = cv2.GaussianBlur(power, (0, 0), TUNING.around * sigma / _COARSER)
    level = max(float(cv2.mean(grey)[0]), 1 / TUNING.edge)
    limit, deepest = np.float32(TUNING.edge * level), np.float32(TUNING.deepest * level)
    share = np.float32(amount) / (1 + (power / (limit * limit)) ** 2)
    return np.asarray(
        np.clip(fine, -deepest, deepest) * cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
    )
