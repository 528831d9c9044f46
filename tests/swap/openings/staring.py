"""A network that always generates the same rendered face, whoever it sees."""

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Image, Points
from faceswap.synthetic import CAST, Expression, Pose, Scene, render
from tests.swap.fakes import Echo

GEOMETRY = Geometry(144, 2.25, -0.25)


class Staring(Echo):
    """One of the cast, from the front."""

    def __init__(self, expression: Expression | None = None, person: int = 1) -> None:
        super().__init__(GEOMETRY)
        made = render(CAST[person], Scene(pose=Pose(), expression=expression or Expression()), 384)
        matrix = GEOMETRY.matrix(made.landmarks.astype(np.float64))
        self.picture = GEOMETRY.crop(made.image, matrix).astype(np.float32) / 255

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.repeat(self.picture[None], len(crops), axis=0)


def target(expression: Expression, person: int = 0) -> tuple[Image, Points]:
    """Another of the cast, (384, 384, 3), and (68, 2) true landmarks."""
    made = render(CAST[person], Scene(expression=expression), 384)
    return made.image, made.landmarks.astype(np.float64)
