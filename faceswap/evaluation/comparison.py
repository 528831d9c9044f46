"""One face under all masks and all colour transfers, side by side, so that the eye can choose."""

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from faceswap.errors import NoFaceFound
from faceswap.evaluation.pictures import Tile, sheet
from faceswap.faces.detection import Face
from faceswap.faces.geometry import Geometry
from faceswap.swap.options import Colour, Mask, SwapOptions
from faceswap.swap.swapper import Swapper

Picture = NDArray[np.uint8]

_VIEW = 2.2
"""Side of a cell in face heights."""


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
    view = Geometry(cell, _VIEW)
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


def _with(swapper: Swapper, **changes: object) -> Swapper:
    options = SwapOptions.model_validate({**swapper.options.model_dump(), **changes})
    return Swapper(swapper.network, swapper.finder, options)


def _chosen(frame: Picture, swapper: Swapper) -> Face:
    faces = swapper.finder.find(frame)
    result = swapper.apply(frame, faces, swapper.select(frame, faces))
    swapped = [f.face for f in result.faces if f.skipped is None and f.role == 0]
    if not swapped:
        reasons = ", ".join(sorted({str(f.skipped) for f in result.faces if f.skipped})) or "none found"
        raise NoFaceFound(f"No face of the frame is swapped: {reasons}", "choose another moment with --start")
    return max(swapped, key=lambda f: f.size)
