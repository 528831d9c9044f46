"""What is around the face: ears, neck, clothes, glasses."""

import numpy as np

from faceswap.synthetic.canvas import Canvas, bell, fractal, step
from faceswap.synthetic.scene import Expression
from faceswap.synthetic.shapes import CLOTH, PLASTIC, SKIN, Head, Shape, surface_normals
from faceswap.synthetic.traits import Array, Traits

NECK_FOLLOWS = 0.35
"""How much of the head's turn the neck makes."""


def _shape(
    points: Array,
    albedo: Array,
    occlusion: Array | float = 1.0,
    follows: float = 1.0,
    outwards: int = 1,
) -> Shape:
    grid = points.shape[:2]
    points = points.astype(np.float32)
    return Shape(
        points=points,
        normals=surface_normals(points) * np.float32(outwards),
        albedo=np.broadcast_to(albedo, points.shape).astype(np.float32),
        alpha=np.ones(grid, np.float32),
        occlusion=np.broadcast_to(occlusion, grid).astype(np.float32),
        gloss=np.full(grid, -0.1, np.float32),
        material=SKIN,
        follows=follows,
    )


def ear(traits: Traits, head: Head, side: int) -> Shape:
    """Return an ear: a leaf with a rim (helix), an inner ridge (antihelix), a hollow and a lobe."""
    radius = np.linspace(0.02, 1, 44)[:, None]
    angle = np.linspace(-np.pi, np.pi, 90)[None]  # 0 points to the back of the head, a quarter turn up
    back, up = np.cos(angle), np.sin(angle)
    rim = bell(radius - 0.84, 0.13) * step(-0.95, -0.3, up + 0.8 * back)
    ridge = bell(radius - 0.5, 0.12) * step(-0.3, 0.5, back + 0.3 * up)
    hollow = bell(np.hypot(radius * back + 0.15, radius * up + 0.1), 0.38)
    gutter = bell(radius - 0.67, 0.1) * step(0, 0.6, back + 0.5 * up)
    flap = bell(np.hypot(radius * back + 0.72, radius * up + 0.12), 0.22)
    relief = 0.26 * rim + 0.2 * ridge - 0.32 * hollow - 0.12 * gutter + 0.22 * flap
    relief = relief - 0.5 * step(0.88, 1.0, radius)
    length = 3.0 - 0.15 * (1 - traits.masculine) + 0.2 * traits.age
    taper = 1 - 0.24 * step(0.2, -1, radius * up)
    behind = 1.75 * radius * back * taper
    above = length * radius * up
    x = float(head.width(-1.5)) - 0.15 + 0.42 * (behind + 1.75) / 1.75 + relief
    points = np.stack([side * x, above - 1.35, -1.0 - behind - 0.1 * above], -1)
    shade = 1 - 0.5 * hollow - 0.32 * gutter - 0.25 * step(0.9, 1.0, radius)
    color = traits.skin * np.array([1.0, 0.86, 0.84], np.float32)
    return _shape(points, color * shade[..., None], occlusion=0.55 + 0.45 * shade, outwards=side)


def _neck_radius(traits: Traits) -> float:
    return (4.9 + 0.9 * traits.masculine) * float(traits.head_width) ** 0.5


def neck(traits: Traits) -> Shape:
    """Return the neck, wide enough at the top to end inside the head."""
    angle = np.linspace(-np.pi, np.pi, 130)[None]
    height = np.linspace(-5, -19, 110)[:, None]
    radius = _neck_radius(traits) + 0.9 * step(-13, -18, height) + 0.02 * np.clip(height + 12, 0, None) ** 2
    cords = 0.16 * bell(np.abs(angle) - 0.75 + 0.03 * (height + 10), 0.16) * step(-9, -13, height)
    throat = (0.1 + 0.3 * traits.masculine) * bell(angle, 0.16) * bell(height + 14.2, 0.9)
    z = -1.6 - 0.45 * np.clip(-14 - height, 0, 9)
    radius = radius + cords
    points = np.stack(
        [radius * np.sin(angle), height + 0 * angle, z + (0.88 * radius + throat) * np.cos(angle)], -1
    )
    occlusion = 0.5 + 0.5 * step(-10.0, -15.5, height)
    return _shape(points, traits.skin, occlusion=occlusion, follows=NECK_FOLLOWS)


def clothes(traits: Traits, seed: int) -> Shape:
    """Return shoulders in a shirt with a round neckline."""
    rng = np.random.default_rng([seed, 4])
    angle = np.linspace(-np.pi, np.pi, 160)[None]
    part = np.linspace(0, 1, 150)[:, None]
    height = -14.5 - 16 * part
    spread = (13.5 + 2.5 * traits.masculine) * (1 - np.exp(-((3 * part) ** 1.15)))
    radius = _neck_radius(traits) - 0.8 + spread
    depth = 4.2 + 5 * step(0, 0.55, part)
    folds = fractal(rng, (150, 160), (3, 14), 3)
    points = np.stack(
        [radius * np.sin(angle), height + 0 * angle, -2.2 + (depth + 0.1 * folds * part) * np.cos(angle)], -1
    )
    neckline = points[..., 1] + 18.6 - 0.045 * points[..., 0] ** 2
    bare = step(-0.1, 0.1, neckline)[..., None]
    hem = 1 - 0.3 * bell(neckline + 0.3, 0.12)[..., None]
    weave = (1 + 0.04 * rng.standard_normal((150, 160, 1)) + 0.04 * folds[..., None]) * hem
    albedo = traits.clothes * weave * (1 - bare) + traits.skin * bare
    shape = _shape(points, albedo, occlusion=0.6 + 0.4 * step(0, 0.3, part), follows=0.0)
    return Shape(**{**vars(shape), "material": CLOTH})


def _tube(path: Array, radius: float, color: Array, closed: bool) -> Shape:
    """Return a tube around a path (n, 3)."""
    around = np.linspace(0, 2 * np.pi, 9)[None, :, None]
    if closed:
        path = np.concatenate([path, path[:1]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    even = np.linspace(0, length[-1], len(path))
    path = np.stack([np.interp(even, length, path[:, axis]) for axis in range(3)], -1)
    if closed:
        path = np.concatenate([path, path[1:3]])
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    first = np.cross(ahead, [0.0, 0.3, 1.0])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(ahead, first)
    out = np.cos(around) * first[:, None] + np.sin(around) * second[:, None]
    shape = _shape(path[:, None] + radius * out, color)
    return Shape(**{**vars(shape), "normals": out.astype(np.float32), "material": PLASTIC})


def glasses(traits: Traits, head: Head, canvas: Canvas) -> list[Shape]:
    """Return rims, bridge and temples; ``canvas`` is the face at rest, on whose nose they sit."""
    zero = np.array([0.0])
    seat = float(head.depth(zero, zero + 0.3, Expression(), canvas)[0]) + 0.7
    turn = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    across, up = (np.sign(wave) * np.abs(wave) ** 0.7 for wave in (np.cos(turn), np.sin(turn)))
    part = np.linspace(0, 1, 60)
    apart = traits.eye_distance if traits.frames_apart is None else traits.frames_apart
    rims, arms = (0.15, 0.13) if traits.frame_radius is None else (traits.frame_radius,) * 2
    outer = apart + 2.5
    parts = []
    for side in (-1, 1):
        x = side * (apart + 0.1) + 2.45 * across
        rim = np.stack([x, -0.3 + 1.85 * up, seat - 0.05 * x * x], -1)
        parts.append(_tube(rim, rims, traits.frames, closed=True))
        reach = outer + part * (float(head.width(0)) + 0.2 - outer)
        z = (seat - 0.05 * outer**2) * (1 - part) - 1.5 * part
        temple = np.stack([side * reach, 0.5 + 0 * part, z], -1)
        parts.append(_tube(temple, arms, traits.frames, closed=False))
    arc = np.linspace(-1, 1, 40)
    bridge = np.stack([arc * (apart - 2.2), 0.45 + 0.25 * (1 - arc**2), seat + 0.15 + 0 * arc], -1)
    parts.append(_tube(bridge, arms, traits.frames, closed=False))
    return parts
