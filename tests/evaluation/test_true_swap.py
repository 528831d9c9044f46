"""The truth of a swap between rendered people is the picture that the renderer would have made."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faceswap.evaluation.true_swap import truth_for
from faceswap.faces.extraction.extractor import _rendered
from faceswap.jobs.fictional.fictional_media import write_people
from faceswap.media.images import write_image
from faceswap.media.sources import find_media
from faceswap.media.video.reading import VideoReader


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    write_people(folder, ["corin"], "video", seconds=0.4, size=128, seed=3)
    return folder / "corin.mp4"


def faces(rendered: dict[str, Any]) -> Any:
    """A face set as far as the truth asks it."""
    return SimpleNamespace(report={"rendered": rendered}, rows=pd.DataFrame({"source": list(rendered)}))


def test_a_person_put_on_itself_is_the_frame_itself(video: Path) -> None:
    own = faces(_rendered(find_media(str(video))))
    truth = truth_for(own, own)
    assert truth is not None
    with VideoReader(video) as reader:
        for frame in reader.frames():
            error = np.abs(truth(frame.index).astype(int) - frame.image).mean()
            assert error < 4  # the codec's; of a neighbouring frame or another person it is larger
    one, other = (
        {"video": dict(own.report["rendered"]["corin.mp4"], person=name)} for name in ("corin", "ada")
    )
    swapped = truth_for(faces(other), faces(one))
    assert swapped is not None
    assert np.abs(swapped(5).astype(int) - truth(5)).mean() > 8


def test_where_somebody_is_real_nobody_knows(video: Path, tmp_path: Path) -> None:
    own = faces(_rendered(find_media(str(video))))
    write_image(tmp_path / "real.png", np.zeros((64, 64, 3), np.uint8))
    real = faces(_rendered(find_media(str(tmp_path / "real.png"))))
    assert truth_for(real, own) is None
    assert truth_for(own, real) is None
    partly = faces(own.report["rendered"])
    partly.rows = pd.DataFrame({"source": ["corin.mp4", "holiday.mp4"]})
    assert truth_for(own, partly) is None
    before = SimpleNamespace(report={"counts": {}}, rows=own.rows)  # a face set from before
    assert truth_for(before, own) is None  # type: ignore[arg-type]
