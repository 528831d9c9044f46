"""Training pairs: (warped input, target) of the same crop.

Both pictures of a pair are sampled from the stored crop through the same map; the input's map has smooth
noise added. With the noise at zero the two are identical to the pixel. (A pair that is off by a few per cent
in scale ruins the transfer of expression.)
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Matrix, Points, apply, compose, invert
from faceswap.faces.landmarks import INNER
from faceswap.model.presets import Augmentation
from faceswap.model.training.pairs.draws import PairDraws

Array = NDArray[Any]
SMOOTH = 48
"""The edge of a face that is laid into other surroundings is blurred by this part of the crop's side."""
DARKEN = 0.4
"""Of the tint's strength: how much the brightness changes."""

MIRRORED = np.array(
    [
        *(*range(16, -1, -1), *range(26, 16, -1)),  # jaw, brows
        *(27, 28, 29, 30, *range(35, 30, -1)),  # nose
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),  # eyes
        *(*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1)),  # lips
    ]
)
"""Which of the 68 landmarks each one becomes in a mirror."""


def mirror(landmarks: Points, size: int) -> Points:
    """(68, 2) landmarks of the mirrored crop."""
    return np.column_stack([size - 1 - landmarks[:, 0], landmarks[:, 1]])[MIRRORED]


class PairMaker:
    """Draws training pairs from stored crops of one geometry.

    Args:
        source: geometry of the stored crops (with margin).
        target: geometry of the network.
        augmentation: what to vary, and how much.
        face_level: a crop's fourth channel, 0..255, is above this on the face.
    """

    def __init__(
        self, source: Geometry, target: Geometry, augmentation: Augmentation, face_level: float = 0.0
    ) -> None:
        self.target, self.augmentation, self.face_level = target, augmentation, face_level
        # Shrink once by area so that bilinear sampling does not alias: 1.2 source pixels an output pixel.
        side = round(target.unit * source.coverage * 1.2)
        self.source = source.at(min(source.size, side))
        self.base = invert(target.from_crop(self.source))  # network crop -> stored crop
        self.side = self.source.size * target.coverage / self.source.coverage  # of the network's crop
        axis = np.arange(target.size, dtype=np.float32)
        self._x, self._y = np.meshgrid(axis, axis)

    def prepare(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Shrink stored crops (n, S, S, c) to the size that pairs are drawn from (n, s, s, c)."""
        side = self.source.size
        if crops.shape[1] == side or not len(crops):
            return crops
        return np.stack([cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA) for crop in crops])

    def plain(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The network's crop (size, size, c) of a prepared crop, without augmentation."""
        return self.sample(crop, *self._map(self.base))

    def plain_landmarks(self, landmarks: Points, source: Geometry) -> Points:
        """(n, 68, 2) landmarks of crops stored with ``source``, in the network's unvaried crop."""
        return apply(self.target.from_crop(source), landmarks.reshape(-1, 2)).reshape(landmarks.shape)

    def pair(
        self,
        crop: NDArray[np.uint8],
        landmarks: Points,
        neutral: Points,
        draws: PairDraws,
        warp: float | None = None,
        around: NDArray[np.uint8] | None = None,
    ) -> tuple[Array, Array, Array]:
        """One training pair.

        Args:
            crop: (s, s, 3 + k) uint8: a prepared crop; channels after the third (weights) follow the target.
            landmarks: (68, 2) in the network's unvaried crop, see :meth:`plain_landmarks`.
            neutral: (68, 2) the identity's mean landmarks in the unvaried crop.
            draws: the only source of randomness.
            warp: standard deviation of the input's warp, in sides of the crop; None: the augmentation's.
            around: (size, size, 3) uint8: the network's crop of another identity, whose surroundings the input
                gets; ``crop`` has its weights then, and the face where they are above ``face_level``.

        Returns:
            the warped input (size, size, 3), the target (size, size, 3 + k), both float32 in 0..1, and the
            target's (51, 2) inner landmarks as offsets from the neutral ones, in sides of the crop: pose and
            expression without the identity's own proportions.
        """
        variation, x, y = self.vary(draws)
        shape = apply(invert(variation), landmarks)
        if draws.mirrored:
            x, y = x[:, ::-1], y[:, ::-1]
            shape, neutral = mirror(shape, self.target.size), mirror(neutral, self.target.size)
        dx, dy = self.warp(draws, self.augmentation.warp if warp is None else warp)
        target = self.sample(crop, x, y).astype(np.float32) / 255
        if around is None:
            warped = self.sample(crop[..., :3], x + dx, y + dy).astype(np.float32) / 255
        else:
            warped = self._placed(self.sample(crop, x + dx, y + dy), around)
        warped = self.tinted(warped, draws)
        gain, bias = self.colour(draws)
        target[..., :3] = np.clip(target[..., :3] * gain + bias, 0, 1)
        offsets = (shape[INNER] - neutral[INNER]) / self.target.size
        return np.clip(warped * gain + bias, 0, 1), target, offsets.astype(np.float32)

    def vary(self, draws: PairDraws) -> tuple[Matrix, Array, Array]:
        """A random similarity (varied crop -> unvaried crop), and where in the prepared crop each pixel lies."""
        variation = self._similarity(draws)
        return variation, *self._map(compose(self.base, variation))

    def _map(self, matrix: Matrix) -> tuple[Array, Array]:
        m = matrix.astype(np.float32)
        return m[0, 0] * self._x + m[0, 1] * self._y + m[0, 2], m[1, 0] * self._x + m[1, 1] * self._y + m[
            1, 2
        ]

    @staticmethod
    def sample(crop: NDArray[np.uint8], x: Array, y: Array) -> NDArray[np.uint8]:
        """The crop (s, s, c) uint8 at the places ``x``, ``y`` (h, w): (h, w, c) uint8."""
        x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
        return cv2.remap(crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def _similarity(self, draws: PairDraws) -> Matrix:
        a, size = self.augmentation, self.target.size
        rotation, zoom, *shift = draws.similarity.astype(np.float64)
        angle, scale = np.radians(rotation * a.rotation), 1 + zoom * a.zoom
        linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        centre = np.full(2, (size - 1) / 2)
        moved = np.array(shift) * a.shift * size
        return np.hstack([linear, (centre + moved - linear @ centre)[:, None]])

    def warp(self, draws: PairDraws, deviation: float) -> tuple[Array, Array]:
        """Smooth noise for the input's map, 2 x (size, size) float32, px of the prepared crop; deviation in sides."""
        noise = draws.noise * np.float32(deviation * self.side)
        size = self.target.size
        field = cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
        return field[..., 0], field[..., 1]

    def _placed(self, own: NDArray[np.uint8], around: NDArray[np.uint8]) -> Array:
        """The face of one crop (h, w, 4) in the surroundings of another (h, w, 3): (h, w, 3) float32 in 0..1."""
        inside = (own[..., 3] > self.face_level).astype(np.float32)
        inside = cv2.GaussianBlur(inside, (0, 0), self.target.size / SMOOTH)[..., None]
        mixed = inside * own[..., :3] + (1 - inside) * around
        return np.asarray(mixed / 255, np.float32)

    def tinted(self, picture: Array, draws: PairDraws) -> Array:
        """An input (h, w, 3) in another light: each channel's gain, and the brightness; not clipped."""
        strength = np.float32(self.augmentation.tint)
        if not strength:
            return picture
        picture = picture * (1 + strength * draws.tint[:3]) + draws.tint[3] * strength * np.float32(DARKEN)
        if draws.fade < 1:
            grey = picture.mean(axis=-1, keepdims=True)
            picture = grey + draws.fade * (picture - grey)
        return picture

    def colour(self, draws: PairDraws) -> tuple[Array, Array]:
        """A random gain (3,) and bias (1,), float32."""
        common, channels, bias = np.split(draws.colour * np.float32(self.augmentation.colour), [1, 4])
        return 1 + common + channels / 2, bias / 2
