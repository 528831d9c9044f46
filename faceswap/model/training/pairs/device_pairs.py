"""Training pairs on the device, in Keras operations.

They are those that :mod:`faceswap.model.training.pairs.host_pairs` makes with OpenCV.

A whole batch at once. Given the same draws the two give the same pictures but for rounding.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from keras import ops
from numpy.typing import NDArray

from faceswap.faces.landmarks import INNER
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.pairs.draws import KNOTS, NOBODY, BatchDraws
from faceswap.model.training.pairs.host_pairs import DARKEN, MIRRORED, SMOOTH
from faceswap.model.training.pairs.resident_faces import FaceArrays, Rows

_MIRRORED = MIRRORED[INNER] - INNER.start


class _Similarity(NamedTuple):
    """Varied crop -> unvaried crop, about its centre; (P, 1, 1) each."""

    cosine: Any
    sine: Any
    scale: Any
    right: Any
    down: Any


class DevicePairs:
    """Makes batches from faces on the device.

    Args:
        data: whose geometry, recipe and number of identities they have.
        side: of the stored crops, see :class:`faceswap.model.training.pairs.resident_faces.Faces`.
        once: gives back arrays and sees to it that they are computed once, not in each of their uses (XLA fuses them).
    """

    def __init__(
        self, data: TrainingData, side: int, once: Callable[[Any], Any] = lambda arrays: arrays
    ) -> None:
        self._once = once
        self.augmentation, self.size, self.side = data.preset.augmentation, data.preset.size, side
        self.shape = len(data.identities), data.preset.batch_size
        makers = [data.makers[name] for name in data.identities]
        self._level = makers[0].face_level
        self._warp_sides = ops.convert_to_tensor(
            np.repeat([m.side for m in makers], self.shape[1]).astype(np.float32)
        )
        self._knots = ops.convert_to_tensor(
            _columns(KNOTS, lambda c: cv2.resize(c, (1, self.size), interpolation=cv2.INTER_CUBIC))
        )
        sigma = self.size / SMOOTH
        blur = _columns(self.size, lambda c: cv2.GaussianBlur(c, (0, 0), sigma))
        self._blur, self._blur_across = ops.convert_to_tensor(blur), ops.convert_to_tensor(blur.T.copy())
        self._axis = ops.arange(self.size, dtype="float32")

    def __call__(
        self, faces: FaceArrays, rows: Rows, draws: BatchDraws, warp: Any
    ) -> tuple[Any, dict[str, Any]]:
        """A batch, as :meth:`faceswap.model.training.dataset.TrainingData.batch` gives it.

        Args:
            faces: on the device.
            rows: (N, n) each: which of them.
            draws: the random numbers, with leading axes (N, n).
            warp: standard deviation of the warp, in sides of the crop.
        """
        count, each = self.shape
        total, size = count * each, self.size
        who = np.repeat(np.arange(count), each)
        pairs = type(draws.pairs)(
            *(ops.reshape(a, (total, *a.shape[2:])) for a in map(ops.convert_to_tensor, draws.pairs))
        )
        row, other = ops.reshape(rows.face, (total,)), ops.reshape(rows.other, (total,))
        similarity = self._similarity(pairs.similarity)
        x, y = self._map(similarity, pairs.mirrored)
        ratio, right, down, last = (_column(ops.take(faces.place[:, i], who, axis=0)) for i in range(4))
        x, y = ratio * x + right, ratio * y + down
        dx, dy = self._warp(pairs.noise, warp * self._warp_sides[:, None, None, None])
        target = self._sample(faces.pixels, row, last, x, y)
        warped = self._sample(faces.pixels, row, last, *self._once((x + dx, y + dy)))
        if self.augmentation.surroundings and count > 1:
            whose = ops.reshape(ops.convert_to_tensor(draws.other), (total,))
            shown = self._around(faces, ops.maximum(whose, 0), other)
            warped = self._placed(warped, shown, whose)
        warped = self._tinted(warped[..., :3] / 255, pairs)
        gain, bias = self._colour(pairs.colour)
        pictures = ops.clip(target[..., :3] / 255 * gain + bias, 0, 1)
        offsets = self._offsets(similarity, pairs.mirrored, ops.take(faces.marks, row, axis=0), faces, who)
        truth = ops.concatenate([pictures, target[..., 3:] / 255], axis=-1)
        return ops.reshape(ops.clip(warped * gain + bias, 0, 1), (count, each, size, size, 3)), {
            "picture": ops.reshape(truth, (count, each, size, size, 4)),
            "shape": ops.reshape(offsets, (count, each, *offsets.shape[1:])),
        }

    def _similarity(self, even: Any) -> _Similarity:
        a = self.augmentation
        angle = _column(even[:, 0]) * float(np.radians(a.rotation))
        right, down = (_column(even[:, i]) * (a.shift * self.size) for i in (2, 3))
        return _Similarity(ops.cos(angle), ops.sin(angle), 1 + _column(even[:, 1]) * a.zoom, right, down)

    def _map(self, s: _Similarity, mirrored: Any) -> tuple[Any, Any]:
        """Where in the unvaried crop each pixel of the varied one lies: 2 x (P, size, size)."""
        centre = (self.size - 1) / 2
        axis = self._axis - centre
        right = ops.where(_column(mirrored), -axis[None, None, :], axis[None, None, :])
        down = axis[None, :, None]
        x = s.scale * (s.cosine * right - s.sine * down) + centre + s.right
        y = s.scale * (s.sine * right + s.cosine * down) + centre + s.down
        return x, y

    def _warp(self, noise: Any, deviation: Any) -> tuple[Any, Any]:
        """Smooth noise, 2 x (P, size, size) px of the stored crop: cubic between the 5 x 5 points."""
        noise = noise * deviation
        # sums of five products, not matrix products: those would be rounded to bfloat16 or TF32
        lines = sum(
            self._knots[:, k, None, None] * noise[:, k][:, None] for k in range(KNOTS)
        )  # (P, s, 5, 2)
        dx, dy = (
            sum(lines[:, :, k, i][:, :, None] * self._knots[:, k] for k in range(KNOTS)) for i in range(2)
        )
        return dx, dy

    def _sample(self, pixels: Any, row: Any, last: Any, x: Any, y: Any) -> Any:
        """The crops of ``row`` (P,) at the places x, y (P, h, w), bilinearly, in whole grey levels: (P, h, w, 4).

        Beyond the border lie the border's pixels, ``last`` (P, 1, 1) being the last.
        """
        x, y = ops.clip(x, 0.0, last), ops.clip(y, 0.0, last)
        left, top = ops.floor(x), ops.floor(y)
        fx, fy = x - left, y - top
        right, bottom = (ops.cast(ops.minimum(a + 1, last), "int32") for a in (left, top))
        left, top = ops.cast(left, "int32"), ops.cast(top, "int32")
        first = _column(row) * (self.side * self.side)
        upper, lower = first + top * self.side, first + bottom * self.side
        corners = [
            ops.take(pixels, at, axis=0) for at in (upper + left, upper + right, lower + left, lower + right)
        ]
        weights = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy]
        channels = [
            sum(_byte(corner, place) * weight for corner, weight in zip(corners, weights, strict=True))
            for place in range(4)
        ]
        return ops.round(ops.stack(channels, axis=-1))

    def _around(self, faces: FaceArrays, who: Any, row: Any) -> Any:
        """Other identities' unvaried crops (P, size, size, 3)."""
        ratio, right, down, last = (_column(ops.take(faces.place[:, i], who, axis=0)) for i in range(4))
        axis = self._axis
        flat = ops.zeros((self.size, self.size))
        x, y = ratio * (axis[None, None, :] + flat) + right, ratio * (axis[None, :, None] + flat) + down
        return self._sample(faces.pixels, row, last, x, y)[..., :3]

    def _placed(self, own: Any, around: Any, whose: Any) -> Any:
        """Faces in the surroundings of others where there are any; 0..255."""
        inside = ops.cast(own[..., 3] > self._level, "float32")
        inside = ops.matmul(ops.matmul(self._blur, inside), self._blur_across)[..., None]
        mixed = inside * own[..., :3] + (1 - inside) * around
        return ops.where(_column(whose)[..., None] == NOBODY, own[..., :3], mixed)

    def _tinted(self, picture: Any, pairs: Any) -> Any:
        strength = self.augmentation.tint
        if not strength:
            return picture
        tint = pairs.tint[:, None, None, :]
        picture = picture * (1 + strength * tint[..., :3]) + tint[..., 3:] * (strength * DARKEN)
        grey = ops.mean(picture, axis=-1, keepdims=True)
        return grey + _column(pairs.fade)[..., None] * (picture - grey)

    def _colour(self, even: Any) -> tuple[Any, Any]:
        even = even[:, None, None, :] * self.augmentation.colour
        return 1 + even[..., :1] + even[..., 1:4] / 2, even[..., 4:] / 2

    def _offsets(
        self, s: _Similarity, mirrored: Any, marks: Any, faces: FaceArrays, who: NDArray[np.int64]
    ) -> Any:
        """The varied crops' landmarks from the neutral ones, (P, 51, 2), in sides of the crop."""
        centre = (self.size - 1) / 2
        cosine, sine, scale, right, down = (part[:, 0] for part in s)
        x, y = marks[..., 0] - centre - right, marks[..., 1] - centre - down
        x, y = (cosine * x + sine * y) / scale + centre, (cosine * y - sine * x) / scale + centre
        neutral = ops.take(faces.neutral, who, axis=0)
        plain = ops.stack([x - neutral[..., 0], y - neutral[..., 1]], axis=-1)
        flipped = ops.take(ops.stack([neutral[..., 0] - x, y - neutral[..., 1]], axis=-1), _MIRRORED, axis=1)
        return ops.where(_column(mirrored), flipped, plain) / self.size


def _byte(packed: Any, place: int) -> Any:
    return ops.cast(ops.bitwise_and(ops.right_shift(packed, 8 * place), 255), "float32")


def _column(values: Any) -> Any:
    return ops.reshape(ops.convert_to_tensor(values), (-1, 1, 1))


def _columns(count: int, change: Any) -> NDArray[np.float32]:
    """The matrix of a linear map of columns, (result, count), as OpenCV computes it."""
    return np.hstack([change(np.eye(count, dtype=np.float32)[:, i : i + 1].copy()) for i in range(count)])
