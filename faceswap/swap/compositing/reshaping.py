"""The target's head takes the outline of the generated face: cheeks and jaw move to where the reference's would be.

A mask can replace only what lies inside of both faces. Where the reference's face is narrower, the target's cheeks stay
beside it; where it is wider, it is cut off: both cost likeness. So the picture around a face moves along the rays from
the face's middle, at the outline by as much as the two outlines differ, and less and less further out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Matrix, Points, apply, invert, scale_of
from faceswap.faces.landmarks import INNER, JAW
from faceswap.faces.regions import Region
from faceswap.faces.smoothing import smoothstep

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReshapingTuning:
    """Constants of reshaping, in radii of the outline unless said otherwise; not measured."""

    largest_change: float = 0.2
    """Largest change of the outline: beyond it the surroundings would look bent."""
    reach: float = 0.9
    """How far outside of the outline the picture moves."""
    inside: float = 0.5
    """How far inside it moves: only the swap's soft edge shows it."""
    least_reach: float = 0.2
    """Where another face is nearer than this, nothing moves."""
    taper: float = float(np.radians(40))
    """Angle above the jaw's ends, at the ears, over which the change fades: forehead and hair stay. Radians."""
    smoothing: tuple[float, ...] = (1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9)
    """Weights of neighbouring points of the jaw: single ones are noisy."""
    still: float = 0.01
    """Moves below this, in px, are none: a bilinear sample would change by less than can be seen."""
    grid: int = 64
    """The map is computed at so many places along each side and enlarged: it is smooth, however large the face."""
    band: int = 8
    """Rows of that grid of which as many columns are moved as any of them needs: the face's middle and the corners of
    the region stay."""


TUNING = ReshapingTuning()


class Reshaping:
    """The map from the target's outline to the generated face's.

    Args:
        landmarks, generated: (68, 2) in the frame, of the target and of the generated face.
        matrix: frame -> crop; the crop's up is the face's.
        strength: share of the difference, 0..1.
        others: (68, 2) landmarks of the other faces of the frame, which stay as they are.
    """

    def __init__(
        self,
        landmarks: Points,
        generated: Points,
        matrix: Matrix,
        strength: float = 1.0,
        others: Sequence[Points] = (),
    ) -> None:
        self._matrix = matrix
        target, goal = apply(matrix, landmarks), apply(matrix, generated)
        self._middle = target[INNER].mean(axis=0)
        self._angles, self._radii = self._outline(goal)
        own = np.interp(self._angles, *self._outline(target))
        self._reach = self._free(others)
        # the map must not fold: its slope outside is at most 1.5 most / reach
        most = min(TUNING.largest_change, self._reach / 2) if self._reach >= TUNING.least_reach else 0.0
        change = np.clip(own / self._radii - 1, -most, most) * strength
        padded = np.pad(change, len(TUNING.smoothing) // 2, mode="edge")
        self._change = np.convolve(padded, TUNING.smoothing, mode="valid")

    def apply(self, image: NDArray[np.uint8]) -> None:
        """Reshape a frame (H, W, 3) uint8 in place."""
        region = self.region(image.shape[1], image.shape[0])
        if region.empty or not self._change.any():
            return
        columns, rows = (max(2, min(n, TUNING.grid)) for n in (region.width, region.height))
        # pixel centres of the coarser grid, as cv2.resize has them
        xs = (np.arange(columns) + 0.5) * region.width / columns - 0.5 + region.left
        ys = (np.arange(rows) + 0.5) * region.height / rows - 0.5 + region.top
        grid = np.stack(np.meshgrid(xs, ys), axis=-1)
        moves = (self.sources(grid) - grid).astype(np.float32)
        moving = np.abs(moves).max(axis=-1) > TUNING.still
        if not moving.any():
            return
        before = image[region.slices].copy()
        moves = cv2.resize(moves, (region.width, region.height), interpolation=cv2.INTER_LINEAR)
        for part in _parts(moving, region.width, region.height):
            x = moves[*part.slices, 0] + np.arange(part.left, part.right, dtype=np.float32)
            y = moves[*part.slices, 1] + np.arange(part.top, part.bottom, dtype=np.float32)[:, None]
            # what moves in from beyond the frame is a mirror image, which hardly shows; repeated borders are stripes
            image[region.slices][part.slices] = cv2.remap(
                before, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
            )

    def sources(self, points: Points) -> Points:
        """Where in the frame the picture at each point (..., 2) of the reshaped frame comes from."""
        crop = points @ self._matrix[:, :2].T + self._matrix[:, 2]
        angle, radius = self._polar(crop)
        outline = np.interp(angle, self._angles, self._radii)
        depth = radius / outline  # 1 on the outline
        weight = np.where(
            depth < 1,
            smoothstep((depth - 1 + TUNING.inside) / TUNING.inside),
            1 - smoothstep((depth - 1) / self._reach),
        )
        factor = 1 + self._change_at(angle) * weight / np.maximum(depth, 1e-6)
        back = invert(self._matrix)
        return np.asarray(
            (self._middle + (crop - self._middle) * factor[..., None]) @ back[:, :2].T + back[:, 2]
        )

    def moved(self, landmarks: Points) -> Points:
        """The target's (68, 2) landmarks in the reshaped frame: the jaw lies elsewhere, the rest where it was."""
        jaw = apply(self._matrix, landmarks[JAW]) - self._middle
        change = self._change_at(np.arctan2(jaw[:, 0], jaw[:, 1]))
        result = landmarks.copy()
        result[JAW] = apply(invert(self._matrix), self._middle + jaw / (1 + change)[:, None])
        return result

    def region(self, width: int, height: int) -> Region:
        """The part of a frame of that size in which the picture may move."""
        radius = float(self._radii.max()) * (1 + self._reach) / scale_of(self._matrix)
        x, y = apply(invert(self._matrix), self._middle[None])[0]
        left, right = np.clip((np.floor(x - radius), np.ceil(x + radius) + 1), 0, width).astype(int)
        top, bottom = np.clip((np.floor(y - radius), np.ceil(y + radius) + 1), 0, height).astype(int)
        return Region(int(left), int(top), int(right), int(bottom))

    def _change_at(self, angle: Floats) -> Floats:
        """The change at an angle, in radii; faded above the jaw's ends."""
        above = np.maximum(self._angles[0] - angle, angle - self._angles[-1])
        faded = np.interp(angle, self._angles, self._change) * (1 - smoothstep(above / TUNING.taper))
        return np.asarray(faded, np.float64)

    def _outline(self, points: Points) -> tuple[Floats, Floats]:
        """The jaw of landmarks in the crop: rising angles, and the radius at each."""
        angles, radii = self._polar(points[JAW])
        order = np.argsort(angles)
        return angles[order], np.maximum(radii[order], 1e-6)

    def _polar(self, points: Points) -> tuple[Floats, Floats]:
        """Angle (0 is down, positive to the crop's right) and radius of points (..., 2) of the crop."""
        x, y = np.moveaxis(points - self._middle, -1, 0)
        return np.arctan2(x, y), np.hypot(x, y)

    def _free(self, others: Sequence[Points]) -> float:
        """How far the picture may move without moving another face, in radii of the outline."""
        reach = TUNING.reach
        for points in others:
            angle, radius = self._polar(apply(self._matrix, points))
            depth = radius / np.interp(angle, self._angles, self._radii)
            reach = min(reach, float(depth.min()) - 1)
        return reach


def _parts(moving: NDArray[np.bool_], width: int, height: int) -> Iterator[Region]:
    """Rectangles of width x height pixels that hold all that the places of a coarser grid (rows, columns) move."""
    rows, columns = moving.shape
    # enlarged bilinearly, a place reaches to the centres of its neighbours
    reached = cv2.dilate(moving.astype(np.uint8), np.ones((3, 3), np.uint8))
    for top in range(0, rows, TUNING.band):
        bottom = min(top + TUNING.band, rows)
        ends = np.flatnonzero(np.diff(reached[top:bottom].max(axis=0), prepend=0, append=0))
        for left, right in ends.reshape(-1, 2).tolist():
            yield Region(
                left * width // columns,
                top * height // rows,
                -(-right * width // columns),
                -(-bottom * height // rows),
            )
