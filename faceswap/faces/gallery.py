"""The faces of a picture or a video, small, so that somebody can choose one."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.finding.finder import FaceSearcher
from faceswap.faces.finding.turning import find_upright, turned
from faceswap.faces.geometry import Geometry
from faceswap.media.video.reading import Frame, VideoReader

Image = NDArray[np.uint8]
_VIEW = Geometry(size=160, coverage=2.4)
"""The crop that shows a face to choose."""
_SOON = 0.5
"""Seconds of the second search in a video of unknown length; each further one is twice as late."""
_EACH = 5
"""Of such a video every fifth frame is brought to a picture: nearer to the wanted time is not needed."""


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


def telling_frame(video: Path, finder: FaceSearcher, searches: int = 8) -> tuple[Frame, list[Face], int]:
    """Of some frames the one that shows the most faces, the earliest of those.

    The frames lie evenly over the video. Where the file does not tell its length, as recordings of browsers, they lie
    at 0, 0.5, 1, 2, 4 … seconds.

    Args:
        video: the file.
        finder: detects.
        searches: frames that are searched, at most.

    Returns:
        the frame, turned by quarters if its heads lie, its faces, the largest first, and degrees by which it was turned
        clockwise; no faces where no frame shows any.

    Raises:
        UnreadableMedia: it can't be read.
        MediaTooLarge: its frames have more pixels than the settings allow.
        FaceError: it has no frames.
    """
    best: tuple[Frame, list[Face]] | None = None
    with VideoReader(video) as reader:
        frames = reader.info.frames
        some = reader.frames(every=math.ceil(frames / searches)) if frames else _later_and_later(reader)
        for frame in islice(some, searches):
            faces = finder.find(frame.image)
            if best is None or len(faces) > len(best[1]):
                best = frame, faces
    if best is None:
        raise FaceError(f"{video.name} has no frames")
    frame, faces = best
    degrees = 0
    if not faces:  # heads may lie on their side
        degrees, faces = find_upright(finder, frame.image)
        frame = replace(frame, image=turned(frame.image, degrees))
    return frame, finder.find(frame.image, effort="fine") if faces else [], degrees


def _later_and_later(reader: VideoReader) -> Iterator[Frame]:
    due = 0.0
    for frame in reader.frames(every=_EACH):
        if frame.time >= due:
            yield frame
            due = max(_SOON, 2 * due)
