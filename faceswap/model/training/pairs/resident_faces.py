"""All identities' prepared crops as plain arrays, as the device's pairs read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.landmarks import INNER
from faceswap.model.training.dataset import TrainingData
from faceswap.model.training.pairs.draws import NOBODY, BatchDraws


class FaceArrays(NamedTuple):
    """What lies on the device. F faces of N identities, crops of S x S px.

    Attributes:
        pixels: (F * S * S,) int32: red, green, blue and weight of a pixel as the bytes of one number, so that a
            pixel is read at once.
        marks: (F, 51, 2) float32: inner landmarks in the network's unvaried crop, px.
        place: (N, 4) float32: network crop to stored crop (ratio, shift right and down in px), last row and column of
            the crop.
        neutral: (N, 51, 2) float32: the identities' mean landmarks.
    """

    pixels: Any
    marks: Any
    place: Any
    neutral: Any


class Rows(NamedTuple):
    """Which faces of :class:`FaceArrays` the pairs are made of: (…, N, n) int32 each; nobody is 0."""

    face: Any
    other: Any


@dataclass(frozen=True)
class Faces:
    """The faces on the host.

    Attributes:
        side: of the stored crops; smaller ones are padded, and nothing is read there.
        first: (N,) row of each identity's first face.
    """

    side: int
    crops: list[NDArray[np.uint8]]
    first: NDArray[np.int64]
    marks: NDArray[np.float32]
    place: NDArray[np.float32]
    neutral: NDArray[np.float32]

    @classmethod
    def of(cls, data: TrainingData) -> "Faces":
        """Those that a training learns from."""
        makers = [data.makers[name] for name in data.identities]
        marks = [data.landmarks[name][:, INNER] for name in data.identities]
        counts = [len(data.train[name]) for name in data.identities]
        return cls(
            side=max(maker.source.size for maker in makers),
            crops=[data.train[name] for name in data.identities],
            first=np.cumsum([0, *counts[:-1]]),
            marks=np.concatenate(marks).astype(np.float32),
            place=np.array([(m.base[0, 0], *m.base[:, 2], m.source.size - 1) for m in makers], np.float32),
            neutral=np.stack([m.mean(axis=0) for m in marks]).astype(np.float32),
        )

    @property
    def nbytes(self) -> int:
        """What they take on the device."""
        return len(self.marks) * (self.side**2 * 4 + 51 * 2 * 4)

    @property
    def addressable(self) -> bool:
        """Whether a pixel's number fits into 32 bits, as the device counts."""
        return len(self.marks) * self.side**2 < 2**31

    def rows(self, draws: BatchDraws) -> Rows:
        """The faces that batches are drawn from; the draws' arrays may have further leading axes."""
        own = self.first[:, None] + draws.face
        other = self.first[np.maximum(draws.other, 0)] + draws.other_face
        return Rows(own.astype(np.int32), np.where(draws.other == NOBODY, 0, other).astype(np.int32))

    def arrays(self, rows: Sequence[int] | NDArray[Any] | None = None, capacity: int = 0) -> FaceArrays:
        """What goes to the device.

        Args:
            rows: only these faces, in this order; None: all.
            capacity: the arrays have place for so many faces at least.
        """
        chosen = np.arange(len(self.marks)) if rows is None else np.asarray(rows)
        pixels = np.zeros((max(len(chosen), capacity), self.side, self.side, 4), np.uint8)
        whose = np.searchsorted(self.first, chosen, side="right") - 1
        for place, (row, who) in enumerate(zip(chosen, whose, strict=True)):
            crop = self.crops[who][row - self.first[who]]
            pixels[place, : crop.shape[0], : crop.shape[1]] = crop
        marks = np.zeros((len(pixels), *self.marks.shape[1:]), np.float32)
        marks[: len(chosen)] = self.marks[chosen]
        return FaceArrays(pixels.view("<i4").reshape(-1), marks, self.place, self.neutral)
