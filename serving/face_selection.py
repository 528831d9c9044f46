"""Faces that were found: which of them are swapped, and what to say where none is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from faceswap.errors import FaceError, NoFaceFound
from faceswap.faces.detection import Face
from faceswap.faces.gallery import portrait
from faceswap.faces.geometry import Image
from faceswap.swap.assignment import Choice
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import SwapResult

ALL = 0
"""Instead of the number of a face (1: the largest): every face."""


@dataclass(frozen=True)
class Found:
    """The faces of a picture, or of the frame of a video that shows the most: the largest first."""

    image: Image = field(repr=False)
    faces: tuple[Face, ...]

    def portraits(self, side: int = 160) -> list[Image]:
        """(side, side, 3) uint8 RGB of each face."""
        return [portrait(self.image, face, side) for face in self.faces]


def some(faces: Sequence[Face], where: str) -> tuple[Face, ...]:
    """All faces that were found ``where``.

    Raises:
        NoFaceFound: there are none.
    """
    if not faces:
        raise NoFaceFound(
            f"No face was found {where}",
            "choose one that shows a face from the front or half turned, at least 48 pixels high",
        )
    return tuple(faces)


def only(face: int, count: int) -> list[Choice]:
    """Which of ``count`` faces get the reference, if only one is wanted.

    Args:
        face: 1 is the largest; :data:`ALL`: every face.
        count: of faces.

    Raises:
        FaceError: there is no such face.
    """
    if face != ALL and not 1 <= face <= count:
        raise FaceError(f"There is no face {face}: {count} were found", "choose 1 for the largest, 0 for all")
    return [0 if face in {ALL, number} else "another person" for number in range(1, count + 1)]


def require_a_swap(result: SwapResult, options: SwapOptions) -> None:
    """Raise FaceError, with the reason, where no face was swapped."""
    if result.swapped:
        return
    reasons = {one.skipped for one in result.faces if one.skipped not in {None, "another person"}}
    if "too small" in reasons:
        raise FaceError(
            f"The face is too small: below {options.min_face} pixels from the brows to the lips",
            "use a larger picture, or cut the face out",
        )
    raise FaceError(
        f"The face could not be swapped: {', '.join(map(str, reasons))}", "choose another face or picture"
    )
