"""Fictional people's bare faces, with the truth of what is skin: what occlusion is learnt from.

Apart from the learning, so that the processes that render need not load what learns.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from faceswap.faces.geometry import Geometry, Points, apply
from faceswap.model.priors.render_pool import of_each
from faceswap.progress import Report
from faceswap.synthetic import random_person, random_scene, render

_FIRST_SEED = 20_000
"""Of the people: neither of the cast nor those that the prior is learnt from."""
SOURCE = Geometry(136, 2.0)
"""Rendered faces are stored so: with a margin, since they are turned and moved."""


class OcclusionOptions(BaseModel):
    """How many fictional people, how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(750, ge=2, le=5000, description="fictional people")
    scenes: int = Field(4, ge=1, le=1000, description="scenes each is seen in")
    render_size: int = Field(192, ge=64, le=1024, description="side of the rendered pictures, px")
    steps: int = Field(6000, ge=1, description="optimizer steps")
    batch_size: int = Field(16, ge=1, le=256, description="faces in a step")
    learning_rate: float = Field(2e-3, gt=0, le=0.1, description="highest; it rises to it and then falls")
    seed: int = Field(0, ge=0, lt=2**31, description="of the people, the batches and the initial weights")


@dataclass(frozen=True)
class Faces:
    """Rendered faces.

    Attributes:
        crops: (n, s, s, 3) uint8 RGB.
        landmarks: (n, 68, 2) in them.
        bare: (n, s, s) uint8: 255 where the head's skin, eyes or mouth are seen.
    """

    crops: NDArray[np.uint8]
    landmarks: Points
    bare: NDArray[np.uint8]


def render_faces(options: OcclusionOptions, workers: int, report: Report) -> Faces:
    """Render everybody on ``workers`` processes; about 0.1 s a scene and core."""
    found = of_each(options.people, partial(_scenes_of, options=options), workers, report)
    return Faces(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _scenes_of(number: int, options: OcclusionOptions) -> tuple[Any, Any, Any]:
    cv2.setNumThreads(1)
    seed = _FIRST_SEED + options.seed * options.people + number
    who, rng = random_person(seed), np.random.default_rng(seed)
    crops, marks, bare = [], [], []
    for _ in range(options.scenes):
        found = render(who, random_scene(rng, max_yaw=35, max_pitch=16, max_roll=12), options.render_size)
        landmarks = found.landmarks.astype(np.float64)
        matrix = SOURCE.matrix(landmarks)
        crops.append(SOURCE.crop(found.image, matrix))
        marks.append(apply(matrix, landmarks))
        bare.append(SOURCE.crop(np.rint(found.head * 255).astype(np.uint8), matrix))
    return np.stack(crops), np.stack(marks), np.stack(bare)
