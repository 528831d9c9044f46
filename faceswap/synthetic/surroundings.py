"""Other hair and other backgrounds for a rendered picture: finer, wilder and more varied than the renderer's own."""

import cv2
import numpy as np

from faceswap.synthetic.occluders import Painted, Points, blotches, over, unit_of, with_shadow
from faceswap.synthetic.traits import Array

_NATURAL = np.array(
    [
        (0.09, 0.08, 0.08),
        (0.2, 0.13, 0.1),
        (0.36, 0.24, 0.16),
        (0.5, 0.27, 0.15),
        (0.75, 0.6, 0.4),
        (0.6,) * 3,
    ]
)


def other_hair(picture: Array, hair: Array, rng: np.random.Generator) -> Array:
    """Give hair another colour, streaks and a sheen.

    Args:
        picture: (h, w, 3) float32 RGB in 0..1.
        hair: (h, w) where it is, 0..1.
        rng: decides.
    """
    shape = hair.shape
    light = picture.mean(-1)
    mean = max(float((light * hair).sum() / max(hair.sum(), 1.0)), 0.02)
    relief = (light / mean) ** np.float32(rng.uniform(0.4, 1.1))
    colour = _colour(rng)
    streaks = _streaks(shape, rng)
    sheen = np.clip(blotches(shape, rng, shape[0] * rng.uniform(0.1, 0.4), 1.0), 0, 2) * rng.uniform(0, 0.6)
    tone = relief * np.clip(1 + streaks + sheen, 0.1, 3)
    second = colour * rng.uniform(0.5, 1.9) if rng.random() < 0.4 else colour
    mix = np.clip(0.5 + blotches(shape, rng, shape[0] * 0.12, 0.6), 0, 1)[..., None]
    painted = (colour * mix + second * (1 - mix)) * tone[..., None]
    return over(picture, painted, hair * np.float32(rng.uniform(0.8, 1)))


def hair_over(picture: Array, landmarks: Points, rng: np.random.Generator) -> Painted:
    """Many fine hairs in locks from the top or the side of the head, over brow, temple, cheek or all of them.

    Returns:
        the picture, and (h, w) how much of each pixel is hair, 0..1.
    """
    unit, shape = unit_of(landmarks), picture.shape[:2]
    colour, dark = _colour(rng), rng.uniform(0.3, 0.8)
    brows, temples = landmarks[17:27].mean(0), landmarks[[0, 16]]
    alpha: Array = np.zeros(shape, np.float32)
    light: Array = np.zeros(shape, np.float32)
    kind = rng.choice(["fringe", "side", "single"], p=(0.4, 0.35, 0.25))
    t = np.linspace(0, 1, 16)[:, None]
    locks = {
        "fringe": int(rng.integers(4, 14)),
        "side": int(rng.integers(2, 7)),
        "single": int(rng.integers(1, 4)),
    }
    side = int(rng.integers(2))
    slant = rng.uniform(-0.5, 0.5)
    for _ in range(locks[str(kind)]):
        if kind == "fringe":
            root = brows + unit * np.array([rng.uniform(-0.75, 0.75), -rng.uniform(0.5, 0.9)])
            fall = unit * np.array([slant + rng.normal(0, 0.1), rng.uniform(0.35, 0.95)])
        elif kind == "side":
            root = temples[side] + unit * np.array([rng.normal(0, 0.12), -rng.uniform(0.4, 0.9)])
            fall = unit * np.array([rng.normal(0, 0.15), rng.uniform(0.8, 2.2)])
        else:
            root = brows + unit * np.array([rng.uniform(-0.8, 0.8), -rng.uniform(0.3, 0.8)])
            fall = unit * np.array([rng.uniform(-0.7, 0.7), rng.uniform(0.3, 1.8)])
        bow = unit * rng.normal(0, 0.15)
        width = unit * (rng.uniform(0.04, 0.18) if kind != "single" else rng.uniform(0.003, 0.05))
        hairs = int(np.clip(width / unit * rng.uniform(150, 420), 1, 60))
        meet = rng.uniform(0.1, 0.9)
        for _ in range(hairs):
            spread = rng.normal(0, width / 2) * (1 - meet * t)
            path = root + fall * t * rng.uniform(0.75, 1.05)
            path = path + np.concatenate([np.sin(np.pi * t) * bow + spread, 0 * t], axis=1)
            stroke = np.zeros(shape, np.uint8)
            thick = 1 if rng.random() < 0.75 else 2
            cv2.polylines(stroke, [np.rint(path * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
            drawn = stroke.astype(np.float32) * np.float32(rng.uniform(0.35, 1) / 255)
            light = light * (1 - drawn) + drawn * np.float32(rng.uniform(dark, 1.5))
            alpha = alpha + drawn * (1 - alpha)
    if rng.random() < 0.3:
        soft = rng.uniform(0.4, 1.2)
        alpha, light = (cv2.GaussianBlur(image, (0, 0), soft) for image in (alpha, light))
    tone = light / np.maximum(alpha, 1e-3)
    painted = np.clip(colour * tone[..., None], 0, 1).astype(np.float32)
    return over(with_shadow(picture, alpha, unit, rng), painted, alpha), alpha


def before_another_background(picture: Array, person: Array, rng: np.random.Generator) -> Array:
    """Put what is not the person (h, w), 0..1, somewhere else: a wall, blotches, stripes, boxes, foliage."""
    shape = person.shape
    first, second = rng.uniform(0, 1, (2, 3))
    kind = rng.choice(["plain", "blotches", "stripes", "boxes", "streaks"])
    if kind == "plain":
        ys, xs = np.mgrid[: shape[0], : shape[1]] / shape[0]
        mix = np.clip(xs * rng.uniform(-1, 1) + ys * rng.uniform(-1, 1) + 0.5, 0, 1)
    elif kind == "blotches":
        mix = 0.5 + blotches(shape, rng, shape[0] * rng.uniform(0.01, 0.4), rng.uniform(0.1, 0.7))
    elif kind == "stripes":
        ys, xs = np.mgrid[: shape[0], : shape[1]]
        angle, pitch = rng.uniform(0, np.pi), shape[0] * rng.uniform(0.02, 0.3)
        mix = 0.5 + 0.5 * np.sin((xs * np.cos(angle) + ys * np.sin(angle)) * 2 * np.pi / pitch)
        mix = np.where(rng.random() < 0.5, mix > 0.5, mix).astype(np.float32)
    elif kind == "boxes":
        mix = np.full(shape, rng.uniform(0, 1), np.float32)
        for _ in range(int(rng.integers(3, 25))):
            x, y = rng.uniform(-0.2, 1, 2) * shape[0]
            w, h = rng.uniform(0.02, 0.6, 2) * shape[0]
            cv2.rectangle(mix, (int(x), int(y)), (int(x + w), int(y + h)), float(rng.uniform(0, 1)), -1)
    else:
        mix = 0.5 + _streaks(shape, rng)
    mix = np.clip(mix, 0, 1)[..., None].astype(np.float32)
    scene = first * mix + second * (1 - mix)
    if rng.random() < 0.5:
        scene = scene + blotches(shape, rng, shape[0] * 0.15, 0.12)[..., None]
    if rng.random() < 0.5:
        scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 5))
    return over(scene.astype(np.float32).clip(0, 1), picture, person)


def _colour(rng: np.random.Generator) -> Array:
    """Of hair, sRGB in 0..1: mostly natural."""
    if rng.random() < 0.12:
        return rng.uniform(0.05, 0.9, 3).astype(np.float32)
    found = _NATURAL[rng.integers(len(_NATURAL))] * rng.uniform(0.7, 1.35) * rng.uniform(0.92, 1.08, 3)
    return np.clip(found, 0.02, 0.95).astype(np.float32)


def _streaks(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """(h, w) noise drawn out along a bent direction, deviation of some 0.25."""
    height, width = shape[:2]
    fine = rng.standard_normal((height, width), np.float32)
    length = height * rng.uniform(0.04, 0.2)
    drawn_out = cv2.GaussianBlur(fine, (0, 0), rng.uniform(0.4, 1.5), sigmaY=length)
    drawn_out *= np.float32(rng.uniform(0.1, 0.4) / max(float(drawn_out.std()), 1e-6))
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    bend = height * rng.uniform(-0.25, 0.25)
    angle = rng.normal(0, 0.4)
    middle = (height - 1) / 2
    x = middle + (xs - middle) * np.cos(angle) + (ys - middle) * np.sin(angle)
    y = middle - (xs - middle) * np.sin(angle) + (ys - middle) * np.cos(angle)
    x = x + bend * np.sin(np.pi * ys / height)
    return np.asarray(
        cv2.remap(
            drawn_out,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.float32,
    )
