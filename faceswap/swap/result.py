"""What a swap makes of a frame and of each of its faces."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.geometry import Matrix
from faceswap.swap.assignment import Skipped
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.generated_face import GeneratedFace


@dataclass(frozen=True)
class SwappedFace:
    """What became of one face of a frame."""

    face: Face
    matrix: Matrix | None = None
    """(2, 3) from frame to crop; None where there is none (broken landmarks)."""
    area: float = 0.0
    """Pixels of the frame that were replaced, partly replaced ones by their share."""
    skipped: Skipped | None = None
    """Why it was left alone; None: it was swapped."""
    reference: int = 0
    """The number of the reference that it got."""


@dataclass(frozen=True)
class SwapResult:
    """A frame after the swap."""

    image: NDArray[np.uint8]
    """(H, W, 3) uint8 RGB, as large as the frame."""
    faces: list[SwappedFace] = field(default_factory=list)
    """All faces that were found, swapped or not, as they lie in the turned frame; empty where there was none."""
    turn: int = 0
    """Degrees by which the frame was turned clockwise to find them; ``image`` lies as the frame does."""

    @property
    def swapped(self) -> int:
        """How many faces were swapped."""
        return sum(face.skipped is None for face in self.faces)


class MaskedSwap(NamedTuple):
    """A frame with one face swapped, and what of it was replaced."""

    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    mask: NDArray[np.float32]
    """(H, W): 0 the target's pixels, 1 the swap's."""


@dataclass(frozen=True, eq=False)
class FrameFace:
    """A face on its way through the steps of a swap; without a crop and a generated face where it is left alone."""

    face: SwappedFace
    crop: FaceCrop | None = None
    generated: GeneratedFace | None = None
