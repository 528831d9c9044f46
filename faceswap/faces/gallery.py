"""The faces of a picture or a video, small, so that somebody can choose one."""

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.detection import Box, Face, Looks
from faceswap.faces.geometry import Geometry
from faceswap.media.video.reading import Frame, VideoReader

Image = NDArray[np.uint8]
_VIEW = Geometry(size=160, coverage=2.4)
_SOON = 0.5
"""Seconds of the second look into a video of unknown length; each further one is twice as late."""
_EACH = 5
"""Of such a video every fifth frame is brought to a picture: nearer to the wanted time is not needed."""


class _Finder(Protocol):
    def find(self, frame: Image, hint: Box | None = None, looks: Looks = "enough") -> list[Face]: ...


def portrait(frame: Image, face: Face, side: int = 160) -> Image:
    """One face, upright, with hair and chin: (side, side, 3) uint8 RGB of an (H, W, 3) frame.

    Where the landmarks make no sense, the middle of the detector's box is shown.
    """
    view = _VIEW.at(side)
    try:
        return view.crop(frame, view.matrix(face.landmarks))
    except FaceError:
        x, y, half = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2, max(face.size, 8.0)
        scale = side / (2 * half)
        return view.crop(
            frame, np.array([[scale, 0, side / 2 - scale * x], [0, scale, side / 2 - scale * y]])
        )


def telling_frame(video: Path, finder: _Finder, looks: int = 8) -> tuple[Image, list[Face]]:
    """Of some frames the one that shows the most faces, the earliest of those.

    The frames lie evenly over the video. Where the file does not tell its length, as recordings of browsers, they lie
    at 0, 0.5, 1, 2, 4 … seconds.

    Args:
        video: the file.
        finder: detects.
        looks: frames that are searched, at most.

    Returns:
        the frame, (H, W, 3) uint8 RGB, and its faces, the largest first; none where no frame shows any.

    Raises:
        UnreadableMedia: it can't be read.
        MediaTooLarge: its frames have more pixels than the settings allow.
        FaceError: it has no frames.
    """
    best: tuple[Image, list[Face]] | None = None
    with VideoReader(video) as reader:
        frames = reader.info.frames
        some = reader.frames(every=math.ceil(frames / looks)) if frames else _later_and_later(reader)
        for frame in islice(some, looks):
            faces = finder.find(frame.image)
            if best is None or len(faces) > len(best[1]):
                best = frame.image, faces
    if best is None:
        raise FaceError(f"{video.name} has no frames")
    image, faces = best
    return image, finder.find(image, looks="all") if faces else []


def _later_and_later(reader: VideoReader) -> Iterator[Frame]:
    due = 0.0
    for frame in reader.frames(every=_EACH):
        if frame.time >= due:
            yield frame
            due = max(_SOON, 2 * due)
