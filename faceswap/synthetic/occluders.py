"""Things in front of a face, drawn over any picture of one: hands, glasses, hair, masks, objects.

Each returns the picture and how much of the face each pixel hides, so that a network can learn to tell them. They are
drawn from the face's own colours and sizes: a hand has its skin, glasses sit on its eyes. That random shapes with
random textures teach more than they look like was found by Voo, Jiang & Loy, "Delving into high-quality synthetic face
occlusion segmentation datasets" (2022).
"""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.synthetic.traits import Array

Points = NDArray[np.floating]
Painted = tuple[Array, Array]
"""A picture (h, w, 3) float32 in 0..1, and (h, w) float32: 1 where the face is hidden, 0 where it is seen."""
_HIDES = 0.5
"""A tinted lens hides the face from this opacity on."""


def occlude(picture: Array, landmarks: Points, rng: np.random.Generator) -> Painted:
    """Put one or two random things in front of a face.

    Args:
        picture: (h, w, 3) float32 RGB in 0..1.
        landmarks: (68, 2) of the face in it.
        rng: decides what, where and how.
    """
    hidden = np.zeros(picture.shape[:2], np.float32)
    kinds: list[Callable[..., Painted]] = [hand, glasses, strands, thing, face_mask]
    for kind in rng.choice(len(kinds), size=1 + int(rng.random() < 0.25), p=(0.35, 0.25, 0.15, 0.2, 0.05)):
        picture, more = kinds[kind](picture, landmarks, rng)
        hidden = np.maximum(hidden, more)
    return picture, hidden


def hand(picture: Array, landmarks: Points, rng: np.random.Generator) -> Painted:
    """Fingers, and often a palm, that come from the side or from below; most have the face's own skin."""
    unit, shape = unit_of(landmarks), picture.shape[:2]
    tone = _skin(picture, landmarks, rng)
    width = unit * rng.uniform(0.11, 0.2)
    # the fingertips lie somewhere on the face; the hand comes from outside, hardly ever from above
    tip = landmarks.mean(0) + unit * rng.uniform(-0.6, 0.6, 2)
    angle = rng.uniform(-0.35, np.pi + 0.35)
    back = np.array([np.cos(angle), np.sin(angle)])
    side = np.array([-back[1], back[0]])
    height = np.full(shape, -np.inf, np.float32)
    fingers = int(rng.integers(1, 6))
    spread, length = rng.uniform(0.85, 1.4) * width, unit * rng.uniform(0.5, 0.9)
    curl = rng.uniform(-0.25, 0.25)
    middle = (fingers - 1) / 2
    for number in range(fingers):
        off = number - middle
        start = tip + side * off * spread + back * abs(off) ** 1.5 * width * rng.uniform(0.1, 0.45)
        bend = side * (curl + 0.08 * off) * length
        joints = [start, start + back * length * 0.5 + bend * 0.5, start + back * length + bend * 0.3]
        for first, second in pairwise(joints):
            _capsule(height, first, second, width / 2)
    knuckles = tip + back * length
    if rng.random() < 0.8:
        palm = max(fingers, 3) * spread / 2 * rng.uniform(0.9, 1.2)
        _capsule(height, knuckles + back * palm * 0.6, knuckles + back * palm * 3, palm)
    hidden = _covered(height)
    # the round of a finger: what is near its border turns away from the light
    light = rng.normal(0, 1, 2)
    light /= np.linalg.norm(light)
    bulge = np.sqrt(np.clip(1 - (1 - np.clip(height * 2 / width, 0, 1)) ** 2, 0, 1)) * width / 2
    bulge = cv2.GaussianBlur(bulge, (0, 0), max(0.5, unit * 0.008))
    slope_x, slope_y = (cv2.Sobel(bulge, cv2.CV_32F, x, 1 - x).clip(-12, 12) / 8 for x in (1, 0))
    round_ = 1 - 0.15 * np.hypot(slope_x, slope_y) - 0.25 * (slope_x * light[0] + slope_y * light[1])
    shade = round_ * (1 + blotches(shape, rng, unit * 0.3, 0.08))
    colour = tone * (shade * rng.uniform(0.75, 1.25))[..., None]
    shadowed = with_shadow(picture, hidden, unit, rng)
    return over(shadowed, colour, hidden), hidden


def glasses(picture: Array, landmarks: Points, rng: np.random.Generator) -> Painted:
    """Frames of any thickness around the eyes; lenses clear, tinted or dark, at times with a reflection.

    Of thin rims and of lenses without any, parts are hardly seen; they are a part of the frame all the same.
    """
    shape = (len(picture), picture.shape[1])
    lens, frame, contrast, apart = _lenses_and_frame(shape, landmarks, rng)
    tints = [rng.uniform(*span) for span in ((0, 0.1), (0.1, 0.45), (0.75, 0.98))]
    tint = float(rng.choice(tints, p=(0.6, 0.15, 0.25)))
    dark = rng.uniform(0, 0.15, 3) if rng.random() < 0.75 else rng.uniform(0.1, 0.6, 3)
    picture = over(picture, np.broadcast_to(dark.astype(np.float32), picture.shape), lens * np.float32(tint))
    if rng.random() < 0.3:
        reflection = blotches(shape, rng, apart * 0.3, 1.0).clip(0, 1) * lens * rng.uniform(0.1, 0.6)
        picture = over(picture, np.ones_like(picture), reflection)
    colour = rng.uniform(0, 0.25) * np.ones(3) if rng.random() < 0.6 else rng.uniform(0, 0.9, 3)
    painted = colour * (1 + blotches(shape, rng, apart * 0.1, rng.uniform(0, 0.5)))[..., None]
    if rng.random() < 0.5:
        picture = with_shadow(picture, frame * contrast, apart, rng)
    hidden = np.maximum(frame, lens * np.float32(tint > _HIDES))
    return over(picture, painted, frame * contrast), hidden


def _lenses_and_frame(
    shape: tuple[int, int], landmarks: Points, rng: np.random.Generator
) -> tuple[Array, Array, Array, float]:
    """Where the lenses are, where the frame is and how far it can be told (h, w), each 0..1; the eyes' distance, px.

    A lens is a superellipse. Some frames have no rims, some but the upper half of them, some such thin ones that parts
    of them are hardly seen.
    """
    eyes = np.stack([landmarks[36:42].mean(0), landmarks[42:48].mean(0)])
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    across = (eyes[1] - eyes[0]) / apart
    a, b = apart * rng.uniform(0.32, 0.47), apart * rng.uniform(0.2, 0.42)
    power = rng.uniform(2, 5)
    kind = rng.choice(("rims", "upper", "wire", "none"), p=(0.5, 0.1, 0.3, 0.1))
    thick = max(0.7, apart * rng.uniform(0.012, 0.03 if kind == "wire" else 0.08))
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    eyes = eyes + np.array([-across[1], across[0]]) * apart * rng.uniform(-0.02, 0.1)
    lens: Array = np.zeros(shape, np.float32)
    frame: Array = np.zeros(shape, np.float32)
    for eye, outwards in zip(eyes, (-1, 1), strict=True):
        x, y = eye + outwards * across * apart * rng.uniform(0, 0.04)
        u = (xs - x) * across[0] + (ys - y) * across[1]
        v = (ys - y) * across[0] - (xs - x) * across[1]
        radius = (np.abs(u / a) ** power + np.abs(v / b) ** power) ** (1 / power)
        inside = (1 - radius) * min(a, b)
        lens = np.maximum(lens, np.clip(inside + 0.5, 0, 1))
        if kind != "none":
            rim = np.clip((thick + 1) / 2 - np.abs(inside + thick / 2), 0, 1)
            frame = np.maximum(frame, rim * (v < 0) if kind == "upper" else rim)
    contrast: Array = np.ones(shape, np.float32)
    if kind == "wire":
        contrast = (rng.uniform(0.15, 0.8) + blotches(shape, rng, apart * 0.3, 0.3)).clip(0.08, 1)
    strokes = [(eyes[0] + across * a, eyes[1] - across * a)]
    for eye, outwards, jaw in ((eyes[0], -1, landmarks[0]), (eyes[1], 1, landmarks[16])):
        hinge = eye + outwards * across * a
        strokes.append((hinge, hinge + (jaw - hinge) * 1.2 - [0, 0.1 * apart]))
    for first, second in strokes:
        line = np.full(shape, -np.inf, np.float32)
        _capsule(line, first, second, max(0.5, thick / 2))
        covered = _covered(line)
        frame = np.maximum(frame, covered)
        contrast = np.maximum(contrast, covered)
    return lens.astype(np.float32), frame.astype(np.float32), contrast.astype(np.float32), apart


def strands(picture: Array, landmarks: Points, rng: np.random.Generator) -> Painted:
    """Locks of hair that fall over the face from above."""
    unit, shape = unit_of(landmarks), picture.shape[:2]
    top = landmarks[17:27].mean(0) - [0, unit * 0.6]
    colour = np.array([0.25, 0.18, 0.12]) * rng.uniform(0.1, 3.0) * rng.uniform(0.7, 1.2, 3)
    alpha: Array = np.zeros(shape, np.float32)
    light: Array = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(1, 5))):
        root = top + unit * rng.uniform((-0.8, -0.2), (0.8, 0.2))
        fall = unit * np.array([rng.uniform(-0.5, 0.5), rng.uniform(0.4, 1.8)])
        sway, width = unit * rng.uniform(-0.4, 0.4), unit * rng.uniform(0.02, 0.2)
        t = np.linspace(0, 1, 24)[:, None]
        for _ in range(int(rng.integers(6, 40))):
            offset = rng.normal(0, width / 2) * (1 - rng.uniform(0, 0.9) * t)
            path = root + fall * t + np.concatenate([np.sin(2.5 * t) * sway + offset, 0 * t], axis=1)
            thick = max(1, round(unit * rng.uniform(0.005, 0.03)))
            stroke = np.zeros(shape, np.uint8)
            cv2.polylines(stroke, [np.rint(path * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
            drawn = stroke.astype(np.float32) / 255
            alpha = np.maximum(alpha, drawn)
            light = light * (1 - drawn) + drawn * np.float32(rng.uniform(0.6, 1.5))
    painted = np.clip(colour * light[..., None], 0, 1).astype(np.float32)
    return over(with_shadow(picture, alpha, unit, rng), painted, alpha), alpha


def thing(picture: Array, landmarks: Points, rng: np.random.Generator) -> Painted:
    """A random shape with a random texture: a cup, a telephone, a microphone, a leaf."""
    unit, shape = unit_of(landmarks), picture.shape[:2]
    centre = landmarks.mean(0) + unit * rng.uniform(-0.8, 0.8, 2)
    size = unit * rng.uniform(0.15, 0.7)
    height = np.full(shape, -np.inf, np.float32)
    if rng.random() < 0.4:
        away = unit * rng.uniform(0.5, 2) * _direction(rng)
        _capsule(height, centre, centre + away, size * rng.uniform(0.15, 0.6))
        _capsule(height, centre, centre + 0.1 * away, size * rng.uniform(0.3, 0.7))
        hidden = _covered(height)
    else:
        corners = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
        reach = size * rng.uniform(0.6, 1.2, len(corners))
        outline = centre + reach[:, None] * np.stack([np.cos(corners), np.sin(corners)], axis=1)
        filled = np.zeros(shape, np.uint8)
        cv2.fillPoly(filled, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        hidden = filled.astype(np.float32) / 255
        if rng.random() < 0.5:
            hidden = (cv2.GaussianBlur(hidden, (0, 0), size * 0.15) > 0.5).astype(np.float32)
    hidden = cv2.GaussianBlur(hidden, (0, 0), 0.6)
    first, second = rng.uniform(0, 1, (2, 3))
    if rng.random() < 0.3:
        first = _skin(picture, landmarks, rng) * rng.uniform(0.7, 1.3)
    pattern = blotches(shape, rng, unit * rng.uniform(0.03, 0.5), 1.0)
    if rng.random() < 0.3:
        along = _direction(rng)
        ys, xs = np.mgrid[: shape[0], : shape[1]]
        pattern = np.sin((xs * along[0] + ys * along[1]) / (unit * rng.uniform(0.02, 0.1)))
    mix = (0.5 + 0.5 * pattern * rng.uniform(0, 1)).clip(0, 1)[..., None]
    painted = (first * mix + second * (1 - mix)).astype(np.float32)
    return over(with_shadow(picture, hidden, unit, rng), painted, hidden), hidden


def face_mask(picture: Array, landmarks: Points, rng: np.random.Generator) -> Painted:
    """A cloth over nose, mouth and chin."""
    unit, shape = unit_of(landmarks), picture.shape[:2]
    bridge = landmarks[27] + (landmarks[30] - landmarks[27]) * rng.uniform(0.3, 0.9)
    outline = np.concatenate([[bridge], landmarks[14:1:-1]])
    filled = np.zeros(shape, np.uint8)
    cv2.fillPoly(filled, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    hidden = cv2.GaussianBlur(filled.astype(np.float32) / 255, (0, 0), 0.6)
    ys = np.mgrid[: shape[0], : shape[1]][0]
    folds = 0.06 * np.sin(ys / (unit * rng.uniform(0.02, 0.05))) + blotches(shape, rng, unit * 0.2, 0.1)
    painted = (rng.uniform(0.05, 0.95, 3) * (1 + folds)[..., None]).astype(np.float32)
    return over(with_shadow(picture, hidden, unit, rng), painted, hidden), hidden


def wrinkle(picture: Array, landmarks: Points, rng: np.random.Generator) -> Array:
    """Soft dark lines and shiny spots as real skin has them: they hide nothing."""
    unit, shape = unit_of(landmarks), picture.shape[:2]
    lines = np.zeros(shape, np.uint8)
    for _ in range(int(rng.integers(0, 10))):
        start = landmarks.mean(0) + unit * rng.uniform(-0.8, 0.8, 2)
        along = unit * rng.uniform(0.05, 0.3) * _direction(rng)
        bent = unit * rng.uniform(0.02, 0.12) * _direction(rng)
        t = np.linspace(-1, 1, 12)[:, None]
        path = start + along * t + bent * t**2
        cv2.polylines(lines, [np.rint(path * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(lines.astype(np.float32) / 255, (0, 0), unit * rng.uniform(0.006, 0.02))
    shine = np.clip(blotches(shape, rng, unit * rng.uniform(0.1, 0.4), 1.0) - 1, 0, 1) * rng.uniform(0, 0.35)
    darker = 1 - soft * np.float32(rng.uniform(0, 0.8))
    return np.clip(picture * darker[..., None] + shine[..., None].astype(np.float32), 0, 1).astype(np.float32)


def unit_of(landmarks: Points) -> float:
    """Height of the face from the brows to the lower lip, px."""
    return float(np.linalg.norm(landmarks[57] - landmarks[17:27].mean(0)))


def _direction(rng: np.random.Generator) -> Points:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _skin(picture: Array, landmarks: Points, rng: np.random.Generator) -> Array:
    """(3,) the face's own skin, a little off; at times another person's."""
    if rng.random() < 0.2:
        other = np.array([0.85, 0.65, 0.52]) * rng.uniform(0.3, 1.1) * rng.uniform(0.9, 1.1, 3)
        return other.astype(np.float32)
    cheeks = np.concatenate([(landmarks[[2, 14]] + landmarks[30]) / 2, landmarks[[29, 30]]])
    columns, rows = np.rint(cheeks).astype(int).T
    inside = (rows >= 0) & (rows < picture.shape[0]) & (columns >= 0) & (columns < picture.shape[1])
    own = picture[rows[inside], columns[inside]] if inside.any() else picture.reshape(-1, 3)
    return (np.median(own, axis=0) * rng.uniform(0.93, 1.07, 3)).astype(np.float32)


def _capsule(height: Array, first: Points, second: Points, radius: float) -> None:
    """Raise a round bar over a height map, in place: how deep in it each pixel lies, px, below 0 outside."""
    ys, xs = np.mgrid[: height.shape[0], : height.shape[1]].astype(np.float32)
    along = second - first
    length = max(float(along @ along), 1e-6)
    t = np.clip(((xs - first[0]) * along[0] + (ys - first[1]) * along[1]) / length, 0, 1)
    away = np.hypot(xs - first[0] - t * along[0], ys - first[1] - t * along[1])
    np.maximum(height, (radius - away).astype(np.float32), out=height)


def _covered(height: Array) -> Array:
    """(h, w) how much of each pixel a height map of :func:`_capsule` covers."""
    return np.clip(height + 0.5, 0, 1).astype(np.float32)


def blotches(shape: tuple[int, int], rng: np.random.Generator, scale: float, strength: float) -> Array:
    """(h, w) smooth noise of that deviation; ``scale`` is the size of its blotches in px."""
    rows, columns = (max(2, round(n / max(scale, 1.0))) for n in shape)
    coarse = rng.standard_normal((rows, columns)).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC) * np.float32(strength)


def with_shadow(picture: Array, hidden: Array, unit: float, rng: np.random.Generator) -> Array:
    """The picture in the soft shadow of what will be laid on it."""
    dx, dy = unit * rng.uniform(-0.08, 0.08, 2)
    matrix = np.array([[1, 0, dx], [0, 1, dy]])
    moved = cv2.warpAffine(hidden, matrix, hidden.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.5, unit * rng.uniform(0.01, 0.08)))
    return picture * (1 - np.float32(rng.uniform(0, 0.4)) * soft)[..., None]


def over(picture: Array, colour: Array, alpha: Array) -> Array:
    """Return a picture (h, w, 3) with a colour (h, w, 3) laid over it where alpha (h, w) is above 0."""
    alpha = np.asarray(alpha, np.float32)[..., None]
    return np.clip(picture * (1 - alpha) + colour * alpha, 0, 1).astype(np.float32)
