"""Learning what lies over faces: fictional people behind drawn hands, glasses, hair and objects."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from faceswap.faces.geometry import apply
from faceswap.faces.regions import hull_of
from faceswap.model.networks.occlusion_network import build_occlusion_network
from faceswap.model.occlusion_view import VIEW
from faceswap.model.options import OcclusionOptions
from faceswap.model.priors.bare_faces import SOURCE, Faces
from faceswap.model.training.checkpoints import Checkpoints, TrainingState
from faceswap.model.training.pairs.on_host import Array
from faceswap.synthetic.occluders import occlude, wrinkle

_FINE = VIEW.size * 3 // 2
"""Occluders are drawn at this size and then shrunk, as a camera does it."""
_FOREHEAD = 0.25
_COVERED = 0.75
"""Share of the faces that something is put in front of."""
_SITTING = 150
"""Steps between two points of the curve, and between two checkpoints."""
_WARMUP = 100


class OccludedFaces(keras.utils.PyDataset):
    """The faces behind things of some steps, each step's drawn from (seed, step).

    Args:
        faces: rendered.
        options: batch size, seed.
        steps: which.
    """

    def __init__(self, faces: Faces, options: OcclusionOptions, steps: range) -> None:
        super().__init__(workers=2)
        self.faces, self.options, self.steps = faces, options, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        """(n, 96, 96, 3) the faces, and (n, 96, 96, 2): where they are hidden and where that counts; all 0..1."""
        rng = np.random.default_rng((self.options.seed, self.steps[index]))
        chosen = rng.integers(len(self.faces.crops), size=self.options.batch_size)
        made = [self.example(int(i), rng) for i in chosen]
        return np.stack([x for x, _ in made]), np.stack([y for _, y in made])

    def example(self, index: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """One face, turned, moved, lit and behind something."""
        matrix = _varied(rng)
        landmarks = apply(matrix, self.faces.landmarks[index])
        picture = _placed(self.faces.crops[index], matrix, cv2.BORDER_REFLECT)
        hidden = 1 - _placed(self.faces.bare[index], matrix, cv2.BORDER_CONSTANT)
        picture = wrinkle(picture, landmarks, rng)
        if rng.random() < _COVERED:
            picture, more = occlude(picture, landmarks, rng)
            hidden = np.maximum(hidden, more)
        counts = np.zeros((_FINE, _FINE), np.float32)
        unit = _FINE / VIEW.coverage
        outline = hull_of(landmarks, np.eye(2, 3), _FOREHEAD * unit)
        cv2.fillConvexPoly(counts, np.rint(outline).astype(np.int32), 1.0)
        truth = cv2.resize(np.dstack([hidden, counts]), (VIEW.size, VIEW.size), interpolation=cv2.INTER_AREA)
        x = _filmed(picture, rng)
        return (x[:, ::-1], truth[:, ::-1]) if rng.random() < 0.5 else (x, truth)


def _varied(rng: np.random.Generator) -> NDArray[np.float64]:
    """(2, 3) from a stored crop to the network's view at the fine size, as landmarks err."""
    angle, zoom = np.radians(rng.uniform(-12, 12)), np.exp(rng.uniform(-0.14, 0.14))
    scale = zoom * _FINE / SOURCE.size * SOURCE.coverage / VIEW.coverage
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, (_FINE - 1) / 2) + _FINE * rng.uniform(-0.06, 0.06, 2)
    return np.column_stack([turn, middle - turn @ np.full(2, (SOURCE.size - 1) / 2)])


def _placed(crop: NDArray[np.uint8], matrix: NDArray[np.float64], border: int) -> Array:
    moved = cv2.warpAffine(crop, matrix, (_FINE, _FINE), flags=cv2.INTER_LINEAR, borderMode=border)
    return moved.astype(np.float32) / np.float32(255)


def _filmed(picture: Array, rng: np.random.Generator) -> Array:
    """A picture as any camera, light and compression may show it; shrunk to the network's view, in 0..1."""
    if rng.random() < 0.5:
        picture = picture ** np.float32(rng.uniform(0.6, 1.6))
    if rng.random() < 0.5:
        mean = picture.mean((0, 1))
        picture = mean + (picture - mean) * np.float32(rng.uniform(0.6, 1.4))
    if rng.random() < 0.6:
        picture = picture * np.exp(_noise(rng, int(rng.integers(2, 7)), rng.uniform(0, 0.25)))
    if rng.random() < 0.5:
        picture = picture * (1 + _noise(rng, int(rng.integers(16, 64)), rng.uniform(0, 0.08)))
    picture = picture * (rng.uniform(0.7, 1.25) * (1 + rng.uniform(-0.2, 0.2, 3))).astype(np.float32)
    if rng.random() < 0.15:
        picture = 0.7 * picture.mean(-1, keepdims=True) + 0.3 * picture
    size = VIEW.size, VIEW.size
    picture = cv2.resize(np.clip(picture, 0, 1), size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.4))
    noise = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(0, 0.035))
    picture = np.clip(picture + noise, 0, 1)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        stored = cv2.imencode(".jpg", np.rint(picture * 255).astype(np.uint8), quality)[1]
        picture = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.float32) / np.float32(255)
    return picture


def _noise(rng: np.random.Generator, cells: int, strength: float) -> Array:
    coarse = rng.standard_normal((cells, cells), np.float32) * np.float32(strength)
    return cv2.resize(coarse, (_FINE, _FINE), interpolation=cv2.INTER_CUBIC)[..., None]


def hidden_loss(truth: Any, found: Any) -> Any:
    """Cross-entropy within the face, and half of the Dice loss (Milletari, Navab & Ahmadi, "V-Net", 2016).

    Args:
        truth: (n, s, s, 2) where the face is hidden, and where that counts.
        found: (n, s, s, 1) in 0..1.

    Returns:
        (n,).
    """
    hidden, counts = truth[..., 0], truth[..., 1]
    found = ops.clip(found[..., 0], 1e-5, 1 - 1e-5)

    def total(values: Any) -> Any:
        return ops.sum(values * counts, axis=(1, 2))

    entropy = -(hidden * ops.log(found) + (1 - hidden) * ops.log(1 - found))
    # of a face that nothing hides the quotient would be of two small numbers
    some = 30.0
    dice = 1 - (2 * total(hidden * found) + some) / (total(hidden**2) + total(found**2) + some)
    return total(entropy) / ops.maximum(ops.sum(counts, axis=(1, 2)), 1.0) + 0.5 * dice


def learn_occlusion(
    faces: Faces,
    options: OcclusionOptions,
    told: Callable[[int, dict[str, float]], None],
    folder: Path,
    run_id: str = "",
) -> keras.Model:
    """Train the network from nothing, or from the newest checkpoint of the same options.

    Args:
        faces: rendered.
        options: steps, rate, seed.
        told: called with the step and the metrics now and then.
        folder: for checkpoints.
        run_id: stored with them.
    """
    keras.utils.set_random_seed(options.seed)
    model = build_occlusion_network()
    optimizer = keras.optimizers.Adam(falling_rate(options), clipnorm=1.0)
    model.compile(optimizer, loss=hidden_loss, jit_compile=False)
    optimizer.build(model.trainable_variables)
    checkpoints = Checkpoints(folder)
    state = TrainingState(options.seed, {}, {"steps": options.steps}, {}, run_id=run_id)
    if checkpoints.latest():
        state = checkpoints.restore(model, lambda _: optimizer)
    while state.step < options.steps:
        steps = range(state.step, min(state.step + _SITTING, options.steps))
        curve = model.fit(OccludedFaces(faces, options, steps), shuffle=False, verbose=0)
        state.step = steps.stop
        told(state.step, {name: float(values[-1]) for name, values in curve.history.items()})
        checkpoints.save(model, optimizer, state)
    return model


def falling_rate(options: OcclusionOptions) -> keras.optimizers.schedules.CosineDecay:
    """Up to the options' rate in the first steps, then along a cosine to 2 % of it at the last step."""
    warmup = max(1, min(_WARMUP, options.steps // 10))
    return keras.optimizers.schedules.CosineDecay(
        1e-5,
        max(1, options.steps - 1 - warmup),
        alpha=0.02,
        warmup_target=options.learning_rate,
        warmup_steps=warmup,
    )
