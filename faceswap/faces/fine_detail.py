"""What photos of a person show and the person's network does not generate: pores, single hairs, edges, thin rims.

A decoder trained for minutes generates smooth pictures of some 64 px a face height; the photos that it learnt from have
two to three times as many. For some of these photos the difference to what the network makes of them is kept with the
version. A swap takes it from the photo whose generated face is most like its own
(:mod:`faceswap.swap.compositing.fine_detail_transfer`).
"""

import io
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import RegistryError
from faceswap.files.arrays import read_arrays

STEP = 1 / 254
"""Of the local grey level, that a unit of :attr:`FineDetail.missing` stands for: up to half of it is kept."""
MOST_BYTES = 64 << 20
"""Of the arrays; those of the presets take 2 to 23 MB."""
_LARGEST = 1024
_COARSE = 0.046
"""Standard deviation, face heights, of the Gaussian beyond which a difference is light or colour and no fine detail."""
_BLACK = 0.05
"""Of 1, is added to the level that detail is relative to. Both by eye on a to g."""
_KEY = (32, 40)
"""Columns and rows to which the middle of a face is reduced to look for one like it."""


def likeness_key(grey: NDArray[Any]) -> NDArray[np.float32]:
    """(1280,) float32: the middle of a generated face (g, g), whatever its light; the nearer, the more alike."""
    side = len(grey)
    middle = grey[side // 4 : side - side // 8, side // 4 : side - side // 4].astype(np.float32)
    small = cv2.resize(middle, _KEY, interpolation=cv2.INTER_AREA)
    small -= small.mean()
    return np.asarray(small.reshape(-1) / (small.std() + np.float32(1e-6)))


def coarse_part(grey: NDArray[np.float32], unit: float) -> NDArray[np.float32]:
    """What of a grey picture (s, s) is no fine detail, given px a face height."""
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _COARSE * unit))


def level_of(grey: NDArray[np.float32], unit: float) -> NDArray[np.float32]:
    """(s, s): the level of a grey picture, 0..1, that its fine detail is relative to."""
    return coarse_part(grey, unit) + np.float32(_BLACK)


@dataclass(frozen=True, eq=False)
class FineDetail:
    """The fine detail of photos.

    Attributes:
        generated: (k, g, g) uint8, grey: what the network makes of each photo.
        missing: (k, f, f) int8: what the photo has beyond that in brightness, in :data:`STEP`; 0 where something lies
            over the face. f is one to three times the network's
            side.
        seen: (k, g, g) bool: where nothing lies over the face.
        glasses: (k, g, g) bool: where the photo shows glasses.
    """

    generated: NDArray[np.uint8]
    missing: NDArray[np.int8]
    seen: NDArray[np.bool_]
    glasses: NDArray[np.bool_]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return sum(one.nbytes for one in (self.generated, self.missing, self.seen, self.glasses))

    @cached_property
    def keys(self) -> NDArray[np.float32]:
        """(k, 1280): by which the photo is found whose generated face is most like another."""
        return np.stack([likeness_key(one) for one in self.generated])

    def packed(self) -> bytes:
        """As the bytes of an ``.npz``."""
        file = io.BytesIO()
        np.savez_compressed(
            file, generated=self.generated, missing=self.missing, seen=self.seen, glasses=self.glasses
        )
        return file.getvalue()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Detail from :meth:`packed`.

        Raises:
            RegistryError: it is damaged, too large, or something else.
        """
        try:
            arrays = read_arrays(io.BytesIO(data), MOST_BYTES)
            found = cls(*(arrays[name] for name in ("generated", "missing", "seen", "glasses")))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise RegistryError(f"The fine detail of a version can't be read: {error}") from error
        shapes = found.generated.shape, found.missing.shape
        square = all(len(s) == 3 and s[1] == s[2] and 0 < s[1] <= _LARGEST for s in shapes)
        kinds = found.generated.dtype == np.uint8 and found.missing.dtype == np.int8
        masks = all(m.dtype == np.bool_ and m.shape == shapes[0] for m in (found.seen, found.glasses))
        if not (square and kinds and masks and shapes[0][0] == shapes[1][0] > 0):
            raise RegistryError(f"The fine detail of a version has the shapes {shapes[0]} and {shapes[1]}")
        return found
