"""What a code says of the expression: how far lips and lids are apart and how wide the mouth is.

The shape head, which all identities share, reads landmarks from the code by a linear map; so each of these is one
direction in the code's space.
"""

import numpy as np
from numpy.typing import NDArray

from faceswap.model.training.autoencoders import SHAPE_SCALE, Autoencoders

_ACROSS, _DOWN = 0, 1
_READINGS = (
    (([65, 66, 67], [61, 62, 63]), _DOWN),
    (([40, 41, 46, 47], [37, 38, 43, 44]), _DOWN),
    (([54, 64], [48, 60]), _ACROSS),
)
"""Landmarks whose means lie apart, and in which direction: inner lips, lids, corners of the mouth."""
_FIRST = 17
"""The head reads landmarks from here on: no jaw."""
_ERROR = 0.006
"""Of such a reading, in sides of the crop."""


def expression_readings(model: Autoencoders) -> NDArray[np.float32]:
    """Directions in the code's space, (3, B) float32; a code's product with one is the reading in units of its error.

    All zero where the preset trains no shape head.
    """
    kernel = model.reader.get_layer("shape").get_weights()[0].reshape(-1, 51, 2)  # (B, landmark, x and y)
    rows = [
        kernel[:, np.subtract(far, _FIRST), axis].mean(1) - kernel[:, np.subtract(near, _FIRST), axis].mean(1)
        for (far, near), axis in _READINGS
    ]
    return (np.stack(rows) / (SHAPE_SCALE * _ERROR)).astype(np.float32)
