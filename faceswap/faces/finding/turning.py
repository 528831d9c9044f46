"""Pictures that lie on their side or upside down: turned by quarters until heads stand upright, and back.

dlib's detector finds faces tilted up to about 35 degrees. Turning by quarters loses no pixel.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Face, SearchEffort
from faceswap.faces.finding.finder import FaceSearcher
from faceswap.faces.finding.turn import Turn
from faceswap.media.video.reading import Frame

Image = NDArray[np.uint8]
_OTHERWISE = (90, 270, 180)
"""Telephones are held upright far more often than upside down."""
_SURE = 0.5
"""Least score of a face for which a picture is turned, and with which one counts as upright. Measured: real faces score
from 0.5 on, boxes around something else up to 0.23 on pictures that lie upside down."""
_TRY_EVERY = 1.0
"""Seconds of video without a face after which the other ways are tried again: each takes a search of the
frame. Not measured."""


def turned(image: Image, degrees: int) -> Image:
    """An (H, W, C) picture turned clockwise by a multiple of 90 degrees; itself where that is none."""
    quarters = degrees // 90 % 4
    return np.ascontiguousarray(np.rot90(image, -quarters)) if quarters else image


def find_upright(
    finder: FaceSearcher, image: Image, turn: Turn = "auto", effort: SearchEffort = "until_found"
) -> tuple[int, list[Face]]:
    """The faces of a picture, turned as they want it.

    Args:
        finder: detects.
        image: (H, W, 3) uint8 RGB.
        turn: how it may be turned.
        effort: how finely to search.

    Returns:
        degrees clockwise, and the faces, the largest first, as they lie in the picture turned so.
    """
    degrees = 0 if turn == "auto" else int(turn)
    faces = finder.find(turned(image, degrees), effort=effort)
    if turn != "auto" or _best(faces) >= _SURE:
        return degrees, faces
    return _otherwise(finder, image, 0, faces, effort)


def _best(faces: list[Face]) -> float:
    return max((face.score for face in faces), default=-math.inf)


def _otherwise(
    finder: FaceSearcher, image: Image, degrees: int, faces: list[Face], effort: SearchEffort
) -> tuple[int, list[Face]]:
    """As it is, unless one of the other ways shows a surer face."""
    best = degrees, faces
    for way in (0, *_OTHERWISE):
        if way == degrees:
            continue
        found = [face for face in finder.find(turned(image, way), effort=effort) if face.score >= _SURE]
        if _best(found) > max(_best(best[1]), 0.0):
            best = way, found
    return best


class Upright:
    """How the frames of one video are turned: as the first that show a face want it, until those that don't.

    Args:
        finder: detects.
        turn: how they may be turned.
    """

    def __init__(self, finder: FaceSearcher, turn: Turn = "auto") -> None:
        self._finder = finder
        self._fixed = turn != "auto"
        self.degrees = 0 if turn == "auto" else int(turn)
        """Clockwise, of the next frame."""
        self._tried = -math.inf

    def frame(self, frame: Frame) -> Frame:
        """The frame as it is turned now."""
        return replace(frame, image=turned(frame.image, self.degrees)) if self.degrees else frame

    def changes(self, frame: Frame, faces: list[Face]) -> bool:
        """Whether a frame wants to be turned otherwise, which it is from now on.

        Args:
            frame: as it is in the file.
            faces: that were found in it as it is turned now.
        """
        if self._fixed or _best(faces) >= _SURE or 0 <= frame.time - self._tried < _TRY_EVERY:
            return False
        self._tried = frame.time
        before = self.degrees
        self.degrees, _ = _otherwise(self._finder, frame.image, before, faces, "until_found")
        return self.degrees != before
