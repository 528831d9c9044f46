"""Colours of the swap fitted to the target's, so that no seam of brightness or tint shows."""

from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.swap.options import Colour

_SAMPLES = 4096
_CONTRAST = (0.7, 1.4)
"""The contrast is changed at most by these factors: a blurred swap must not be blown up to a real skin's."""


def fit_colours(
    swapped: NDArray[np.float32],
    target: NDArray[np.uint8],
    skin: NDArray[np.bool_],
    how: Colour,
    strength: float = 1.0,
) -> NDArray[np.float32]:
    """Give a swapped crop the colours of the target's crop.

    ``mean`` moves the median of each Lab channel to the target's; ``reinhard`` also fits the spread (Reinhard et
    al., "Color transfer between images", 2001). Both are taken over the pixels that are skin in the target and
    by median and inner percentiles, so that glasses, a beard's edge or a highlight do not pull them.

    Args:
        swapped: (S, S, 3) float32 RGB, 0..1.
        target: (S, S, 3) uint8 RGB of the same crop.
        skin: (S, S) where to compare; with fewer than 16 pixels nothing is changed.
        how: the method's name.
        strength: 0 changes nothing, 1 all.

    Returns:
        (S, S, 3) float32 RGB, 0..1.

    Raises:
        SettingsError: there is no method of that name.
    """
    if how not in get_args(Colour):
        raise SettingsError(
            f"There is no colour transfer {how!r}", f"choose one of: {', '.join(get_args(Colour))}"
        )
    count = int(skin.sum())
    if how == "none" or strength == 0 or count < 16:
        return swapped
    where = np.flatnonzero(skin)[:: max(1, count // _SAMPLES)]
    lab = cv2.cvtColor(np.ascontiguousarray(swapped, np.float32), cv2.COLOR_RGB2LAB)
    goal = cv2.cvtColor(target.reshape(-1, 1, 3)[where].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    middle, spread = _middle_and_spread(lab.reshape(-1, 3)[where])
    goal_middle, goal_spread = _middle_and_spread(goal[:, 0])
    gain = np.ones(3, np.float32)
    if how == "reinhard":
        gain = np.clip(goal_spread / np.maximum(spread, 1e-3), *_CONTRAST)
    # fitted = (lab - middle) * gain + goal_middle, mixed with lab by strength: one multiply-add
    factor = 1 + np.float32(strength) * (gain - 1)
    lab *= factor
    lab += np.float32(strength) * (goal_middle - gain * middle)
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)


def _middle_and_spread(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Median and half the distance of the 16th to the 84th percentile (a Gaussian's standard deviation)."""
    low, middle, high = np.percentile(samples, (16, 50, 84), axis=0)
    return middle.astype(np.float32), ((high - low) / 2).astype(np.float32)
