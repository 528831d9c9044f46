"""The swapper: detector, geometry, networks and compositing as one object.

The steps of one frame's swap, in order: :meth:`Swapper.swap` takes them all, a video takes them in threads.

1. find the faces: detector and landmarks, in the frame turned so that heads stand upright
2. assign to each the reference that it gets, or why it is left alone (:meth:`Swapper.select`)
3. generate each reference's face with the target's pose, expression and light (:meth:`Swapper.generate`)
4. transfer what the network misses of the expression, lips and lids (:meth:`Swapper.transfer_expression`)
5. reshape the targets' heads to the outlines of the generated faces (:meth:`Swapper.reshape`)
6. composite the generated faces: mask, colours, detail, eyeballs and teeth, blend (:meth:`Swapper.composite`)
7. turn the frame back, and label it (there, too)
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.finding.finder import Finder
from faceswap.faces.finding.turning import find_upright, turned
from faceswap.faces.geometry import Points
from faceswap.faces.pose import head_pose
from faceswap.provenance.label import stamp
from faceswap.provenance.watermark import mark
from faceswap.swap.assignment import Assignment, Reference, Skipped, assign, distances_to
from faceswap.swap.compositing.composite import FaceMemory, composite, reshape_target
from faceswap.swap.expression.transfer import transfer_expression
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.face_network import FaceNetwork
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.options import SwapOptions
from faceswap.swap.result import FrameFace, MaskedSwap, SwappedFace, SwapResult

__all__ = ["FrameFace", "Skipped", "SwapResult", "SwappedFace", "Swapper"]


class Swapper:
    """Puts the network's identity on faces, or that of several networks, each on the face of one person.

    Args:
        network: makes crops of the reference from crops of the target.
        finder: finds the faces (and embeds them, where a reference is for one person).
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
        others: Sequence[Reference] = (),
    ) -> None:
        self.network = network
        self.finder = finder
        self.options = options or SwapOptions()
        self.match = match
        self.others = tuple(others)

    @property
    def references(self) -> list[Reference]:
        """All references; the first is the swapper's own."""
        return [Reference(self.network, self.match), *self.others]

    @property
    def selective(self) -> bool:
        """True where it counts who a face is."""
        return any(reference.match is not None for reference in self.references)

    def swap(self, frame: NDArray[np.uint8]) -> SwapResult:
        """Find the faces of a frame and swap them.

        Args:
            frame: (H, W, 3) uint8 RGB; it is not changed.

        Returns:
            the new frame, labelled where a face was swapped and ``options.label`` is on, and what became of each
            face. A frame without a face comes back as it is.
        """
        # 1. find the faces
        turn, faces = find_upright(self.finder, frame, self.options.turn, effort="fine")
        upright = turned(frame, turn)
        # 2. assign references
        assignments = self.select(upright, faces)
        # 3. to 7.
        return self.apply(upright, faces, assignments, turn=turn)

    def apply(
        self,
        frame: NDArray[np.uint8],
        faces: Sequence[Face],
        assignments: Sequence[Assignment] | None = None,
        quick: bool = False,
        turn: int = 0,
    ) -> SwapResult:
        """Swap faces of a frame that are found already.

        Args:
            frame: (H, W, 3) uint8 RGB; it is not changed.
            faces: where the faces are.
            assignments: as :meth:`select` gives them; None gives all the first reference.
            quick: take no more time for lips and eyes than on a video.
            turn: degrees by which the frame was turned clockwise; the result is turned back.
        """
        # 3. generate the references' faces
        generated = self.generate(frame, faces, assignments)
        # 4. transfer the expression
        expressive = self.transfer_expression(generated, quick=quick)
        # 5. reshape the targets
        image, reshaped = self.reshape(frame, expressive)
        # 6. composite, and 7. turn back and label
        return self.composite(image, reshaped, turn=turn)

    def select(self, frame: NDArray[np.uint8], faces: Sequence[Face]) -> list[Assignment]:
        """For each face the number of its reference, or why it is to be left alone."""
        if not self.selective:
            return [0] * len(faces)
        return self.choose([self.distances(frame, face) for face in faces])

    def distances(self, frame: NDArray[np.uint8], face: Face) -> NDArray[np.float64]:
        """(references,) embedding distance of a face to each one's person; same below about 0.6, NaN: anybody."""
        return distances_to(self.finder.embed(frame, face.landmarks), self.references)

    def choose(self, distances: Sequence[NDArray[np.float64]]) -> list[Assignment]:
        """The references of faces by their distances (see :func:`faceswap.swap.assignment.assign`)."""
        return assign(distances, self.references, self.options.match_threshold)

    def generate(
        self,
        frame: NDArray[np.uint8],
        faces: Sequence[Face],
        assignments: Sequence[Assignment] | None = None,
    ) -> list[FrameFace]:
        """Step 3: one call of each network for all its faces of a frame; arguments as :meth:`apply`."""
        result = self._prepare(frame, faces, assignments or [0] * len(faces))
        for number, reference in enumerate(self.references):
            chosen = [
                (i, one.crop)
                for i, one in enumerate(result)
                if one.face.skipped is None and one.face.reference == number and one.crop is not None
            ]
            if not chosen:
                continue
            targets = np.stack([crop.cut(frame) for _, crop in chosen])
            detail = reference.network.fine_detail
            for (i, crop), target, picture in zip(chosen, targets, reference.network(targets), strict=True):
                result[i] = replace(result[i], generated=GeneratedFace(crop, target, picture, detail))
        return result

    def transfer_expression(
        self,
        faces: Sequence[FrameFace],
        memories: Sequence[FaceMemory | None] | None = None,
        time: float = 0.0,
        quick: bool = False,
    ) -> list[FrameFace]:
        """Step 4: the generated lips and lids move as the target's, and hair leaves the face.

        Args:
            faces: as :meth:`generate` gives them.
            memories: of each face, on a video.
            time: of the frame in seconds, on a video.
            quick: treat a single picture like a video's frame.
        """
        result = []
        for one, memory in zip(faces, memories or [None] * len(faces), strict=True):
            generated = one.generated
            if generated is not None:
                crispness = self.references[one.face.reference].network.crispness
                remembered = memory.expression if memory else None
                generated = transfer_expression(
                    generated, self.finder, self.options, crispness, remembered, time, quick
                )
            result.append(replace(one, generated=generated))
        return result

    def reshape(
        self, frame: NDArray[np.uint8], faces: Sequence[FrameFace]
    ) -> tuple[NDArray[np.uint8], list[FrameFace]]:
        """Step 5: the targets get the outlines of the generated faces.

        Args:
            frame: (H, W, 3) uint8 RGB; it is not changed.
            faces: as :meth:`transfer_expression` gives them.

        Returns:
            (H, W, 3) uint8 RGB, a new frame, and the faces as they lie in it; the frame itself where no
            face was generated.
        """
        if all(one.generated is None for one in faces):
            return frame, list(faces)
        image, result = frame.copy(), []
        for one in faces:
            generated = one.generated
            if generated is not None:
                others = tuple(other.face.face.landmarks for other in faces if other is not one)
                generated = reshape_target(image, generated, self.options, others)
            result.append(replace(one, generated=generated))
        return image, result

    def composite(
        self,
        image: NDArray[np.uint8],
        faces: Sequence[FrameFace],
        memories: Sequence[FaceMemory | None] | None = None,
        time: float = 0.0,
        turn: int = 0,
    ) -> SwapResult:
        """Steps 6 and 7: composite the faces, each over the result of those before, turn the frame back, and label it.

        Args:
            image: (H, W, 3) uint8 RGB, changed.
            faces: with the frame, as :meth:`reshape` gives them.
            memories: of each face, on a video.
            time: of the frame in seconds, on a video.
            turn: degrees by which the frame was turned clockwise.
        """
        results = []
        for one, memory in zip(faces, memories or [None] * len(faces), strict=True):
            face = one.face
            if one.generated is not None:
                crispness = self.references[face.reference].network.crispness
                area = composite(image, one.generated, self.options, memory, time, crispness)
                face = replace(face, area=area, skipped=None if area > 0 else "outside the frame")
            results.append(face)
        image = turned(image, -turn)
        if self.options.label and any(result.skipped is None for result in results):
            image = stamp(image, self.options.label_text)
        return SwapResult(image, results, turn)

    def marked(self, result: SwapResult) -> NDArray[np.uint8]:
        """The picture as it leaves the house: with the mark in its pixels where a face was swapped.

        (H, W, 3) uint8 RGB; a frame in which no face was swapped is not touched.
        """
        return mark(result.image) if self.options.watermark and result.swapped else result.image

    def swap_face(self, frame: NDArray[np.uint8], landmarks: Points) -> NDArray[np.uint8]:
        """Swap one face whose (68, 2) landmarks are known: no detection, no limits, no label.

        Returns:
            (H, W, 3) uint8 RGB, a new frame.

        Raises:
            FaceError: the landmarks collapse into one point or are not finite.
        """
        return self.swap_face_masked(frame, landmarks).image

    def swap_face_masked(self, frame: NDArray[np.uint8], landmarks: Points) -> MaskedSwap:
        """As :meth:`swap_face`, with the mask of what was replaced."""
        crop = FaceCrop.of(landmarks, self.network.geometry, frame)
        target, image, crispness = crop.cut(frame), frame.copy(), self.network.crispness
        generated = GeneratedFace(crop, target, self.network(target[None])[0], self.network.fine_detail)
        generated = transfer_expression(generated, self.finder, self.options, crispness)
        generated = reshape_target(image, generated, self.options)
        mask = np.zeros(frame.shape[:2], np.float32)
        composite(image, generated, self.options, crispness=crispness, covered=mask)
        return MaskedSwap(image, mask)

    def _prepare(
        self, frame: NDArray[np.uint8], faces: Sequence[Face], assignments: Sequence[Assignment]
    ) -> list[FrameFace]:
        """Where the crops lie, and which faces are left alone for what reason."""
        results: list[FrameFace] = []
        taken = 0
        for face, assignment in zip(faces, assignments, strict=True):
            number = assignment if isinstance(assignment, int) else 0
            given = None if isinstance(assignment, int) else assignment
            try:
                crop = FaceCrop.of(face.landmarks, self.references[number].network.geometry, frame)
            except FaceError:
                results.append(FrameFace(SwappedFace(face, skipped=given or "broken landmarks")))
                continue
            reason = given or self._limit(face, crop, taken)
            taken += reason is None
            swapped = SwappedFace(face, crop.matrix, skipped=reason, reference=number)
            results.append(FrameFace(swapped, crop))
        return results

    def _limit(self, face: Face, crop: FaceCrop, taken: int) -> Skipped | None:
        """Why a face is left alone, given how many of the frame are swapped already."""
        options = self.options
        if face.score < options.min_score:
            return "uncertain"
        if crop.height < options.min_face:
            return "too small"
        if options.max_yaw < 90 and abs(head_pose(face.landmarks)[0]) > options.max_yaw:
            return "too turned"
        if crop.region.empty:
            return "outside the frame"
        return "too many" if taken >= options.max_faces else None
