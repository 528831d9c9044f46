"""What a person of the cast is rendered in, for a video or for pictures: the truth of every frame."""

import numpy as np

from faceswap.synthetic.people import CAST
from faceswap.synthetic.performance import clip
from faceswap.synthetic.scene import Scene, random_scene

FPS = 25
"""Frames a second of a rendered video."""


def scenes_of(name: str, kind: str, seconds: float, count: int, seed: int) -> list[Scene]:
    """The scenes of one person of the cast.

    Args:
        name: of the person; each performs another performance.
        kind: "video": a talking head; "pictures": any pose, light and expression.
        seconds: length of a video.
        count: of pictures.
        seed: of the performance.
    """
    own_seed = seed + [p.name for p in CAST].index(name)
    if kind == "video":
        return list(clip(own_seed, seconds, FPS))
    rng = np.random.default_rng(own_seed)
    return [random_scene(rng) for _ in range(count)]
