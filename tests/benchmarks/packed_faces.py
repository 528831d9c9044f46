"""Face sets as one file each, to be carried to a machine that has neither dlib nor MLflow nor a network."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points
from faceswap.model.training.face_weights import Seen


def pack(
    folder: Path,
    identity: str,
    images: NDArray[np.uint8],
    landmarks: Points,
    heldout: NDArray[np.bool_],
    geometry: Geometry,
    seen: NDArray[np.float32] | None = None,
) -> Path:
    """Write ``<identity>.npz``: crops as JPEG (quality 92), landmarks, split, geometry, and where faces are seen.

    ``seen``, (n, S, S) in 0..1, is kept as half-size PNG: a fringe is not learnt; None: everywhere.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, 92]
    files = [cv2.imencode(".jpg", image[..., ::-1], options)[1].ravel() for image in images]
    shown = np.ones(images.shape[:3], np.float32) if seen is None else seen
    halves = [cv2.resize(np.rint(one * 255).astype(np.uint8), None, fx=0.5, fy=0.5) for one in shown]
    masks = [cv2.imencode(".png", half)[1].ravel() for half in halves]
    path = folder / f"{identity}.npz"
    np.savez(
        path,
        files=np.concatenate(files),
        ends=np.cumsum([len(file) for file in files]),
        masks=np.concatenate(masks),
        mask_ends=np.cumsum([len(mask) for mask in masks]),
        landmarks=landmarks,
        heldout=heldout,
        geometry=np.array([geometry.size, geometry.coverage, geometry.centre]),
    )
    return path


class PackedFaces:
    """A packed face set, as :class:`faceswap.model.training.dataset.TrainingData` reads it.

    Args:
        path: written by :func:`pack`.
        enlarge: crops are enlarged so many times: to time presets that draw more pixels.
    """

    def __init__(self, path: Path, enlarge: float = 1.0) -> None:
        with np.load(path, allow_pickle=False) as stored:
            size, coverage, centre = stored["geometry"].tolist()
            side = round(size * enlarge)
            self.geometry = Geometry(side, coverage, centre)
            crops = _decoded(stored["files"], stored["ends"], cv2.IMREAD_COLOR)
            self._seen = np.stack(_decoded(stored["masks"], stored["mask_ends"], cv2.IMREAD_GRAYSCALE))
            if enlarge != 1:
                crops = [cv2.resize(crop, (side, side)) for crop in crops]
            self._images = np.stack(crops)[..., ::-1]
            self._landmarks = (stored["landmarks"] + 0.5) * enlarge - 0.5
            self._heldout = stored["heldout"]

    def _rows(self, split: str | None) -> NDArray[np.bool_]:
        every = np.ones_like(self._heldout)
        return {None: every, "train": ~self._heldout, "heldout": self._heldout}[split]

    def images(self, split: str | None = None, rows: np.ndarray | None = None) -> NDArray[np.uint8]:
        """(n, S, S, 3) uint8 RGB."""
        found = np.ascontiguousarray(self._images[self._rows(split)])
        return found if rows is None else found[rows]

    def landmarks(self, split: str | None = None) -> Points:
        """(n, 68, 2) in the crops' pixels."""
        return np.asarray(self._landmarks[self._rows(split)])

    def seen(self, split: str, side: int) -> NDArray[np.float32]:
        """(n, side, side) in 0..1: where the faces are seen."""
        masks = self._seen[self._rows(split)]
        return np.stack([cv2.resize(one, (side, side)) for one in masks]).astype(np.float32) / np.float32(255)


def seen_of(sets: Mapping[str, PackedFaces]) -> Seen:
    """What :class:`faceswap.model.training.dataset.TrainingData` asks, of one set's training faces after another's."""
    coming = iter(sets.values())
    return lambda crops, _: next(coming).seen("train", crops.shape[1])


def _decoded(files: NDArray[np.uint8], ends: NDArray[np.int64], flags: int) -> list[NDArray[np.uint8]]:
    starts = [0, *ends[:-1]]
    return [cv2.imdecode(files[a:b], flags) for a, b in zip(starts, ends, strict=True)]  # type: ignore[misc]
