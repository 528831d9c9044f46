"""What lies over a face, told without any model but the face itself: hands, glasses, hair, microphones.

Two things must speak against a pixel: it is not of this face's skin, and it is not what the network drew there. The
network knows faces only, so where its picture (with the target's colours) differs from the target by much more than
it does on the rest of the face, something else is seen. Skin over skin (a bare hand of the same tone) has the
face's own colours: there only ``grabcut`` helps, by the edges, and not always.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.swap.options import Occlusion
from faceswap.swap.skin import strangeness

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_SIDE = 96
"""The work is done on crops of at most this side, px: occluders are large, and GrabCut is slow."""
_NOT_SKIN = 3.5
"""Standard deviations of the face's own skin colours."""
_NOT_DRAWN = 14.0
"""Distance in Lab to the network's picture, beyond that of the typical skin pixel."""
_SMALLEST = 0.012
"""Occluders cover at least this share of the face; less is an eye's white, a nostril, a shine."""
_SURE = 0.5


def visible_face(
    target: NDArray[np.uint8], swapped: Floats, face: Bools, skin: Bools, how: Occlusion
) -> Floats:
    """Where the face is seen and not something in front of it.

    Args:
        target: (S, S, 3) uint8 RGB crop.
        swapped: (S, S, 3) float32 RGB, 0..1: what the network draws there, in the target's colours.
        face: (S, S) the whole face: what is outside is seen.
        skin: (S, S) its skin, without eyes and mouth: where colours are learned.
        how: ``colour`` or ``grabcut``; ``none`` finds nothing.

    Returns:
        (S, S) float32: 1 seen, 0 covered, softly in between.
    """
    size = len(target)
    if how == "none" or int(skin.sum()) < 64:
        return np.ones((size, size), np.float32)
    side = min(size, _SIDE)
    small = cv2.resize(target, (side, side), interpolation=cv2.INTER_AREA)
    drawn = cv2.resize(np.ascontiguousarray(swapped, np.float32), (side, side), interpolation=cv2.INTER_AREA)
    inside, bare = (_shrunk(mask, side) for mask in (face, skin))
    covered = _large(_against(small, drawn, inside, bare), inside)
    if how == "grabcut" and covered.any():
        covered = _large(_cut(small, covered, inside, bare), inside)
    # over the border of the occluder, whose pixels are mixed with the face's
    grown = cv2.dilate(covered.astype(np.float32), _disc(max(1, side // 48)))
    soft = cv2.GaussianBlur(grown, (0, 0), side / 80)
    return np.clip(1 - cv2.resize(soft, (size, size), interpolation=cv2.INTER_LINEAR), 0, 1)


def _against(target: NDArray[np.uint8], drawn: Floats, inside: Bools, skin: Bools) -> Bools:
    """Where neither the skin's colours nor the network's picture explain the target."""
    lab, model = (
        cv2.cvtColor(x, cv2.COLOR_RGB2LAB) for x in (target.astype(np.float32) / 255, np.clip(drawn, 0, 1))
    )
    strange = strangeness(lab, skin)
    # a few pixels of shift between the two are no difference: the least within a small window
    apart = np.linalg.norm(cv2.blur(lab, (3, 3)) - cv2.blur(model, (3, 3)), axis=-1).astype(np.float32)
    apart = cv2.erode(apart, np.ones((3, 3), np.uint8))
    typical = float(np.median(apart[skin]))
    return np.asarray(inside & (strange > _NOT_SKIN) & (apart > typical + _NOT_DRAWN))


def _cut(target: NDArray[np.uint8], covered: Bools, inside: Bools, skin: Bools) -> Bools:
    """The same decided again by colours and edges (Rother, Kolmogorov & Blake, "GrabCut", 2004)."""
    labels = np.full(inside.shape, cv2.GC_PR_FGD, np.uint8)
    labels[skin & ~covered] = cv2.GC_FGD
    labels[cv2.dilate(covered.astype(np.uint8), _disc(4)) > 0] = cv2.GC_PR_FGD
    labels[covered] = cv2.GC_PR_BGD
    labels[cv2.erode(covered.astype(np.uint8), _disc(1)) > 0] = cv2.GC_BGD
    labels[~inside] = cv2.GC_PR_FGD
    if not ((labels == cv2.GC_BGD) | (labels == cv2.GC_PR_BGD)).any():
        return covered
    bgr = np.ascontiguousarray(target[..., ::-1])
    cv2.setRNGSeed(0)  # its clusters start at random
    found, _, _ = cv2.grabCut(
        bgr, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK
    )
    return np.asarray(inside & ((found == cv2.GC_BGD) | (found == cv2.GC_PR_BGD)))


def _large(covered: Bools, inside: Bools) -> Bools:
    """Without specks and holes."""
    closed = cv2.morphologyEx(covered.astype(np.uint8), cv2.MORPH_CLOSE, _disc(2))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(1))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    least = _SMALLEST * inside.sum()
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least]
    return np.asarray(np.isin(labels, large))


def _shrunk(mask: Bools, side: int) -> Bools:
    return np.asarray(cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) > _SURE)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8
    )
