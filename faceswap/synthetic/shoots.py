"""What a person of the cast is rendered in, for a video or for pictures: the truth of every frame."""

from dataclasses import replace

import numpy as np

from faceswap.synthetic.people import CAST, HARD_CAST
from faceswap.synthetic.performance import clip
from faceswap.synthetic.scene import Scene, random_scene, side_light

FPS = 25
"""Frames a second of a rendered video."""


def scenes_of(name: str, kind: str, seconds: float, count: int, seed: int) -> list[Scene]:
    """The scenes of one person of the casts; those of the hard one are lit from a side.

    Args:
        name: of the person; each performs another performance.
        kind: "video": a talking head; "pictures": any pose, light and expression.
        seconds: length of a video.
        count: of pictures.
        seed: of the performance.
    """
    own_seed = seed + [p.name for p in (*CAST, *HARD_CAST)].index(name)
    hard = name in {p.name for p in HARD_CAST}
    rng = np.random.default_rng(own_seed)
    if kind == "video":
        return list(clip(own_seed, seconds, FPS, light=side_light(rng) if hard else None))
    scenes = [random_scene(rng) for _ in range(count)]
    return [replace(scene, light=side_light(rng)) for scene in scenes] if hard else scenes
