"""How much a network's pictures have to be sharpened to look like photos: measured on the reference's own faces."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation import metrics
from faceswap.evaluation.protocol import spaced
from faceswap.faces.crispness import AS_ASKED, MOST, UNMEASURED, Crispness, detail_of, sharpen
from faceswap.faces.faceset import FaceSet
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry, Points
from faceswap.swap.face_network import FaceNetwork
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper

_SHARE = 0.95
"""Of the real faces' Laplacian variance."""
_FACES = 12
"""Faces of the reference by which the sharpening is found; not measured."""


@dataclass
class _Bare:
    """A network whose pictures are sharpened by just what the options say."""

    network: FaceNetwork
    geometry: Geometry
    crispness: Crispness = AS_ASKED
    fine_detail: FineDetail | None = None

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.network(crops)


def crispness_on(network: FaceNetwork, faces: FaceSet) -> Crispness:
    """How much to sharpen so that the identity's held-out faces, put on themselves, are nearly as crisp as they are.

    A parabola through three amounts of unsharp masking tells it, whatever is lost between the network's grid and the
    frame's.

    Args:
        network: with the identity's own decoder.
        faces: of the identity.

    Returns:
        an amount of 0 to :data:`MOST` and the detail that the network's pictures have with it; the usual amount where
        there are no held-out faces to measure.
    """
    landmarks = faces.landmarks("heldout")
    rows = spaced(len(landmarks), _FACES)
    shown = list(zip(faces.images("heldout", rows), landmarks[rows], strict=True))
    real = float(np.median([metrics.laplacian_variance(*one) for one in shown] or [0.0]))
    if real <= 0:
        return UNMEASURED
    geometry = network.geometry
    crops = np.stack([geometry.crop(image, geometry.matrix(points)) for image, points in shown])
    unsharp = _unsharp(network, real, shown)
    detail = [detail_of(sharpen(generated, unsharp)) for generated in network(crops)]
    return Crispness(unsharp, float(np.median(detail)))


def _unsharp(network: FaceNetwork, real: float, faces: list[tuple[NDArray[np.uint8], Points]]) -> float:
    amounts = (0.0, MOST / 2, MOST)
    # faces put on themselves: lips, lids and irises stay, so that the amounts differ by nothing else
    plain = SwapOptions(label=False, match_blur=False, texture=0, lips=0, lids=0, eyes=0, teeth=0)
    crispness = []
    for amount in amounts:
        options = plain.model_copy(update={"sharpen": amount})
        swapper = Swapper(_Bare(network, network.geometry), FaceFinder(), options)
        swaps = [(swapper.swap_face(image, points), points) for image, points in faces]
        crispness.append(float(np.median([metrics.laplacian_variance(*pair) for pair in swaps])))
    if crispness[0] >= _SHARE * real:
        return 0.0
    parabola = np.poly1d(np.polyfit(amounts, crispness, 2)) - _SHARE * real
    roots = [float(root.real) for root in parabola.roots if abs(root.imag) < 1e-9 and root.real > 0]
    return round(min([*roots, MOST]), 2)
