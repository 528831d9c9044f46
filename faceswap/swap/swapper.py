"""The swapper: detector, geometry, network and blending as one object."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.detection import Box, Face
from faceswap.faces.geometry import Matrix, Points
from faceswap.provenance.label import stamp
from faceswap.swap.blending import blend, sharpen, uncrop
from faceswap.swap.colour import fit_colours
from faceswap.swap.masks import face_height, face_mask, region_of, skin_in_crop
from faceswap.swap.network import FaceNetwork
from faceswap.swap.options import SwapOptions

Skipped = Literal["too small", "too many", "another person", "outside the frame", "broken landmarks"]


class Finder(Protocol):
    """What the swapper wants of a face detector."""

    def find(self, frame: NDArray[np.uint8], hint: Box | None = None) -> list[Face]:
        """The faces of a frame, largest first; with a hint only those near it, where there are any."""

    def embed(self, frame: NDArray[np.uint8], landmarks: Points) -> NDArray[np.float64]:
        """(128,) what identifies a face."""


@dataclass(frozen=True)
class SwappedFace:
    """What became of one face of a frame."""

    face: Face
    matrix: Matrix | None = None
    """(2, 3) from frame to crop; None where there is none (broken landmarks)."""
    area: float = 0.0
    """Pixels of the frame that were replaced, partly replaced ones by their share."""
    skipped: Skipped | None = None
    """Why it was left alone; None: it was swapped."""


@dataclass(frozen=True)
class SwapResult:
    """A frame after the swap."""

    image: NDArray[np.uint8]
    """(H, W, 3) uint8 RGB, as large as the frame."""
    faces: list[SwappedFace] = field(default_factory=list)
    """All faces that were found, swapped or not; empty where there was none."""

    @property
    def swapped(self) -> int:
        """How many faces were swapped."""
        return sum(face.skipped is None for face in self.faces)


class Swapper:
    """Puts the network's identity on faces.

    Args:
        network: makes crops of the reference from crops of the target.
        finder: finds the faces (and embeds them, where ``match`` is given).
        options: mask, colour, label, limits.
        match: (128,) embedding of the one person whose face is swapped; None swaps every face. The nearest face
            within ``options.match_threshold`` is taken. Costs one embedding per face and frame (about 125 ms).
    """

    def __init__(
        self,
        network: FaceNetwork,
        finder: Finder,
        options: SwapOptions | None = None,
        *,
        match: NDArray[np.float64] | None = None,
    ) -> None:
        self.network = network
        self.finder = finder
        self.options = options or SwapOptions()
        self.match = match

    def swap(self, frame: NDArray[np.uint8]) -> SwapResult:
        """Find the faces of a frame and swap them.

        Args:
            frame: (H, W, 3) uint8 RGB; it is not changed.

        Returns:
            the new frame, labelled where a face was swapped and ``options.label`` is on, and what became of each
            face. A frame without a face comes back as it is.
        """
        faces = self.finder.find(frame)
        return self.apply(frame, faces, self.select(frame, faces))

    def select(self, frame: NDArray[np.uint8], faces: Sequence[Face]) -> list[Skipped | None]:
        """For each face why it is to be left alone, or None for those to swap."""
        if self.match is None:
            return [None] * len(faces)
        return self.choose([self.distance(frame, face) for face in faces])

    def distance(self, frame: NDArray[np.uint8], face: Face) -> float:
        """Embedding distance of a face to the chosen person; same person below about 0.6.

        Raises:
            FaceError: nobody was chosen (``match`` is None).
        """
        if self.match is None:
            raise FaceError("No person was chosen", "make the Swapper with match=<embedding>")
        return float(np.linalg.norm(self.finder.embed(frame, face.landmarks) - self.match))

    def choose(self, distances: Sequence[float]) -> list[Skipped | None]:
        """The nearest face, where it is near enough, is the chosen person; all others are left alone."""
        best = int(np.argmin(distances)) if len(distances) else -1
        return [
            None if i == best and distance <= self.options.match_threshold else "another person"
            for i, distance in enumerate(distances)
        ]

    def apply(
        self, frame: NDArray[np.uint8], faces: Sequence[Face], skipped: Sequence[Skipped | None] | None = None
    ) -> SwapResult:
        """Swap these faces of a frame: one call of the network, each laid over the result of those before.

        Args:
            frame: (H, W, 3) uint8 RGB; it is not changed.
            faces: where the faces are.
            skipped: as :meth:`select` gives it; None swaps all.
        """
        results = self._prepare(frame, faces, skipped or [None] * len(faces))
        chosen = [i for i, result in enumerate(results) if result.skipped is None]
        if not chosen:
            return SwapResult(frame, results)
        geometry = self.network.geometry
        matrices = [m for i in chosen if (m := results[i].matrix) is not None]
        crops = np.stack([geometry.crop(frame, matrix) for matrix in matrices])
        outputs = self.network(crops)
        image = frame.copy()
        for i, crop, output, matrix in zip(chosen, crops, outputs, matrices, strict=True):
            area = self._lay(image, faces[i].landmarks, matrix, crop, output)
            results[i] = SwappedFace(faces[i], matrix, area, None if area > 0 else "outside the frame")
        if self.options.label and any(result.skipped is None for result in results):
            image = stamp(image, self.options.label_text)
        return SwapResult(image, results)

    def swap_face(self, frame: NDArray[np.uint8], landmarks: Points) -> NDArray[np.uint8]:
        """Swap one face whose (68, 2) landmarks are known: no detection, no limits, no label.

        Returns:
            (H, W, 3) uint8 RGB, a new frame.

        Raises:
            FaceError: the landmarks collapse into one point or are not finite.
        """
        matrix = self.network.geometry.matrix(landmarks)
        crop = self.network.geometry.crop(frame, matrix)
        image = frame.copy()
        self._lay(image, landmarks, matrix, crop, self.network(crop[None])[0])
        return image

    def _prepare(
        self, frame: NDArray[np.uint8], faces: Sequence[Face], skipped: Sequence[Skipped | None]
    ) -> list[SwappedFace]:
        results: list[SwappedFace] = []
        taken = 0
        for face, given in zip(faces, skipped, strict=True):
            try:
                matrix = self.network.geometry.matrix(face.landmarks)
            except FaceError:
                results.append(SwappedFace(face, skipped=given or "broken landmarks"))
                continue
            reason = given or self._limit(frame, matrix, taken)
            taken += reason is None
            results.append(SwappedFace(face, matrix, skipped=reason))
        return results

    def _limit(self, frame: NDArray[np.uint8], matrix: Matrix, taken: int) -> Skipped | None:
        geometry = self.network.geometry
        if face_height(geometry, matrix) < self.options.min_face:
            return "too small"
        if region_of(geometry, matrix, frame.shape[1], frame.shape[0]).empty:
            return "outside the frame"
        return "too many" if taken >= self.options.max_faces else None

    def _lay(
        self,
        image: NDArray[np.uint8],
        landmarks: Points,
        matrix: Matrix,
        crop: NDArray[np.uint8],
        output: NDArray[np.float32],
    ) -> float:
        """Blend one swapped crop into the image, in place; the area that changed, in pixels."""
        geometry, options = self.network.geometry, self.options
        region = region_of(geometry, matrix, image.shape[1], image.shape[0])
        if region.empty:
            return 0.0
        skin = skin_in_crop(landmarks, geometry, matrix)
        output = sharpen(output, options.sharpen)
        fitted = fit_colours(output, crop, skin, options.colour, options.colour_strength)
        mask = face_mask(region, landmarks, geometry, matrix, options)
        blend(image, uncrop(fitted, matrix, region), mask, region)
        return float(mask.sum())
