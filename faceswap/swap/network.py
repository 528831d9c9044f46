"""What the swapper wants of a network."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry

UNSHARP = 1.2
"""What a ``lite`` network needs after some minutes: where nobody has measured it."""


class FaceNetwork(Protocol):
    """Turns crops of any face into crops of the reference with the same expression, pose and light."""

    geometry: Geometry
    """The crop that the network reads and writes."""
    unsharp: float
    """Amount of unsharp masking that its pictures need to look as crisp as photos; 0: none."""

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, S, S, 3) uint8 RGB -> (n, S, S, 3) float32 RGB in 0..1."""
