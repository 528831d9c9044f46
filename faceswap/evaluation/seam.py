"""What the border of a swap's mask shows that was not there."""

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation.colour_difference import ciede2000, lab_of
from faceswap.faces.geometry import Geometry, Points, scale_of

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_UNIT = Geometry(size=256, coverage=1.0)
"""The crop by which a face height is told in pixels."""
_REACH = 0.05
"""Standard deviation, in face heights, of the neighbourhood whose colours count on either side of the border."""
_INSIDE, _OUTSIDE = 0.9, 0.1
"""Masks from which on a pixel counts as the swap's, and up to which as the target's."""
_SEEN = 0.02
"""Share of a neighbourhood that has to lie on each side of the border, where it is compared."""


def seam(
    swap: Image,
    target: Image,
    mask: NDArray[np.float32],
    landmarks: Points,
    truth: Image | None = None,
    valid: NDArray[np.bool_] | None = None,
) -> float:
    """The mean step of colours across the mask's border that the target does not have there, in CIEDE2000.

    On each side of the border the colours are averaged over a neighbourhood, so that pores, noise and the width of the
    soft edge do not count. The step from outside to inside in the target (or in the true swap, whichever is more like
    the swap's) is what belongs there, a hairline, a shadow; what the swap's inside differs from that is the seam.

    Args:
        swap, target: (H, W, 3) uint8 RGB.
        mask: (H, W) float32: 0 the target, 1 the swap.
        landmarks: (68, 2) of the face, for its height.
        truth: (H, W, 3) uint8 RGB, the true swap of fictional people; None: not known.
        valid: (H, W) where the pictures lie in the frame; None: everywhere.

    Returns:
        0: as if nothing had been put there; about 1 can just be seen; NaN where the mask has no border.
    """
    border = (mask > 0.25) & (mask < 0.75)
    if valid is not None:
        mask = np.where(valid, mask, np.float32(0.5))
        border &= valid
    inside, outside = (side.astype(np.float32) for side in (mask > _INSIDE, mask < _OUTSIDE))
    deviation = max(1.0, _REACH * _UNIT.size / scale_of(_UNIT.matrix(landmarks)))
    near = [cv2.GaussianBlur(side, (0, 0), deviation) for side in (inside, outside)]
    border &= (near[0] > _SEEN) & (near[1] > _SEEN)
    if not border.any():
        return float("nan")

    def sides(picture: Image) -> tuple[Floats, Floats]:
        lab = lab_of(picture).astype(np.float32)
        found = [
            cv2.GaussianBlur(lab * side[..., None], (0, 0), deviation)[border] / total[border][:, None]
            for side, total in zip((inside, outside), near, strict=True)
        ]
        return found[0].astype(np.float64), found[1].astype(np.float64)

    within, beyond = sides(swap)
    steps = []
    for picture in (target, truth):
        if picture is not None:
            own_within, own_beyond = sides(picture)
            steps.append(ciede2000(within, beyond + own_within - own_beyond))
    return float(np.min(steps, axis=0).mean())
