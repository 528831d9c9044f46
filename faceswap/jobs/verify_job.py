"""Verify: what a picture or a video tells of its origin."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import UnreadableMedia
from faceswap.media.pictures import read_picture
from faceswap.media.video.reading import VideoReader
from faceswap.provenance.metadata import VIDEO_SUFFIXES
from faceswap.provenance.verify import Verdict, verify

_FRAMES = 10
"""Of a video or an animation that are looked at: their evidence adds up."""


def verify_file(path: Path) -> Verdict:
    """What a file tells of its origin: its signature, the mark in its pixels, its metadata. It never says "real".

    Raises:
        UnreadableMedia: it is neither a picture nor a video, or damaged.
    """
    if not path.is_file():
        raise UnreadableMedia(f"There is no file {path}", "check the path")
    images = _frames(path) if path.suffix.lower() in VIDEO_SUFFIXES else _stills(path)
    return verify(path, images)


def _stills(path: Path) -> list[NDArray[np.uint8]]:
    """A picture; of an animation, or of several pages, some, spread over it."""
    stills = read_picture(path).stills
    count = min(_FRAMES, len(stills))
    return [stills[index * len(stills) // count].image for index in range(count)]


def _frames(path: Path) -> list[NDArray[np.uint8]]:
    """Some frames, spread over the video: in case that not all of them show a swapped face."""
    found: list[NDArray[np.uint8]] = []
    with VideoReader(path) as reader:
        length = reader.info.duration
        if not length:
            return [frame.image for frame, _ in zip(reader.frames(), range(_FRAMES), strict=False)]
    for index in range(_FRAMES):
        with VideoReader(path) as reader:
            start = length * index / _FRAMES
            found += [frame.image for frame, _ in zip(reader.frames(start=start), range(1), strict=False)]
    return found
