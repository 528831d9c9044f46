from pathlib import Path

import numpy as np
import pandas as pd

from faceswap.faces.faceset import FaceSet
from faceswap.faces.geometry import Geometry


def set_of(rows: dict[str, list]) -> FaceSet:
    return FaceSet(
        "ada", "0", "", Path(), Geometry(64, 2.2), None, pd.DataFrame({"split": "train", **rows}), {}
    )


def test_in_frame_tells_where_a_crop_shows_the_frame() -> None:
    # from the frame to the crop: 8 to the right, 20 down; and twice as large
    matrices = [[1.0, 0, 8, 0, 1, 20], [2.0, 0, 0.5, 0, 2, 0.5]]
    seen = set_of({"matrix": matrices, "frame_width": [30, 100], "frame_height": [400, 20]}).in_frame()
    expected = np.zeros((2, 64, 64), bool)
    expected[0, 20:, 8:38] = True
    expected[1, :40] = True
    assert (seen == expected).all()


def test_a_set_without_frame_sizes_shows_the_frame_everywhere() -> None:
    assert set_of({"matrix": [[1.0, 0, 900, 0, 1, 900]]}).in_frame("train").all()
