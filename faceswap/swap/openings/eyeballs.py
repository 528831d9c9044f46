"""The target's own eyeballs between the generated lids: gaze, moisture and catch-lights are its own.

An eye is 19 px wide in the smallest network's crop, and a decoder generates it as a dull disc that looks where its own
person looked. What shows between the lids is the target's: where it looks, what light shines in it, and in whose
camera. The reference's are the lids and the colour of the irises. So the target's eyeball is laid between the generated
lids, corner on corner, and its iris takes the colour that the generated ones have.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.mediapipe.mesh import Eye, find_eye
from faceswap.faces.landmarks import EYES
from faceswap.faces.smoothing import rise, smoothstep, weight_of_new
from faceswap.swap.generated_face import Features, GeneratedFace
from faceswap.swap.openings.axes import Axis, Floats, Window, lay_in, sample
from faceswap.swap.openings.eye_opening import EyeOpening, ReadEye
from faceswap.swap.openings.iris_colour import IrisGain
from faceswap.swap.openings.sclera import white_shows
from faceswap.swap.openings.swap_part import SwapPart


@dataclass(frozen=True)
class EyeballTuning:
    """Constants of the eyeballs, by eye on a, b, e and g. Lengths are halves of an eye's width unless said."""

    narrow: tuple[float, float] = (8.0, 16.0)
    """Width of an eye, px of the frame, from which on its eyeball is replaced, and from which on wholly."""
    shut: tuple[float, float] = (0.12, 0.2)
    """Height over width up to which an eye of the target shows nothing, and from which on enough."""
    slit: tuple[float, float] = (0.08, 0.14)
    """The same of a generated eye."""
    stretched: tuple[float, float] = (1.4, 2.0)
    """Opening of the generated eye over that of the target's up to which the target's shows enough of itself, and from
    which on too little: an eye that is screwed up tells little of one that is wide open."""
    doubted: tuple[float, float] = (0.21, 0.24)
    """Disagreement on the corners of the target's eye from which on it is doubted, and from which on it is not used;"""
    less_doubted: float = 1.9
    """times as much where its white shows clearly: on faces that are turned away dlib puts the far eye's outer corner
    too far out (c: up to 0.4), behind glasses that mirror (d: 0.2 to 0.3) nobody can tell where an eye is."""
    outer: tuple[float, float] = (0.12, 0.21)
    """Disagreement from which on the corners that the iris's network reads begin to count there, and from which on they
    alone do, in target and swap: with dlib's an iris is cut or doubled. Not measured."""
    trusted: tuple[float, float] = (0.3, 0.7)
    """Trust, 0..1, up to which no eyeball is laid in, and from which on wholly."""
    seconds: float = 0.25
    """Over which trust is smoothed on a video: eyes that are read well now and then must not change from the target's
    to generated ones in between."""
    inset: float = 0.06
    """What of the target's eye next to its lids is not taken: their edges, lashes."""
    largest: float = 1.4
    """Largest factor by which an eye is made as bright as the generated one: faces are recognised by that,
    too. Identity distance of e on g and of d on g: 0.370 and 0.435 without eyeballs, 0.410 and 0.490 if they stay
    as bright as the target's, 0.390 and 0.476 with a factor of up to 2, which makes dark irises glow."""
    shine: tuple[float, float] = (0.7, 0.9)
    """Grey level, 0..1, from which on a pixel of an iris counts as a catch-light, and from which on it stays."""
    lid: float = 0.1
    """Width of the soft edge along the lids."""
    corner: float = 0.12
    """The same at the corners."""
    soft: float = 0.02
    """Standard deviation of the blur of it all."""
    thinnest: float = 0.02
    """Least height of an eye: a limit to what is divided by."""


TUNING = EyeballTuning()
_REACH = 1.1
_IRIS = 1.1
"""How far an iris reaches, in its radii: catch-lights lie at its edge, too."""
_BLACK = 8.0
"""Of 255, is added before grey levels are divided."""

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class EyeMemory:
    """What a frame's eyes leave to the next one's: how far they are trusted, 0..1, the irises' colour, the reading."""

    time: float
    trust: float
    irises: IrisGain | None = None
    read: tuple[ReadEye | None, ...] = (None, None)

    @classmethod
    def after(
        cls, before: "EyeMemory | None", pairs: list[tuple[EyeOpening, EyeOpening]], time: float
    ) -> "EyeMemory":
        """That of a frame by its eyes, in the swap and in the target; both or none, with one alone a face squints."""
        trust = min((_trusted(*pair) for pair in pairs), default=0.0)
        read = tuple(swap.read for swap, _ in pairs) if len(pairs) == len(EYES) else (None, None)
        if before is None or time < before.time:
            return cls(time, trust, read=read)
        # shut eyes tell nothing
        seen = min((float(rise(target.openness, TUNING.shut)) for _, target in pairs), default=1.0)
        new = seen * weight_of_new(time - before.time, TUNING.seconds)
        return cls(time, before.trust + new * (trust - before.trust), before.irises, read)


def lay_eyeballs(
    part: SwapPart, face: GeneratedFace, amount: float, before: EyeMemory | None = None, time: float = 0.0
) -> EyeMemory | None:
    """Lay the target's eyeballs between the lids of the swap, in place.

    Reading the swap's eyes takes 2 ms, on a video in every other frame.

    Args:
        part: of the frame; its swap is changed.
        face: with its features, without which nothing happens.
        amount: 1 lays them in wholly, 0 not at all.
        before: what the frame before left; None: a single picture, or the first.
        time: of the frame, seconds.

    Returns:
        what the next frame needs.
    """
    amount *= face.crop.frontality
    if face.features is None or not amount:
        return before
    known = before.read if before else (None, None)
    found = [_pair(part, face, face.features, number, known[number], time) for number in range(len(EYES))]
    pairs = [pair for pair in found if pair is not None]
    memory = EyeMemory.after(before, pairs, time)
    amount *= float(rise(memory.trust, TUNING.trusted))
    shares = [amount * _shown(*pair) for pair in pairs]
    if not any(shares):
        return memory
    irises = IrisGain.after(memory.irises, part.over, part.under, pairs, time)
    for (swap, target), share in zip(pairs, shares, strict=True):
        if share:
            _lay_one(part, swap, target, share, irises)
    return replace(memory, irises=irises)


def _pair(
    part: SwapPart, face: GeneratedFace, features: Features, number: int, known: ReadEye | None, time: float
) -> tuple[EyeOpening, EyeOpening] | None:
    """An eye of the swap and that of the target; None where it is too narrow or was not read."""
    read, place = features.target_eyes[number], EYES[number]
    own, others = part.of_crop(features.generated[place]), part.of_crop(features.target[place])
    # corners that are smoothed over time: an eyeball must not tremble between the lids
    steady = own if face.landmarks is None else part.of_frame(face.landmarks[place])
    axis = Axis.between(steady[0], steady[3])
    points = part.of_frame(face.target_landmarks[place])
    target_axis = Axis.between(points[0], points[3])
    if read is None or min(axis.half, target_axis.half) * 2 <= TUNING.narrow[0]:
        return None
    # the eye on the picture's right is the person's left one, whose outer corner comes last
    outer, inner = (own[3], own[0]) if number else (own[0], own[3])
    seen = ReadEye.after(known, axis, own, time, lambda: find_eye(part.over, outer, inner, left=bool(number)))
    of_target = Eye(part.of_crop(read.contour), part.of_crop(read.iris))
    target, swap = EyeOpening(target_axis, of_target, others), EyeOpening(axis, seen.placed(axis), own, seen)
    if share := float(rise(target.doubt, TUNING.outer)):
        target = replace(target, white=white_shows(part.under, target))
        share *= target.white
        target, swap = target.by_network(share), swap.by_network(share)
    return swap, target


def _trusted(swap: EyeOpening, target: EyeOpening) -> float:
    """How far a pair was read well enough, 0..1, and tells enough of an eye that is open so wide."""
    stretched = swap.openness / max(target.openness, 1e-3)
    doubt = target.doubt / (1 + (TUNING.less_doubted - 1) * target.white)
    return 1 - float(max(rise(stretched, TUNING.stretched), rise(doubt, TUNING.doubted)))


def _shown(swap: EyeOpening, target: EyeOpening) -> float:
    """How far an eyeball can be seen, 0..1: both eyes have to be large and open."""
    width = 2 * min(swap.axis.half, target.axis.half)
    seen = rise(target.openness, TUNING.shut) * rise(swap.openness, TUNING.slit)
    return float(rise(width, TUNING.narrow) * seen)


def _lay_one(
    part: SwapPart, swap: EyeOpening, target: EyeOpening, share: float, irises: IrisGain | None
) -> None:
    window = Window.around(swap.axis, _REACH, part.over.shape)
    if window.empty:
        return
    along, down = window.along, window.down
    upper, lower = swap.lids(along)
    first, last = target.lids(along)
    # as it lies between the target's lids; stretched where the swap's are further apart
    first, last = np.maximum(first + TUNING.inset, upper), np.minimum(last - TUNING.inset, lower)
    height = np.maximum(lower - upper, TUNING.thinnest)
    there = first + np.clip((down - upper) / height, 0, 1) * np.maximum(last - first, TUNING.thinnest)
    source = target.axis.px(np.stack([along, there], axis=-1))
    pixels = sample(part.under, source)
    centre, radius = target.iris
    away = np.linalg.norm(source - centre, axis=-1) / radius
    if irises is not None:
        pixels = irises.coloured(pixels, away)
    inside = smoothstep((down - upper) / TUNING.lid + 0.5) * smoothstep((lower - down) / TUNING.lid + 0.5)
    inside *= smoothstep((1 - np.abs(along)) / TUNING.corner + 0.5)
    pixels = _as_bright(pixels, part.over[window.part], inside, away < _IRIS)
    lay_in(part.over, window, pixels, share * inside, TUNING.soft * swap.axis.half)


def _as_bright(
    pixels: Floats32, other: NDArray[np.uint8], inside: Floats, iris: NDArray[np.bool_]
) -> Floats32:
    """An eye as bright as another, but for the catch-lights of its iris.

    Args:
        pixels: (h, w, 3), 0..255, the eye.
        other: (h, w, 3) uint8 RGB, the other one.
        inside: (h, w), 0..1: where eyes are.
        iris: (h, w) where its iris is.
    """
    grey, goal = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (pixels, other))
    means = [float(np.average(x, weights=inside + 1e-6)) + _BLACK for x in (goal, grey)]
    gain = np.clip(means[0] / means[1], 1 / TUNING.largest, TUNING.largest)
    share = 1 - iris * rise(grey / 255, TUNING.shine)
    return np.clip(pixels * (1 + (gain - 1) * share)[..., None], 0, 255).astype(np.float32)
