"""The fine detail of a network: what a few photos of its identity show beyond what it makes of them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation.protocol import spaced
from faceswap.faces.faceset import FaceSet
from faceswap.faces.fine_detail import STEP, FineDetail, coarse_part, level_of, likeness_key
from faceswap.faces.geometry import Geometry, Points
from faceswap.swap.face_network import FaceNetwork
from faceswap.swap.masks.visibility import Visibility, segments_of

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class MakingTuning:
    """Constants of the choice, by eye on a to g. Lengths are face heights."""

    candidates: int = 240
    """Photos that are looked at."""
    kept: int = 32
    """Photos whose detail is kept: poses and expressions that differ most."""
    crisp: float = 0.6
    """Of the median crispness of the candidates: those below are out of focus or moved."""
    side: int = 192
    """Largest side, px, at which the generated faces are kept: two of them are compared at it."""
    times: float = 3.0
    """Times the network's side up to which photos are looked at."""
    hair: float = 0.02
    """Width of what lies over a face that is left out with it."""


TUNING = MakingTuning()
_BATCH = 16
_SEEN = 0.5
"""Share of a pixel from which on it shows the face."""
_WORN = 0.3
"""Probability from which on a pixel shows glasses."""


def fine_detail_of(network: FaceNetwork, faces: FaceSet) -> FineDetail | None:
    """The detail of the identity's own training faces that its network does not generate.

    Args:
        network: with the identity's own decoder.
        faces: of the identity.

    Returns:
        that of up to 32 photos; None where there are none.
    """
    landmarks = faces.landmarks("train")
    chosen = spaced(len(landmarks), TUNING.candidates)
    if not len(chosen):
        return None
    images, landmarks = faces.images("train", chosen), landmarks[chosen]
    geometry = network.geometry
    fine = _fine(geometry, faces.geometry)
    generated = _generated(network, images, landmarks)
    kept = _different(generated, [_crispness(fine, *pair) for pair in zip(images, landmarks, strict=True)])
    images, landmarks, generated = images[kept], landmarks[kept], generated[kept]
    side = min(geometry.size, TUNING.side)
    view = geometry.at(side)
    missing, seen, worn = [], [], []
    for segments, image, points, made in zip(
        segments_of(images, landmarks), images, landmarks, generated, strict=True
    ):
        shown = _shown(segments.visible(True), fine, points)
        missing.append(_missing(fine, image, points, made) * shown)
        seen.append(cv2.resize(shown, (side, side), interpolation=cv2.INTER_AREA) > _SEEN)
        worn.append(segments.glasses.in_crop(view.matrix(points), side) > _WORN)
    small = [cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in generated]
    return FineDetail(
        np.rint(np.stack(small) * 255).astype(np.uint8),
        np.clip(np.rint(np.stack(missing) / STEP), -127, 127).astype(np.int8),
        np.stack(seen),
        np.stack(worn),
    )


def _fine(geometry: Geometry, stored: Geometry) -> Geometry:
    """The network's crop at the resolution at which photos are looked at."""
    shown = round(stored.unit * geometry.coverage)
    return geometry.at(int(np.clip(shown, geometry.size, round(TUNING.times * geometry.size))))


def _generated(network: FaceNetwork, images: NDArray[np.uint8], landmarks: Points) -> Floats:
    """(n, S, S) grey, 0..1."""
    geometry = network.geometry
    crops = [geometry.crop(i, geometry.matrix(m)) for i, m in zip(images, landmarks, strict=True)]
    parts = [network(np.stack(crops[i : i + _BATCH])) for i in range(0, len(crops), _BATCH)]
    pictures = np.clip(np.concatenate(parts), 0, 1)
    return np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in pictures])


def _crispness(fine: Geometry, image: NDArray[np.uint8], landmarks: Points) -> float:
    """Variance of the Laplacian of a photo's inner face, relative to its level."""
    grey = cv2.cvtColor(fine.crop(image, fine.matrix(landmarks)), cv2.COLOR_RGB2GRAY).astype(np.float32)
    edge = len(grey) // 4
    inner = grey[edge:-edge, edge:-edge]
    return float(cv2.Laplacian(inner, cv2.CV_32F).var() / (inner.mean() + 1) ** 2)


def _different(generated: Floats, crispness: list[float]) -> list[int]:
    """Which photos are kept: of the crisp ones the first is the most usual, each next one the least like the others."""
    crisp = np.flatnonzero(np.array(crispness) >= TUNING.crisp * float(np.median(crispness)))
    keys = np.stack([likeness_key(generated[i]) for i in crisp])
    kept = [int(np.square(keys - keys.mean(axis=0)).sum(axis=1).argmin())]
    distances = np.square(keys - keys[kept[0]]).sum(axis=1)
    while len(kept) < min(TUNING.kept, len(crisp)):
        kept.append(int(distances.argmax()))
        distances = np.minimum(distances, np.square(keys - keys[kept[-1]]).sum(axis=1))
    return [int(crisp[i]) for i in kept]


def _shown(visible: Visibility, fine: Geometry, landmarks: Points) -> Floats:
    """(f, f), 0..1: where the face is seen, without the edge of what lies over it."""
    reach = 2 * round(TUNING.hair * fine.unit) + 1
    shown = visible.in_crop(fine.matrix(landmarks), fine.size)
    return cv2.GaussianBlur(cv2.erode(shown, np.ones((reach, reach), np.uint8)), (reach, reach), 0)


def _missing(fine: Geometry, image: NDArray[np.uint8], landmarks: Points, generated: Floats) -> Floats:
    """(f, f): what a photo has in brightness beyond what was generated, in shares of the level."""
    photo = cv2.cvtColor(fine.crop(image, fine.matrix(landmarks)), cv2.COLOR_RGB2GRAY)
    made = cv2.resize(generated, (fine.size, fine.size), interpolation=cv2.INTER_LANCZOS4)
    off = photo.astype(np.float32) / np.float32(255) - made
    return (off - coarse_part(off, fine.unit)) / level_of(made, fine.unit)
