"""Faces that were found: which of them are swapped, and what to say where none is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faceswap.errors import FaceError, NoFaceFound, UnreadableMedia
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.finding.finder import Finder
from faceswap.faces.finding.turning import find_upright, turned
from faceswap.faces.gallery import portrait, telling_frame
from faceswap.faces.geometry import Image
from faceswap.media.video.reading import Frame, VideoReader
from faceswap.swap.assignment import Assignment
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import SwapResult

ALL = 0
"""Instead of the number of a face (1: the largest): every face."""


@dataclass(frozen=True)
class Found:
    """The faces of a picture, or of the frame of a video that shows the most: the largest first.

    Attributes:
        image: turned so that heads stand upright.
        faces: as they lie in it.
        turn: degrees by which it was turned clockwise.
    """

    image: Image = field(repr=False)
    faces: tuple[Face, ...]
    turn: int = 0
    second: float = 0.0
    """Of a video: when the frame is shown."""

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


def frame_of(video: Path, finder: Finder, second: float | None) -> Found:
    """The faces of one frame of a video.

    Args:
        video: the file.
        finder: of faces.
        second: of the frame; None: of some frames the one that shows the most faces.

    Raises:
        UnreadableMedia: it can't be read.
        NoFaceFound: there are none.
    """
    if second is None:
        frame, faces, turn = telling_frame(video, finder)
        where = f"in the frames of {video.name} that were looked at"
        return Found(frame.image, some(faces, where), turn, frame.time)
    with VideoReader(video) as reader:
        frame = frame_at(reader, second)
    turn, faces = find_upright(finder, frame.image, effort="fine")
    where = f"in {video.name} at {second:.1f} s"
    return Found(turned(frame.image, turn), some(faces, where), turn, frame.time)


def frame_at(reader: VideoReader, second: float) -> Frame:
    """The frame that is shown from a second on; of a video that ends before that, the first.

    Raises:
        UnreadableMedia: no frame can be read.
    """
    for start in (second, None):
        for frame in reader.frames(start=start):
            return frame
    raise UnreadableMedia(f"No frame of {reader.path.name} can be read", "choose another video")


def only(face: int, count: int) -> list[Assignment]:
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
