"""Whether a face set shows enough, in words."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd

from faceswap.faces.extraction.coverage import coverage_advice
from faceswap.faces.faceset import FaceSet


def faces(yaw: np.ndarray, lip_gap: np.ndarray) -> FaceSet:
    rows = pd.DataFrame({"yaw": yaw, "lip_gap": lip_gap, "split": "train"})
    return cast(FaceSet, SimpleNamespace(rows=rows))


def test_who_turns_speaks_and_is_silent_lacks_nothing() -> None:
    assert coverage_advice(faces(np.linspace(-25, 25, 200), np.tile([0.0, 0.3], 100))) == []


def test_what_is_seldom_seen_is_named_with_its_count() -> None:
    advice = coverage_advice(faces(np.linspace(11, 18, 90), np.full(90, 0.3)))
    assert advice == [
        "few faces show the mouth shut: 0 of 90",
        "few faces show the head from the front: 0 of 90",
        "few faces show the head turned to the picture's left: 0 of 90",
        "only 90 training faces: a few hundred make better swaps",
    ]
