"""Learning faces from fictional people, of whom there is no end and to whom nothing can be done.

The renderer knows what photographs can't tell: how another person looks in the very same scene. So one decoder learns
to show a single person, the stand-in, in whatever scene anybody is seen in: that teaches the encoder to leave the
identity out of its code. A second decoder reconstructs everybody, so that the code keeps what real faces need. The
inputs are blurred, tinted and made noisy, since real footage is.
"""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points, apply, invert
from faceswap.faces.landmarks import INNER
from faceswap.model.options import PretrainingOptions
from faceswap.model.presets import Preset, preset
from faceswap.model.priors.render_pool import of_each
from faceswap.model.training.dataset import LEAST_DETAIL, Batch
from faceswap.model.training.face_weights import weight_map
from faceswap.model.training.more_views import MoreViews
from faceswap.model.training.pairs.draws import draw_pairs
from faceswap.model.training.pairs.host_pairs import Array, PairMaker
from faceswap.output.progress import Report
from faceswap.synthetic import person, random_person, random_scene, render
from faceswap.synthetic.renderer import Rendering

ANYBODY, STAND_IN = "anybody", "stand-in"
"""The two decoders; trainings start from the stand-in's."""
_STAND_IN = "emeric"
_COVERAGE, _CENTRE = 2.6, -0.25
"""Of the crops: the whole face, and a margin to move it in."""
_ZOOM = 0.85
"""Of the scenes, so that those crops lie within the picture."""
_CROP = 0.9 * _ZOOM
"""Side of a crop in sides of the picture that is rendered."""
_HELD_OUT = 20
"""Of so many people one is not trained on."""
_FIRST_SEED = 3000
"""Of the people: none of the cast, whom swaps are measured on."""


def fitting(options: PretrainingOptions, name: str) -> PretrainingOptions:
    """The options, with pictures rendered large enough to show the detail that the preset of that name generates."""
    wanted = preset(name)
    least = LEAST_DETAIL * wanted.geometry.unit * _COVERAGE / _CROP
    if least <= options.render_size:
        return options
    return options.model_copy(update={"render_size": 16 * math.ceil(least / 16)})


def pretraining_preset(name: str, options: PretrainingOptions) -> Preset:
    """The preset as fictional people are learnt with: more augmentation, since any pose and light may come."""
    varied = {"rotation": 6, "zoom": 0.05, "shift": 0.02, "flip": 0, "warp_end": 0.9, "warp_rest": 0}
    varied |= {"tint": 0, "surroundings": 0}  # like_footage tints, and there are people enough
    # without a finish the falling rate brings it to rest
    return preset(name).with_(
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        finish=0,
        final_decay=0.1,
        loss={"features": 14},
        augmentation=varied,
    )


class Rendered:
    """Crops of every person and of the stand-in in the same scenes.

    Attributes:
        geometry: of the crops.
        crops: (people, scenes, 2, s, s, 3) uint8 RGB; of the pair, the first is the person, the second the stand-in.
        landmarks: (people, scenes, 2, 68, 2) true landmarks in the crops, px.
    """

    def __init__(self, geometry: Geometry, crops: NDArray[np.uint8], landmarks: Points) -> None:
        self.geometry, self.crops, self.landmarks = geometry, crops, landmarks


def render_pairs(options: PretrainingOptions, workers: int, report: Report) -> Rendered:
    """Render everybody on ``workers`` processes; about 0.2 s a scene and core."""
    geometry = Geometry(round(options.render_size * _CROP), _COVERAGE, _CENTRE)
    found = of_each(options.people, partial(_scenes_of, options=options, geometry=geometry), workers, report)
    crops, landmarks = (np.stack(parts) for parts in zip(*found, strict=True))
    return Rendered(geometry, crops, landmarks)


def _scenes_of(number: int, options: PretrainingOptions, geometry: Geometry) -> tuple[Any, Any]:
    cv2.setNumThreads(1)
    seed = _FIRST_SEED + options.seed * options.people + number
    rng = np.random.default_rng(seed)
    who, stand_in = random_person(seed), person(_STAND_IN)
    scenes = [random_scene(rng, max_yaw=32, max_pitch=14, max_roll=12) for _ in range(options.scenes)]
    scenes = [replace(scene, zoom=scene.zoom * _ZOOM) for scene in scenes]
    pairs = [
        [_crop(render(one, s, options.render_size), geometry) for one in (who, stand_in)] for s in scenes
    ]
    return np.array([[c for c, _ in pair] for pair in pairs]), np.array(
        [[m for _, m in pair] for pair in pairs]
    )


def _crop(rendering: Rendering, geometry: Geometry) -> tuple[NDArray[np.uint8], Points]:
    landmarks = rendering.landmarks.astype(np.float64)
    matrix = geometry.matrix(landmarks)
    return geometry.crop(rendering.image, matrix), apply(matrix, landmarks)


class FictionalData:
    """Batches of fictional people, in the form in which :class:`faceswap.model.training.trainer.Trainer` wants them.

    Args:
        rendered: everybody.
        recipe: see :func:`pretraining_preset`.
    """

    identities: tuple[str, ...] = (ANYBODY, STAND_IN)
    views: dict[str, MoreViews] = {}  # noqa: RUF012

    def __init__(self, rendered: Rendered, recipe: Preset) -> None:
        self.preset = recipe
        self.maker = PairMaker(rendered.geometry, recipe.geometry, recipe.augmentation)
        people, scenes = rendered.crops.shape[:2]
        side = self.maker.source.size
        self.crops = np.empty((people, scenes, 2, side, side, 4), np.uint8)
        self.landmarks = np.empty((people, scenes, 2, 68, 2))
        for who in range(people):
            for scene in range(scenes):
                marks = rendered.landmarks[who, scene]
                weights = np.stack([weight_map(m, rendered.geometry, recipe.loss) for m in marks])
                pair = np.concatenate([rendered.crops[who, scene], weights[..., None]], axis=-1)
                self.crops[who, scene] = self.maker.prepare(pair)
                self.landmarks[who, scene] = self.maker.plain_landmarks(marks, rendered.geometry)
        self._neutral = self.landmarks[:, :, 0].mean(axis=1)
        self._trained = people - max(1, people // _HELD_OUT)
        self.heldout = {
            name: np.stack([self.maker.plain(c) for c in self.crops[self._trained :, 0, index, ..., :3]])
            for index, name in enumerate(self.identities)
        }

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every scene is drawn once on average."""
        return max(1, self._trained * self.crops.shape[1] // self.preset.batch_size)

    def batch(self, seed: int, step: int, progress: float) -> Batch:
        """As :meth:`faceswap.model.training.dataset.TrainingData.batch`."""
        rng = np.random.default_rng((seed, step))
        size, count = self.preset.size, self.preset.batch_size
        x = np.empty((2, count, size, size, 3), np.float32)
        y = np.empty((2, count, size, size, 4), np.float32)
        shape = np.empty((2, count, 51, 2), np.float32)
        people, scenes = self._trained, self.crops.shape[1]
        warp = self.preset.augmentation.warp_at(progress, step)
        for decoder in range(2):
            for index in range(count):
                who, scene = int(rng.integers(people)), int(rng.integers(scenes))
                x[decoder, index], y[decoder, index], shape[decoder, index] = self._pair(
                    who, scene, decoder, rng, warp
                )
        return x, {"picture": y, "shape": shape}

    def _pair(
        self, who: int, scene: int, decoder: int, rng: np.random.Generator, warp: float
    ) -> tuple[Any, Any, Any]:
        """Somebody as input, the same or the stand-in in the same scene as target."""
        draws = draw_pairs(rng, self.preset.augmentation)
        variation, x, y = self.maker.vary(draws)
        dx, dy = self.maker.warp(draws, warp)
        shown = self.crops[who, scene]
        target = self.maker.sample(shown[decoder], x, y).astype(np.float32) / 255
        warped = self.maker.sample(shown[0][..., :3], x + dx, y + dy).astype(np.float32) / 255
        gain, bias = self.maker.colour(draws)
        target[..., :3] = np.clip(target[..., :3] * gain + bias, 0, 1)
        marks = apply(invert(variation), self.landmarks[who, scene, 0])
        offsets = (marks[INNER] - self._neutral[who][INNER]) / self.preset.size
        return like_footage(warped * gain + bias, rng), target, offsets.astype(np.float32)


def like_footage(picture: Array, rng: np.random.Generator) -> Array:
    """A picture (h, w, 3) in 0..1 as a camera may have seen it: out of focus, tinted, with noise; clipped to 0..1."""
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.2))
    tint = (1 + rng.uniform(-0.25, 0.25, 3)).astype(np.float32)
    noise = rng.normal(0, rng.uniform(0, 0.03), picture.shape).astype(np.float32)
    return np.clip(picture * tint + noise, 0, 1)
