"""What the swapper wants of a network."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.crispness import Crispness
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry


class FaceNetwork(Protocol):
    """Turns crops of any face into crops of the reference with the same expression, pose and light."""

    geometry: Geometry
    """The crop that the network reads and writes."""
    crispness: Crispness
    """How much its pictures have to be sharpened to look like photos."""
    fine_detail: FineDetail | None
    """What photos of the reference show beyond its pictures; None: of versions from before it was kept."""

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, S, S, 3) uint8 RGB -> (n, S, S, 3) float32 RGB in 0..1."""
