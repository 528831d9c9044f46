from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from faceswap.errors import MediaError, NoFaceFound
from faceswap.evaluation.rendering.option_sheet import comparison_sheet, first_frame
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.faces.geometry import Geometry
from faceswap.media.images import write_image
from faceswap.media.video.reading import VideoWriter
from faceswap.swap.options import Colour, Mask, SwapOptions
from faceswap.swap.swapper import Swapper
from tests.swap.fakes import KnownFaces, Paint, face_at, smooth_noise

CELL, BAND = 96, 18


class Bright(KnownFaces):
    """Sees its face in bright frames only."""

    def find(
        self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        return super().find(frame, hint) if frame.mean() > 100 else []


def test_the_sheet_shows_every_mask_under_every_colour() -> None:
    frame = smooth_noise(300, 300)
    swapper = Swapper(
        Paint(Geometry(64, 1.5), (255, 0, 0)),
        KnownFaces(face_at(150, 150, 100)),
        SwapOptions(sharpen=0, texture=0, feather=0.1),
    )
    sheet = comparison_sheet(frame, swapper, CELL)
    masks, colours = get_args(Mask), get_args(Colour)
    assert sheet.shape == ((CELL + BAND) * len(masks), CELL * (1 + len(colours)), 3)
    cells = [
        [
            sheet[y * (CELL + BAND) + BAND : (y + 1) * (CELL + BAND), x * CELL : (x + 1) * CELL]
            for x in range(1 + len(colours))
        ]
        for y in range(len(masks))
    ]
    for row in cells:
        assert (row[0] == cells[0][0]).all()  # the target
        assert tuple(row[1 + colours.index("none")][CELL // 2, CELL // 2]) == (255, 0, 0)
        assert not (row[1 + colours.index("skin")][CELL // 2, CELL // 2] == (255, 0, 0)).all()
    pictures = [row[1 + colours.index("none")].tobytes() for row in cells]
    assert len(set(pictures)) == len(masks)


def test_a_sheet_of_no_face_says_why() -> None:
    network = Paint(Geometry(64, 1.5), (255, 0, 0))
    with pytest.raises(NoFaceFound, match="none found"):
        comparison_sheet(smooth_noise(90, 90), Swapper(network, KnownFaces()))
    with pytest.raises(NoFaceFound, match="too small"):
        comparison_sheet(smooth_noise(90, 90), Swapper(network, KnownFaces(face_at(40, 40, 8))))


def test_the_first_frame_with_a_face_is_taken(tmp_path: Path) -> None:
    finder = Bright(face_at(40, 40, 20))
    video = tmp_path / "v.mp4"
    with VideoWriter(video, width=80, height=80, fps=10) as writer:
        for level in [20] * 12 + [200] * 8:
            writer.write(np.full((80, 80, 3), level, np.uint8))
    assert first_frame(video, finder).mean() == pytest.approx(200, abs=2)
    with pytest.raises(NoFaceFound, match=r"v\.mp4"):
        first_frame(video, KnownFaces())
    picture = tmp_path / "p.png"
    write_image(picture, smooth_noise(80, 80))
    assert (first_frame(picture, finder) == smooth_noise(80, 80)).all()
    with pytest.raises(MediaError, match="holds 2 files"):
        first_frame(tmp_path, finder)
