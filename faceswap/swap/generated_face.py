"""The face that the network generated for a crop, on its way into the frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.mediapipe.mesh import Eye
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Points
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.masks.generated_mask import GeneratedMask


@dataclass(frozen=True, eq=False)
class Features:
    """Eyes and mouths of a frame alone, not smoothed over time: lids and lips are fast.

    Attributes:
        generated: (68, 2) landmarks of the generated face as it is shown, its lids and lips moved, px of the crop.
        target: (68, 2) those of what the network saw, detected in the same way.
        target_eyes: the target's eyes, that on the picture's left first, px of the crop; None: too small to be read.
    """

    generated: Points
    target: Points
    target_eyes: tuple[Eye | None, Eye | None]


@dataclass(frozen=True, eq=False)
class GeneratedFace:
    """A crop of the target, what the network generated for it, and what is known of that.

    Attributes:
        crop: where it belongs.
        target: (S, S, 3) uint8 RGB, what the network saw.
        picture: (S, S, 3) float32 RGB, 0..1, what it generated.
        fine_detail: what photos of the reference show beyond it; None: not known.
        landmarks: (68, 2) of the generated face, in the frame; None: not detected, since the mask does not need them.
        mask: where the generated picture shows the reference's face; None: not looked for.
        features: of this frame; None: not asked for.
        reshaped_target: (68, 2) landmarks of the target in the frame after it was reshaped; None: it was not.
    """

    crop: FaceCrop
    target: NDArray[np.uint8]
    picture: NDArray[np.float32]
    fine_detail: FineDetail | None = None
    landmarks: Points | None = None
    mask: GeneratedMask | None = None
    features: Features | None = None
    reshaped_target: Points | None = None

    @property
    def target_landmarks(self) -> Points:
        """(68, 2) the target's landmarks where they lie in the frame now."""
        return self.crop.landmarks if self.reshaped_target is None else self.reshaped_target
