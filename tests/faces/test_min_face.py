"""``min_face`` is the height of a face, brows to lower lip, wherever it is asked for."""

from pathlib import Path

import numpy as np
import pytest

from faceswap.errors import NoFaceFound
from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.geometry import Geometry
from faceswap.faces.regions import face_height
from faceswap.jobs.fictional.fictional_media import cast_consent
from faceswap.media.images import write_image
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import Scene, person, render
from tests.swap.fakes import Paint


def test_extraction_and_swap_mean_the_same_face(tmp_path: Path) -> None:
    rendering = render(person("corin"), Scene(), 320)
    write_image(tmp_path / "one.png", rendering.image)
    geometry = Geometry(64, 1.5)
    truth = face_height(geometry, geometry.matrix(rendering.landmarks.astype(np.float64)))

    def extracted(height: int) -> int:
        options = ExtractionOptions(min_face=height)
        faces = extract(
            [str(tmp_path / "one.png")],
            "corin",
            consent=cast_consent("corin"),
            options=options,
            root=str(tmp_path / "sets"),
            workers=1,
        )
        return faces.count()

    def swapped(height: int) -> int:
        options = SwapOptions(min_face=height)
        swapper = Swapper(Paint(geometry, (255, 0, 0)), FaceFinder.down_to(height), options)
        return swapper.swap(rendering.image).swapped

    smaller, larger = round(0.92 * truth), round(1.08 * truth)
    assert (extracted(smaller), swapped(smaller)) == (1, 1)
    assert swapped(larger) == 0
    with pytest.raises(NoFaceFound, match="too small: 1"):
        extracted(larger)
