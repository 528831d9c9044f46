"""Face sets made of numbers, so that training tests need neither dlib nor files."""

import numpy as np

from faceswap.faces.geometry import TEMPLATE, Geometry

GEOMETRY = Geometry(152, 2.6, -0.25)


def landmarks_in_crop(geometry: Geometry = GEOMETRY) -> np.ndarray:
    """(68, 2): the mean face in a crop, its jaw an arc from ear to ear."""
    angles = np.linspace(np.pi, 0, 17)
    jaw = np.column_stack([0.62 * np.cos(angles), -0.25 + 0.9 * np.sin(angles)])
    return np.vstack([jaw, TEMPLATE]) * geometry.unit + geometry.middle


class FakeFaces:
    """``count`` faces of one colour with a bright mouth that opens with the index; every fifth is held out."""

    def __init__(self, identity: str, colour: tuple[int, int, int], count: int = 20) -> None:
        self.identity, self.geometry = identity, GEOMETRY
        self._marks = np.stack([landmarks_in_crop()] * count)
        mouth = self._marks[0, 60:68].mean(0).round().astype(int)
        rng = np.random.default_rng(len(identity))
        self._images = np.empty((count, GEOMETRY.size, GEOMETRY.size, 3), np.uint8)
        self._images[:] = colour
        self._images += rng.integers(0, 12, self._images.shape, dtype=np.uint8)
        for index, image in enumerate(self._images):
            half = 1 + index % 5
            image[mouth[1] - half : mouth[1] + half, mouth[0] - 6 : mouth[0] + 6] = 255
        self._held = np.arange(count) % 5 == 4

    def _rows(self, split: str | None) -> np.ndarray:
        return {None: np.ones_like(self._held), "train": ~self._held, "heldout": self._held}[split]

    def images(self, split: str | None = None, rows: np.ndarray | None = None) -> np.ndarray:
        found = self._images[self._rows(split)]
        return found if rows is None else found[rows]

    def landmarks(self, split: str | None = None) -> np.ndarray:
        return self._marks[self._rows(split)]
