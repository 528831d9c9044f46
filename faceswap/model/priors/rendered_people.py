"""Fictional people with the truth of what each pixel shows: what the segmentation network is learnt from.

Apart from the learning, so that the processes that render need not load what learns.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points, apply
from faceswap.model.options import MaskOptions
from faceswap.model.priors.render_pool import of_each
from faceswap.model.segmentation_view import VIEW
from faceswap.output.progress import Report
from faceswap.synthetic import Person, random_scene, random_styling, render, side_light

_FIRST_SEED = 20_000
"""Of the people: neither of the casts nor those that the prior is learnt from."""
_FROM_A_SIDE = 0.3
"""Share of the scenes that are lit from a side."""
SOURCE = Geometry(160, 3.4, VIEW.centre)
"""Rendered faces are stored so: with a margin, since they are turned and moved."""


@dataclass(frozen=True)
class RenderedPeople:
    """Rendered faces.

    Attributes:
        crops: (n, s, s, 3) uint8 RGB.
        landmarks: (n, 68, 2) in them.
        segments: (n, s, s, 3) uint8: 255 where skin, hair or glasses are seen; what is left is something else.
        person: (n, s, s) uint8: 255 where it is not the background.
    """

    crops: NDArray[np.uint8]
    landmarks: Points
    segments: NDArray[np.uint8]
    person: NDArray[np.uint8]


def render_people(options: MaskOptions, workers: int, report: Report) -> RenderedPeople:
    """Render everybody on ``workers`` processes; about 0.15 s a scene and core."""
    found = of_each(options.people, partial(scenes_of_one, options=options), workers, report)
    return RenderedPeople(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def scenes_of_one(number: int, options: MaskOptions) -> tuple[Any, Any, Any, Any]:
    """One person's scenes: the arrays of :class:`RenderedPeople`."""
    cv2.setNumThreads(1)
    seed = _FIRST_SEED + options.seed * options.people + number
    rng = np.random.default_rng(seed)
    who = Person(seed, f"person-{seed}", random_styling(rng))
    crops, marks, segments, person = [], [], [], []
    for _ in range(options.scenes):
        scene = random_scene(rng, max_yaw=35, max_pitch=16, max_roll=12)
        # far enough away that the whole crop lies within the picture
        scene = replace(scene, zoom=0.8 * scene.zoom)
        if rng.random() < _FROM_A_SIDE:
            scene = replace(scene, light=side_light(rng))
        found = render(who, scene, options.render_size)
        landmarks = found.landmarks.astype(np.float64)
        matrix = SOURCE.matrix(landmarks)
        crops.append(SOURCE.crop(found.image, matrix))
        marks.append(apply(matrix, landmarks))
        shares = np.rint(np.dstack([found.segments[..., :3], found.person]) * 255).astype(np.uint8)
        shares = SOURCE.crop(shares, matrix)
        segments.append(shares[..., :3])
        person.append(shares[..., 3])
    return np.stack(crops), np.stack(marks), np.stack(segments), np.stack(person)
