"""One picture with all that its file holds: frames of an animation, pages, transparency, what it says besides."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import MediaError
from faceswap.media.images import write_picture
from faceswap.media.pictures import Picture, read_picture
from faceswap.media.video.reading import Frame
from faceswap.provenance.label import covered
from faceswap.provenance.metadata import Provenance
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.chunks import Tally
from faceswap.swap.video.video_swapper import VideoSwapper

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class SwappedPicture:
    """What became of a picture.

    Attributes:
        out: the written file; None: no face was swapped, so that nothing was written.
        faces: swapped faces; of an animation, frames with one.
        skipped: faces that were left alone, by reason.
        notes: what was damaged or could not be kept, in sentences.
        reason: why nothing was written.
    """

    out: Path | None
    faces: int
    skipped: dict[str, int]
    notes: tuple[str, ...]
    reason: str | None = None


def swap_picture(
    source: Path, place: Path, swapper: Swapper, metadata: Provenance | None, *, sign: bool = True
) -> SwappedPicture:
    """Swap the faces of a picture, of each page, or of each frame of an animation.

    Args:
        source: of any format in :mod:`faceswap.media.formats`.
        place: the file to write; its suffix says what it can hold.
        swapper, metadata: as for :func:`faceswap.swap.video.stream.swap_video`.
        sign: as for :func:`faceswap.media.images.write_picture`.

    Raises:
        MediaError: ``place`` is the source, or can't hold the picture; the source can't be read.
        StorageError: it can't be written.
    """
    refuse_the_target(source, place)
    picture = read_picture(source)
    images, tally, reason = _animation(picture, swapper) if picture.animated else _pages(picture, swapper)
    if not tally.swapped:
        return SwappedPicture(None, 0, tally.skipped, picture.notes, reason)
    opaque = None
    if swapper.options.label and any(still.alpha is not None for still in picture.stills):
        opaque = [
            covered(image.shape[1], image.shape[0], swapper.options.label_text) & (image != still.image).any()
            for image, still in zip(images, picture.stills, strict=True)
        ]
    lost = write_picture(place, picture, images, metadata=metadata, opaque=opaque, target=source, sign=sign)
    return SwappedPicture(place, tally.swapped, tally.skipped, (*picture.notes, *lost))


def refuse_the_target(source: Path, place: Path) -> None:
    """Raise MediaError where a result would take its target's place."""
    if place.exists() and place.resolve() == source.resolve():
        raise MediaError(f"{place} is the target itself", "choose another name for the result")


def _pages(picture: Picture, swapper: Swapper) -> tuple[list[Pixels], Tally, str]:
    results = [swapper.swap(still.image) for still in picture.stills]
    faces = [face for result in results for face in result.faces]
    skipped = Counter(str(face.skipped) for face in faces if face.skipped)
    reason = f"no face swapped: {', '.join(sorted(skipped))}" if faces else "no face found"
    tally = Tally(
        frames=len(results), swapped=sum(result.swapped for result in results), skipped=dict(skipped)
    )
    return [swapper.marked(result) for result in results], tally, reason


def _animation(picture: Picture, swapper: Swapper) -> tuple[list[Pixels], Tally, str]:
    """Successive frames: faces are tracked and smoothed, as on a video."""
    video = VideoSwapper(swapper, Tally())
    generated = video.generate(video.find(_frames(picture)))
    images = [video.composite(*one) for one in video.reshape(video.transfer_expression(generated))]
    tally = video.tally
    reason = f"no face swapped: {', '.join(sorted(tally.skipped))}" if tally.skipped else "no face found"
    return images, tally, reason


def _frames(picture: Picture) -> Iterator[Frame]:
    time = 0.0
    for index, still in enumerate(picture.stills):
        yield Frame(index, time, still.image)
        time += still.milliseconds / 1000
