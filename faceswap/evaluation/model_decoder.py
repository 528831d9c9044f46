"""One decoder of a model in memory, measured and used as a registered version's would be."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from faceswap.evaluation.protocol import spaced
from faceswap.faces.crispness import UNMEASURED
from faceswap.faces.faceset import FaceSet
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry
from faceswap.inference.code_range import CodeRange
from faceswap.inference.code_range_layer import Within
from faceswap.inference.expression_readings import expression_readings
from faceswap.model.networks.architecture import split_encoder
from faceswap.model.training.autoencoders import Autoencoders
from faceswap.model.training.more_views import ONLY_PICTURES, MoreViews

_CODES = 200
"""Faces by which the range of an identity's codes is found."""
_BATCH = 32
"""Crops that are encoded in one call."""


@dataclass(frozen=True)
class OwnCrops:
    """An identity's faces as the network reads them: two times (n, s, s, 3) uint8 RGB."""

    train: NDArray[np.uint8]
    heldout: NDArray[np.uint8]

    @classmethod
    def of(cls, faces: FaceSet, geometry: Geometry, views: MoreViews = ONLY_PICTURES) -> "OwnCrops":
        """At most 200 of each split, spaced over it.

        Args:
            faces: of the identity.
            geometry: of the network's crop.
            views: what the identity is learnt from besides.
        """
        return cls(*(_crops(faces, split, geometry, views) for split in ("train", "heldout")))


def _crops(faces: FaceSet, split: str, geometry: Geometry, views: MoreViews) -> NDArray[np.uint8]:
    landmarks = faces.landmarks(split)
    rows = spaced(len(landmarks), _CODES)
    images, landmarks = views.added_to(faces.images(split, rows), landmarks[rows], faces.geometry)
    crops = [geometry.crop(i, geometry.matrix(m)) for i, m in zip(images, landmarks, strict=True)]
    return np.stack(crops) if crops else np.empty((0, geometry.size, geometry.size, 3), np.uint8)


class ModelDecoder:
    """One decoder of a model in memory, as the network that a swapper wants.

    Args:
        model: trained, or in training.
        index: of the decoder.
        own: faces of its identity, by which the range of its codes is found.

    It has no fine detail: in a training measures are of the network alone.

    Attributes:
        codes: that range; None where there are no held-out faces to find it by.
    """

    crispness = UNMEASURED
    fine_detail: FineDetail | None = None

    def __init__(self, model: Autoencoders, index: int, own: OwnCrops) -> None:
        self.geometry = model.preset.geometry
        self._decoder = model.decoders[index]
        self._to_code, self._to_features = split_encoder(model.encoder)
        self.codes = CodeRange.fit(
            self._codes(own.train), self._codes(own.heldout), expression_readings(model)
        )
        self._within = Within(self.codes) if self.codes else None

    def _codes(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [self._code(crops[i : i + _BATCH]) for i in range(0, len(crops), _BATCH)]
        found = [np.asarray(ops.convert_to_numpy(ops.cast(part, "float32"))) for part in parts]
        return np.concatenate(found) if found else np.empty((0, self._to_code.output.shape[-1]), np.float32)

    def _code(self, crops: NDArray[np.uint8]) -> Any:
        return self._to_code(crops.astype(np.float32) / 255, training=False)

    @property
    def packed_codes(self) -> str:
        """The range of codes as a version's card holds it."""
        return self.codes.pack() if self.codes else ""

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, s, s, 3) uint8 RGB -> (n, s, s, 3) float32 RGB in 0..1."""
        code = self._code(crops)
        if self._within:
            code = self._within(code)
        generated = self._decoder(self._to_features(code, training=False), training=False)
        return np.asarray(ops.convert_to_numpy(generated), np.float32)
