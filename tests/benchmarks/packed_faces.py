"""Face sets as one file each, to be carried to a machine that has neither dlib nor MLflow nor a network."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points


def pack(
    folder: Path,
    identity: str,
    images: NDArray[np.uint8],
    landmarks: Points,
    heldout: NDArray[np.bool_],
    geometry: Geometry,
) -> Path:
    """Write ``<identity>.npz``: the crops as JPEG (quality 92), landmarks, split, geometry."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 92]
    files = [cv2.imencode(".jpg", image[..., ::-1], options)[1].ravel() for image in images]
    path = folder / f"{identity}.npz"
    np.savez(
        path,
        files=np.concatenate(files),
        ends=np.cumsum([len(file) for file in files]),
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
            starts = [0, *stored["ends"][:-1]]
            files = stored["files"]
            crops = [
                cv2.imdecode(files[a:b], cv2.IMREAD_COLOR)
                for a, b in zip(starts, stored["ends"], strict=True)
            ]
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
