"""The reference's own fine detail on a generated face: pores, hairs of brows, lashes, edges of lips and rims.

The network's pictures are smooth, the photos that it learnt from are not. Of the photos whose fine detail a version
holds, that one is taken whose generated face is most like the swap's. Dense optical flow between the two generated
faces, which differ in expression and light alone, tells where each part of the photo's detail belongs (Kroeger et al.,
"Fast optical flow using dense inverse search", 2016). Where they do not agree nothing is taken; there the network's
picture is sharpened instead.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.fine_detail import STEP, FineDetail, level_of, likeness_key
from faceswap.faces.geometry import Geometry, Matrix, compose, warp
from faceswap.faces.smoothing import weight_of_new

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FineDetailTuning:
    """Constants of the transfer, by eye on a to g. Lengths are face heights."""

    contrast: float = 0.18
    """Standard deviation of the neighbourhood whose level and contrast are taken away before two faces are compared."""
    local: float = 0.09
    """The same, of which a difference of level counts as light."""
    smooth: float = 0.023
    """Standard deviation of the blur of the flow."""
    around: float = 0.03
    """Standard deviation of the neighbourhood in which two faces have to agree;"""
    agree: float = 0.05
    """their difference, of the grey level, at which half of the detail is taken."""
    rims: float = 0.03
    """By how much glasses are grown that shall leave nothing."""
    stays: float = 0.8
    """Share of the distance of the photo of the frame before, below which another photo takes its place."""
    look_every: float = 0.06
    """Seconds of video after which the detail is sought anew, every other frame of 25 to 30 a second: it moves with the
    face."""
    seconds: float = 0.08
    """Over which the detail is smoothed on a video: it fades from one photo's to the next one's."""


TUNING = FineDetailTuning()
_BLACK = 0.05
"""Of 1: what is nearly black counts as this."""


@dataclass(frozen=True, eq=False)
class ShownDetail:
    """The fine detail that a generated face gets at a time of a video.

    Attributes:
        detail: that it is of.
        time: seconds.
        photo: number of the photo that it is of.
        gain: (f, f) float32 over the crop: what is added, in shares of the grey level.
        share: (S, S) float32, 0..1: how far it is there.
    """

    detail: FineDetail
    time: float
    photo: int
    gain: Floats
    share: Floats


def find_detail(
    detail: FineDetail,
    picture: Floats,
    geometry: Geometry,
    amount: float = 1.0,
    where: Floats | None = None,
    bare: bool = False,
    before: ShownDetail | None = None,
    time: float = 0.0,
) -> ShownDetail:
    """The fine detail for a generated face.

    Args:
        detail: of its network.
        picture: (S, S, 3) float32 RGB, 0..1, with lips and lids as they will be shown.
        geometry: of the picture.
        amount: 1 takes all, 0 nothing.
        where: (S, S) float32, 0..1, where the face was generated and nothing painted over; None: everywhere.
        bare: without the photo's glasses.
        before: what the face got in the frame before; None: a single picture, or the first.
        time: of the frame in seconds.
    """
    if before is not None and (before.detail is not detail or time < before.time):
        before = None  # another reference, or a video that was rewound
    if before is not None and time - before.time < TUNING.look_every:
        return before
    size, side = len(picture), detail.generated.shape[1]
    own = np.clip(_resized(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), side), 0, 1)
    photo = _most_like(detail, own, before)
    unit = side / geometry.coverage
    theirs = detail.generated[photo].astype(np.float32) / np.float32(255)
    flow = _flow(own, theirs, unit)
    agreement = np.float32(amount) * _agreement(own, _moved(theirs, flow), unit)
    agreement *= _moved(detail.seen[photo].astype(np.float32), flow)
    if where is not None:
        agreement *= _resized(where, side)
    if bare and detail.glasses[photo].any():
        reach = 2 * round(TUNING.rims * unit) + 1
        worn = cv2.dilate(detail.glasses[photo].astype(np.uint8), np.ones((reach, reach), np.uint8))
        agreement *= 1 - _moved(worn.astype(np.float32), flow)
    missing = detail.missing[photo].astype(np.float32) * np.float32(STEP)
    fine = len(missing)
    gain = _moved(missing, _resized(flow, fine) * np.float32(fine / side)) * _resized(agreement, fine)
    share = _resized(agreement, size)
    if before is not None:
        new = np.float32(weight_of_new(time - before.time, TUNING.seconds))
        gain = new * gain + (1 - new) * before.gain
        share = new * share + (1 - new) * before.share
    return ShownDetail(detail, time, photo, gain, share)


def placed_detail(
    shown: ShownDetail,
    crop: Floats,
    geometry: Geometry,
    matrix: Matrix,
    size: tuple[int, int],
    blur: float = 0.0,
) -> Floats:
    """The fine detail in a region of the frame.

    Args:
        shown: the detail.
        crop: (S, S, 3) float32 RGB, 0..1, the swap that gets it.
        geometry: of the crop.
        matrix: (2, 3) from the crop to the region.
        size: width and height of the region, px.
        blur: standard deviation, px of the crop, by which the target is out of focus.

    Returns:
        (h, w) float32, grey levels of 255 that are to be added.
    """
    fine = len(shown.gain)
    ratio = len(crop) / fine
    level = level_of(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), geometry.unit)
    detail = np.float32(255) * shown.gain * _resized(level, fine)
    if blur:
        detail = cv2.GaussianBlur(detail, (0, 0), blur / ratio)
    from_fine = compose(matrix, np.array([[ratio, 0, ratio / 2 - 0.5], [0, ratio, ratio / 2 - 0.5]]))
    # shrinks by area: no pore aliases
    return np.asarray(warp(detail, from_fine, size, cv2.BORDER_CONSTANT))


def _resized(picture: Floats, side: int) -> Floats:
    shrinks = side < len(picture)
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _most_like(detail: FineDetail, grey: Floats, before: ShownDetail | None) -> int:
    distances = np.square(detail.keys - likeness_key(grey)).sum(axis=1)
    best = int(distances.argmin())
    if before is None:
        return best
    return best if distances[best] < TUNING.stays * distances[before.photo] else before.photo


def _flow(own: Floats, theirs: Floats, unit: float) -> Floats:
    """(s, s, 2) px: where each pixel of one grey picture lies in the other."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)  # is not shared by threads
    first, second = (_evened(one, TUNING.contrast * unit) for one in (own, theirs))
    flow = search.calc(first, second, np.zeros((*own.shape, 2), np.float32))
    return cv2.GaussianBlur(flow, (0, 0), TUNING.smooth * unit)


def _evened(grey: Floats, sigma: float) -> NDArray[np.uint8]:
    """Without the light's level and contrast, uint8 around 128."""
    centred = grey - cv2.GaussianBlur(grey, (0, 0), sigma)
    spread = np.sqrt(cv2.GaussianBlur(centred * centred, (0, 0), sigma)) + np.float32(0.03)
    return cv2.add(np.float32(45) * centred / spread, 128.0, dtype=cv2.CV_8U)


def _moved(picture: Floats, flow: Floats) -> Floats:
    size = len(picture)
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    return cv2.remap(
        picture,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _agreement(own: Floats, theirs: Floats, unit: float) -> Floats:
    """(s, s), 0..1: where two grey pictures show the same, whatever their light."""
    mine, other = (_contrast(one, TUNING.local * unit) for one in (own, theirs))
    off = (mine - other) / np.float32(TUNING.agree)
    return np.asarray(1 / (1 + cv2.GaussianBlur(off * off, (0, 0), TUNING.around * unit)))


def _contrast(grey: Floats, sigma: float) -> Floats:
    """(s, s): how far a grey picture lies above its level around, in shares of that."""
    level = cv2.GaussianBlur(grey, (0, 0), sigma)
    return np.asarray((grey - level) / (level + np.float32(_BLACK)))
