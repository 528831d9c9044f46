"""What is seen of a target's face on a video: looked at often, carried along with the face in between, and smoothed.

The network that sees hands and hair takes a tenth of the time of a frame. What lies over a face moves little between
two frames, unless much of the face changes at once: then it is looked at again in that very frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
from faceswap.faces.smoothing import weight_of_new
from faceswap.model.segmentation_view import VIEW
from faceswap.swap.masks.visibility import Segments, Visibility


@dataclass(frozen=True)
class SeenFaceTuning:
    """Constants of the looks; not measured unless said."""

    look_every: float = 0.06
    """Seconds after which a face is looked at again: every other frame of 25 to 30 a second."""
    cells: int = 12
    """Cells along each side of the crop in which changes are looked for."""
    middle: tuple[slice, slice] = (slice(3, 11), slice(3, 9))
    """Rows and columns of them that show the face, of a crop of a whole face."""
    changed: float = 16.0
    """Grey levels by which a cell's mean colour has to change, and"""
    most_changed: int = 4
    """the number of such cells up to which nothing but the mouth and the eyes moved."""
    time_constant: float = 0.12
    """Seconds over which the outline of an occluder is smoothed: hands are quick."""
    glasses_seconds: float = 4.0
    """Seconds over which it is smoothed whether glasses are worn: what passes for some for a moment goes by."""


TUNING = SeenFaceTuning()


@dataclass(frozen=True, eq=False)
class SeenFace:
    """What is seen of a face in a frame.

    Attributes:
        time: of the frame, seconds.
        looked: of the frame in which the network looked last, seconds.
        cells: (c, c, 3) float32, mean colours of the target's crop then.
        found: what the network saw then.
        visible: where the face is seen, smoothed.
        worn: how surely it wears glasses, 0..1, smoothed.
    """

    time: float
    looked: float
    cells: NDArray[np.float32]
    found: Visibility
    visible: Visibility
    worn: float

    @classmethod
    def after(
        cls,
        before: "SeenFace | None",
        image: NDArray[np.uint8],
        landmarks: Points,
        target: NDArray[np.uint8],
        with_glasses: bool,
        time: float,
    ) -> "SeenFace":
        """What is seen in the next frame.

        Args:
            before: what was seen in the frame before; None: this is the first.
            image: (H, W, 3) uint8 RGB, the frame.
            landmarks: (68, 2) of the face in it.
            target: (S, S, 3) uint8 RGB, the face's crop.
            with_glasses: they count as a part of the face.
            time: of the frame, seconds.
        """
        side = TUNING.cells
        cells = cv2.resize(target, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
        if before is None or time <= before.time:
            seen = Segments.of(image, landmarks)
            found, worn = seen.visible(with_glasses), seen.glasses_worn
            return cls(time, time, cells, found, found, worn)
        share = weight_of_new(time - before.time, TUNING.time_constant)
        if time - before.looked < TUNING.look_every and not _much_changed(before.cells, cells):
            found = Visibility(before.found.share, VIEW.matrix(landmarks))
            return cls(
                time, before.looked, before.cells, found, found.mixed(before.visible, share), before.worn
            )
        seen = Segments.of(image, landmarks)
        change = seen.glasses_worn - before.worn
        worn = before.worn + weight_of_new(time - before.looked, TUNING.glasses_seconds) * change
        found = seen.visible(with_glasses, worn)
        return cls(time, time, cells, found, found.mixed(before.visible, share), worn)


def _much_changed(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """Whether more of a face changed than a mouth and eyes."""
    change = np.abs(now - before)[TUNING.middle].max(axis=-1)
    return int((change > TUNING.changed).sum()) > TUNING.most_changed
