"""One face under all masks and all colour transfers, side by side, so that the eye can choose."""

from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import MediaError, NoFaceFound
from faceswap.evaluation.rendering.sheets import Tile, sheet
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.finding.finder import Finder
from faceswap.faces.geometry import Geometry
from faceswap.media.images import read_image
from faceswap.media.sources import find_media
from faceswap.media.video.reading import VideoReader
from faceswap.swap.options import Colour, Mask, SwapOptions
from faceswap.swap.swapper import Swapper

Picture = NDArray[np.uint8]

_VIEW, _CENTRE = 2.2, -0.2
"""Side of a cell, and how far its middle lies below the inner face's, in face heights: up to the hairline."""
_STEP, _SEARCHED = 0.5, 10.0


def comparison_sheet(frame: Picture, swapper: Swapper, cell: int = 208) -> Picture:
    """The largest face that is swapped under every mask (rows) and colour transfer (columns), labelled.

    All other options are the swapper's; the first cell of each row is the target. The picture holds generated
    faces: stamp it before it is shown.

    Args:
        frame: (H, W, 3) uint8 RGB.
        swapper: its options are not changed.
        cell: side of a cell, px.

    Returns:
        (h, w, 3) uint8 RGB.

    Raises:
        NoFaceFound: no face of the frame is swapped.
    """
    face = _chosen(frame, swapper)
    view = Geometry(cell, _VIEW, _CENTRE)
    matrix = view.matrix(face.landmarks)
    target = view.crop(frame, matrix)
    rows = []
    for mask in get_args(Mask):
        row = [Tile(target, "target")]
        for colour in get_args(Colour):
            swapped = _with(swapper, mask=mask, colour=colour).swap_face(frame, face.landmarks)
            row.append(Tile(view.crop(swapped, matrix), f"{mask}, {colour}"))
        rows.append(row)
    return sheet(rows, cell)


def first_frame(target: Path, finder: Finder, start: float | None = None) -> Picture:
    """A picture, or the first frame of a video from ``start`` seconds on in which a face is found.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        MediaError: the target is a folder, or neither a picture nor a video.
        NoFaceFound: of ten seconds, looked at twice a second, no frame shows a face.
    """
    items = find_media(target)
    if len(items) != 1:
        raise MediaError(f"{target} holds {len(items)} files", "name one picture or video")
    if items[0].kind == "image":
        return read_image(items[0].path)
    first = start or 0.0
    with VideoReader(items[0].path) as reader:
        step = max(1, round(float(reader.info.fps) * _STEP))
        for frame in reader.frames(every=step, start=start, end=first + _SEARCHED):
            if finder.find(frame.image):
                return frame.image
    raise NoFaceFound(
        f"No face is in {target} from {first:g} to {first + _SEARCHED:g} s", "choose another --start"
    )


def _with(swapper: Swapper, **changes: object) -> Swapper:
    options = SwapOptions.model_validate({**swapper.options.model_dump(), **changes})
    return Swapper(swapper.network, swapper.finder, options)


def _chosen(frame: Picture, swapper: Swapper) -> Face:
    faces = swapper.finder.find(frame, effort="fine")
    result = swapper.apply(frame, faces, swapper.select(frame, faces))
    swapped = [f.face for f in result.faces if f.skipped is None and f.reference == 0]
    if not swapped:
        reasons = ", ".join(sorted({str(f.skipped) for f in result.faces if f.skipped})) or "none found"
        raise NoFaceFound(f"No face of the frame is swapped: {reasons}", "choose another moment with --start")
    return max(swapped, key=lambda f: f.size)
