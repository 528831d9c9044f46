"""What a user is told of a video in which no face was swapped."""

from pathlib import Path

import numpy as np
import pytest

from faceswap.errors import NoFaceFound
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.geometry import Geometry
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import swap_video
from tests.media.videos import make_video
from tests.swap.fakes import KnownFaces, Paint, face_at

FACE = face_at(160, 100, 60)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(tmp_path / "clip.mp4", frames=30, size=(320, 240))


def told(clip: Path, face: Face = FACE, match: float | None = None, **span: float) -> NoFaceFound:
    person = None if match is None else np.full(128, match)
    swapper = Swapper(Paint(Geometry(64, 1.5), (255, 0, 0)), KnownFaces(face), SwapOptions(), match=person)
    with pytest.raises(NoFaceFound) as caught:
        swap_video(clip, clip.with_name("o.mp4"), swapper, None, **span)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("span", [{"start": 100}, {"start": 0.5, "end": 0.5}])
def test_a_span_outside_of_the_video_is_told_with_its_length(clip: Path, span: dict[str, float]) -> None:
    error = told(clip, **span)
    assert "clip.mp4 lies between" in error.message
    assert "1.2 s long" in error.message
    assert "start within the video" in (error.fix or "")
    assert "face" not in str(error)


def test_limits_are_called_as_the_command_calls_them(clip: Path) -> None:
    small = told(clip, face_at(160, 100, 3))
    assert "30 faces too small" in small.message
    assert f"--min-face ({SwapOptions().min_face})" in (small.fix or "")
    stranger = told(clip, match=9.0)
    assert "30 faces another person" in stranger.message
    assert f"--threshold ({SwapOptions().match_threshold:g})" in (stranger.fix or "")
    assert "--min-face" not in (stranger.fix or "")
