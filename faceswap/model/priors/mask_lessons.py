"""What the segmentation network is taught: fictional people, other hair, things before them, any camera's faults.

The renderer's hair is coarser than real hair and its backgrounds are plainer than real rooms: what is drawn over them
is made rich instead (domain randomization: Tobin et al., 2017).
"""

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import apply
from faceswap.model.options import MaskOptions
from faceswap.model.priors.rendered_people import SOURCE, RenderedPeople
from faceswap.model.segmentation_view import SEGMENTS, VIEW
from faceswap.model.training.pairs.host_pairs import Array
from faceswap.synthetic import occluders, surroundings

Bytes = NDArray[np.uint8]
_AT_FIRST = 512
"""Faces that are painted before one is used again."""
_FINE = VIEW.size * 5 // 4
"""Things are drawn at this size and then shrunk, as a camera does it."""
_SKIN, _HAIR, _GLASSES, _OTHER = range(len(SEGMENTS))
_OTHER_BACKGROUND, _OTHER_HAIR, _STRANDS, _GLASSES_ON, _COVERED = 0.7, 0.5, 0.45, 0.4, 0.4
"""Shares of the faces that get each of these."""
_NOBODY = 0.04
"""Share of the pictures that show no face: what is recognised in none is not to be trusted."""
_CUT = 0.25
"""Share of the faces of which no more is seen than a swap's crop shows: the rest repeats its border."""


class MaskLessons(keras.utils.PyDataset):
    """The faces of some steps, each step's drawn from (seed, step).

    Painting a face takes as long as learning from it, so each is used ``options.reuse`` times on average, turned over
    and in other colours each time. Face ``n`` is the same whenever it is painted.

    Args:
        people: rendered.
        options: batch size, reuse, seed.
        steps: which.
        painted: faces by number, kept from one part of a training to the next; changed.
    """

    def __init__(
        self,
        people: RenderedPeople,
        options: MaskOptions,
        steps: range,
        painted: dict[int, tuple[Bytes, Bytes]] | None = None,
    ) -> None:
        super().__init__(workers=2)
        self.people, self.options, self.steps = people, options, steps
        self._painted = {} if painted is None else painted

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        """(n, s, s, 3) the faces, and (n, s, s, 4) the share of each segment; all 0..1."""
        options, step = self.options, self.steps[index]
        rng = np.random.default_rng((options.seed, 1, step))
        known = _AT_FIRST + (step + 1) * options.batch_size // options.reuse
        made = [_again(*self.painted(int(n)), rng) for n in rng.integers(known, size=options.batch_size)]
        return np.stack([x for x, _ in made]), np.stack([y for _, y in made])

    def painted(self, number: int) -> tuple[Bytes, Bytes]:
        """Face ``number``: (s, s, 3) and (s, s, 4) uint8."""
        found = self._painted.get(number)
        if found is None:
            rng = np.random.default_rng((self.options.seed, 0, number))
            made = self.example(int(rng.integers(len(self.people.crops))), rng)
            found = self._painted[number] = tuple(np.rint(part * 255).astype(np.uint8) for part in made)
        return found

    def example(self, index: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """One face, turned, moved, lit, in another place and behind something."""
        matrix = _varied(rng)
        landmarks = apply(matrix, self.people.landmarks[index])
        picture = _placed(self.people.crops[index], matrix)
        layers = np.dstack([self.people.segments[index], self.people.person[index]])
        placed = _placed(layers, matrix)
        segments, person = placed[..., :3], placed[..., 3]
        segments = np.dstack([segments, np.clip(1 - segments.sum(-1), 0, 1)])
        if rng.random() < _NOBODY:
            nothing = np.zeros_like(segments)
            nothing[..., _OTHER] = 1
            return self._shown(surroundings.before_another_background(picture, 0 * person, rng), nothing, rng)
        if rng.random() < _OTHER_HAIR:
            picture = surroundings.other_hair(picture, segments[..., _HAIR], rng)
        if rng.random() < _OTHER_BACKGROUND:
            picture = surroundings.before_another_background(picture, person, rng)
        picture = occluders.wrinkle(picture, landmarks, rng)
        if rng.random() < _STRANDS:
            picture, drawn = surroundings.hair_over(picture, landmarks, rng)
            segments = _in_front(segments, drawn, _HAIR)
        if rng.random() < _GLASSES_ON and segments[..., _GLASSES].max() < 0.5:
            picture, drawn = occluders.glasses(picture, landmarks, rng)
            segments = _in_front(segments, drawn, _GLASSES)
        if rng.random() < _COVERED:
            thing = (occluders.hand, occluders.thing, occluders.face_mask)[rng.choice(3, p=(0.55, 0.4, 0.05))]
            picture, drawn = thing(picture, landmarks, rng)
            segments = _in_front(segments, drawn, _OTHER)
        if rng.random() < _CUT:
            picture, segments = _cut(picture, segments, rng)
        return self._shown(picture, segments, rng)

    @staticmethod
    def _shown(picture: Array, segments: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """What a camera makes of a picture, and the truth at the network's size."""
        truth = cv2.resize(segments, (VIEW.size, VIEW.size), interpolation=cv2.INTER_AREA)
        return filmed(picture, rng), truth


def _again(picture: Bytes, truth: Bytes, rng: np.random.Generator) -> tuple[Array, Array]:
    """A painted face, perhaps turned over, a little brighter, darker or of another tint."""
    x, y = picture.astype(np.float32) / np.float32(255), truth.astype(np.float32) / np.float32(255)
    x = np.clip(x * (rng.uniform(0.85, 1.15) * rng.uniform(0.94, 1.06, 3)).astype(np.float32), 0, 1)
    return (x[:, ::-1], y[:, ::-1]) if rng.random() < 0.5 else (x, y)


def _in_front(segments: Array, drawn: Array, which: int) -> Array:
    """The shares after something was laid over them."""
    below = segments * (1 - drawn[..., None])
    below[..., which] += drawn
    return below


def _cut(picture: Array, segments: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A smaller square of both, grown to the same size by repeating its border."""
    side = rng.uniform(1.4, 2.4) * _FINE / VIEW.coverage
    x = _FINE / 2
    y = x + (rng.uniform(-0.25, 0.05) - VIEW.centre) * _FINE / VIEW.coverage
    left, top = (max(0, round(middle - side / 2)) for middle in (x, y))
    right, bottom = (min(_FINE, round(middle + side / 2)) for middle in (x, y))
    columns = np.clip(np.arange(_FINE), left, right - 1)
    rows = np.clip(np.arange(_FINE), top, bottom - 1)
    return picture[rows][:, columns], segments[rows][:, columns]


def _varied(rng: np.random.Generator) -> NDArray[np.float64]:
    """(2, 3) from a stored crop to the network's view at the fine size, as landmarks err."""
    angle, zoom = np.radians(rng.uniform(-14, 14)), np.exp(rng.uniform(-0.16, 0.16))
    scale = zoom * _FINE / SOURCE.size * SOURCE.coverage / VIEW.coverage
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, (_FINE - 1) / 2) + _FINE * rng.uniform(-0.06, 0.06, 2)
    return np.column_stack([turn, middle - turn @ np.full(2, (SOURCE.size - 1) / 2)])


def _placed(crop: NDArray[np.uint8], matrix: NDArray[np.float64]) -> Array:
    size = _FINE, _FINE
    moved = cv2.warpAffine(crop, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.float32) / np.float32(255)


def filmed(picture: Array, rng: np.random.Generator) -> Array:
    """A picture as any camera, light and compression may show it; shrunk to the network's view, in 0..1."""
    if rng.random() < 0.5:
        picture = picture ** np.float32(rng.uniform(0.6, 1.6))
    if rng.random() < 0.5:
        mean = picture.mean((0, 1))
        picture = mean + (picture - mean) * np.float32(rng.uniform(0.6, 1.4))
    if rng.random() < 0.6:
        picture = picture * np.exp(_noise(rng, int(rng.integers(2, 7)), rng.uniform(0, 0.25)))
    if rng.random() < 0.4:
        picture = picture * (1 + _noise(rng, int(rng.integers(16, 64)), rng.uniform(0, 0.08)))
    picture = picture * (rng.uniform(0.7, 1.25) * (1 + rng.uniform(-0.2, 0.2, 3))).astype(np.float32)
    if rng.random() < 0.2:
        tint = 1 + rng.uniform(-0.25, 0.25, 3) * (rng.random() < 0.5)
        picture = picture.mean(-1, keepdims=True) * tint.astype(np.float32)
    picture = np.clip(picture, 0, 1).astype(np.float32)
    if rng.random() < 0.15:  # a small face, enlarged
        small = int(VIEW.size * rng.uniform(0.3, 0.8))
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    enlarging = len(picture) < VIEW.size
    how = cv2.INTER_LINEAR if enlarging else cv2.INTER_AREA
    picture = cv2.resize(picture, (VIEW.size, VIEW.size), interpolation=how)
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.5))
    if rng.random() < 0.1:
        picture = _moved(picture, rng)
    noise = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(0, 0.035))
    picture = np.clip(picture + noise, 0, 1)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        stored = cv2.imencode(".jpg", np.rint(picture * 255).astype(np.uint8), quality)[1]
        picture = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.float32) / np.float32(255)
    return picture


def _moved(picture: Array, rng: np.random.Generator) -> Array:
    """The picture of a camera or a head that moves."""
    length = int(rng.integers(3, 8))
    line = np.zeros((length, length), np.float32)
    along = rng.uniform(-1, 1, 2)
    reach = along / np.abs(along).max() * (length - 1) / 2
    first, last = (np.rint((length - 1) / 2 + s * reach).astype(int).tolist() for s in (-1, 1))
    cv2.line(line, first, last, (1.0,))
    return np.asarray(cv2.filter2D(picture, -1, line / line.sum()), np.float32)


def _noise(rng: np.random.Generator, cells: int, strength: float) -> Array:
    coarse = rng.standard_normal((cells, cells), np.float32) * np.float32(strength)
    return cv2.resize(coarse, (_FINE, _FINE), interpolation=cv2.INTER_CUBIC)[..., None]
