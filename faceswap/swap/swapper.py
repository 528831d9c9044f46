"""The swapper: detector, geometry, network and blending as one object."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.detection import Box, Face, Looks
from faceswap.faces.geometry import Matrix, Points
from faceswap.faces.pose import head_pose
from faceswap.provenance.label import stamp
from faceswap.swap.assignment import Choice, Role, Skipped, cast, distances_to
from faceswap.swap.compositing.composite import Memory, lay, reshaped
from faceswap.swap.expression.transfer import fit
from faceswap.swap.face_crop import Placed
from faceswap.swap.face_network import FaceNetwork
from faceswap.swap.masks.shapes import face_height, region_of
from faceswap.swap.options import SwapOptions

__all__ = ["Drawn", "Finder", "Skipped", "SwapResult", "SwappedFace", "Swapper"]


class Finder(Protocol):
    """What the swapper wants of a face detector."""

    def find(self, frame: NDArray[np.uint8], hint: Box | None = None, looks: Looks = "enough") -> list[Face]:
        """The faces of a frame, largest first; with a hint only those near it, where there are any."""

    def landmarks(self, frame: NDArray[np.uint8], box: Box) -> Points:
        """(68, 2) landmarks of the face in a box."""

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
    role: int = 0
    """The number of the reference that it got."""


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


@dataclass(frozen=True)
class Drawn:
    """A face, and what the network drew for it; nothing for one that is left alone."""

    face: SwappedFace
    placed: Placed | None = None
    output: NDArray[np.float32] | None = None
    """(S, S, 3) RGB, 0..1."""


class Swapper:
    """Puts the network's identity on faces, or that of several networks, each on the face of one person.

    Args:
        network: makes crops of the reference from crops of the target.
        finder: finds the faces (and embeds them, where a role is for one person).
        options: mask, colour, label, limits.
        match: (128,) embedding of the one person whose face is swapped; None swaps every face. The nearest face
            within ``options.match_threshold`` is taken. Costs one embedding per face and frame (about 125 ms).
        others: further references, each with its own person; where ``match`` is None, the faces of all other
            people get ``network``.
    """

    def __init__(
        self,
        network: FaceNetwork,
        finder: Finder,
        options: SwapOptions | None = None,
        *,
        match: NDArray[np.float64] | None = None,
        others: Sequence[Role] = (),
    ) -> None:
        self.network = network
        self.finder = finder
        self.options = options or SwapOptions()
        self.match = match
        self.others = tuple(others)

    @property
    def roles(self) -> list[Role]:
        """All references; the first is the swapper's own."""
        return [Role(self.network, self.match), *self.others]

    @property
    def selective(self) -> bool:
        """True where it counts who a face is."""
        return any(role.match is not None for role in self.roles)

    def swap(self, frame: NDArray[np.uint8]) -> SwapResult:
        """Find the faces of a frame and swap them.

        Args:
            frame: (H, W, 3) uint8 RGB; it is not changed.

        Returns:
            the new frame, labelled where a face was swapped and ``options.label`` is on, and what became of each
            face. A frame without a face comes back as it is.
        """
        faces = self.finder.find(frame, looks="all")
        return self.apply(frame, faces, self.select(frame, faces))

    def select(self, frame: NDArray[np.uint8], faces: Sequence[Face]) -> list[Choice]:
        """For each face the number of its role, or why it is to be left alone."""
        if not self.selective:
            return [0] * len(faces)
        return self.choose([self.distances(frame, face) for face in faces])

    def distances(self, frame: NDArray[np.uint8], face: Face) -> NDArray[np.float64]:
        """(roles,) embedding distance of a face to each role's person; same person below about 0.6, NaN: anybody."""
        return distances_to(self.finder.embed(frame, face.landmarks), self.roles)

    def choose(self, distances: Sequence[NDArray[np.float64]]) -> list[Choice]:
        """The roles of faces by their distances (see :func:`faceswap.swap.assignment.cast`)."""
        return cast(distances, self.roles, self.options.match_threshold)

    def apply(
        self,
        frame: NDArray[np.uint8],
        faces: Sequence[Face],
        choices: Sequence[Choice] | None = None,
        quick: bool = False,
    ) -> SwapResult:
        """Swap these faces of a frame: :meth:`draw`, :meth:`fit`, :meth:`reshape`, then :meth:`lay`.

        Args:
            frame: (H, W, 3) uint8 RGB; it is not changed.
            faces: where the faces are.
            choices: as :meth:`select` gives it; None gives all the first role.
            quick: take no more time to read lips and lids than on a video.
        """
        return self.lay(*self.reshape(frame, self.fit(self.draw(frame, faces, choices), quick=quick)))

    def draw(
        self, frame: NDArray[np.uint8], faces: Sequence[Face], choices: Sequence[Choice] | None = None
    ) -> list[Drawn]:
        """The networks' part: one call of each network for all its faces of a frame; arguments as :meth:`apply`."""
        drawn = [Drawn(face) for face in self._prepare(frame, faces, choices or [0] * len(faces))]
        for number, role in enumerate(self.roles):
            chosen = [
                (i, one.face.matrix)
                for i, one in enumerate(drawn)
                if one.face.skipped is None and one.face.role == number and one.face.matrix is not None
            ]
            if not chosen:
                continue
            crops = np.stack([role.network.geometry.crop(frame, matrix) for _, matrix in chosen])
            for (i, matrix), crop, output in zip(chosen, crops, role.network(crops), strict=True):
                placed = Placed(faces[i].landmarks, role.network.geometry, matrix, crop)
                drawn[i] = Drawn(drawn[i].face, placed, output)
        return drawn

    def fit(
        self,
        drawn: Sequence[Drawn],
        memories: Sequence[Memory | None] | None = None,
        time: float = 0.0,
        quick: bool = False,
    ) -> list[Drawn]:
        """Fit what was drawn to the target: its landmarks are read, its lips and lids move as the target's.

        Args:
            drawn: as :meth:`draw` gives it.
            memories: of each face, on a video.
            time: of the frame in seconds, on a video.
            quick: treat a single picture like a video's frame.
        """
        fitted = []
        for one, memory in zip(drawn, memories or [None] * len(drawn), strict=True):
            if one.placed is None or one.output is None:
                fitted.append(one)
                continue
            crispness = self.roles[one.face.role].network.crispness
            remembered = memory.fitting if memory else None
            pair = fit(one.placed, one.output, self.finder, self.options, crispness, remembered, time, quick)
            fitted.append(Drawn(one.face, *pair))
        return fitted

    def reshape(
        self, frame: NDArray[np.uint8], drawn: Sequence[Drawn]
    ) -> tuple[NDArray[np.uint8], list[Drawn]]:
        """Give the targets the outlines of what was drawn.

        Args:
            frame: (H, W, 3) uint8 RGB; it is not changed.
            drawn: as :meth:`fit` gives it.

        Returns:
            (H, W, 3) uint8 RGB, a new frame, and where the faces lie in it; the frame itself where nothing was drawn.
        """
        if all(one.placed is None for one in drawn):
            return frame, list(drawn)
        image, result = frame.copy(), []
        for one in drawn:
            placed = one.placed
            if placed is not None:
                others = tuple(other.face.face.landmarks for other in drawn if other is not one)
                placed = reshaped(image, replace(placed, others=others), self.options)
            result.append(replace(one, placed=placed))
        return image, result

    def lay(
        self,
        image: NDArray[np.uint8],
        drawn: Sequence[Drawn],
        memories: Sequence[Memory | None] | None = None,
        time: float = 0.0,
    ) -> SwapResult:
        """Lay what was drawn into the frame, each face over the result of those before, and label it.

        Args:
            image: (H, W, 3) uint8 RGB, changed.
            drawn: with the frame, as :meth:`reshape` gives it.
            memories: of each face, on a video.
            time: of the frame in seconds, on a video.
        """
        results = []
        for one, memory in zip(drawn, memories or [None] * len(drawn), strict=True):
            face = one.face
            if one.placed is not None and one.output is not None:
                crispness = self.roles[face.role].network.crispness
                area = lay(image, one.placed, one.output, self.options, memory, time, crispness)
                face = replace(face, area=area, skipped=None if area > 0 else "outside the frame")
            results.append(face)
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
        geometry = self.network.geometry
        matrix = geometry.matrix(landmarks)
        crop = geometry.crop(frame, matrix)
        image = frame.copy()
        placed = Placed(landmarks, geometry, matrix, crop)
        crispness = self.network.crispness
        placed, output = fit(placed, self.network(crop[None])[0], self.finder, self.options, crispness)
        lay(image, reshaped(image, placed, self.options), output, self.options, crispness=crispness)
        return image

    def _prepare(
        self, frame: NDArray[np.uint8], faces: Sequence[Face], choices: Sequence[Choice]
    ) -> list[SwappedFace]:
        results: list[SwappedFace] = []
        taken = 0
        for face, choice in zip(faces, choices, strict=True):
            role = choice if isinstance(choice, int) else 0
            given = None if isinstance(choice, int) else choice
            try:
                matrix = self.roles[role].network.geometry.matrix(face.landmarks)
            except FaceError:
                results.append(SwappedFace(face, skipped=given or "broken landmarks"))
                continue
            reason = given or self._limit(frame, face, self.roles[role], matrix, taken)
            taken += reason is None
            results.append(SwappedFace(face, matrix, skipped=reason, role=role))
        return results

    def _limit(
        self, frame: NDArray[np.uint8], face: Face, role: Role, matrix: Matrix, taken: int
    ) -> Skipped | None:
        geometry, options = role.network.geometry, self.options
        if face.score < options.min_score:
            return "uncertain"
        if face_height(geometry, matrix) < options.min_face:
            return "too small"
        if options.max_yaw < 90 and abs(head_pose(face.landmarks)[0]) > options.max_yaw:
            return "too turned"
        if region_of(geometry, matrix, frame.shape[1], frame.shape[0]).empty:
            return "outside the frame"
        return "too many" if taken >= options.max_faces else None
