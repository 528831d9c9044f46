from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.errors import NoFaceFound
from faceswap.evaluation.single import SwapMeasures, first_chosen, mean_of, measure_swap, measure_video
from faceswap.faces.finding.dlib_finder import Box, Face
from faceswap.faces.geometry import Geometry, Points
from faceswap.faces.pose import eye_openness, lip_gap
from faceswap.media.video.reading import VideoWriter
from faceswap.swap.swapper import Swapper
from tests.evaluation.fakes import moving_face
from tests.swap.fakes import Echo, KnownFaces, face_at, smooth_noise

FRAME = smooth_noise(200, 320)


def test_an_unchanged_face_has_no_error() -> None:
    face = face_at(100, 100, 90)
    measured = measure_swap(FRAME, FRAME, face.box, np.zeros(128), KnownFaces(face))
    assert measured.detected == 1
    assert (measured.lip_gap_error, measured.pose_error_degrees) == (0, 0)
    # the finder's embedding is (x / 100, 0, …)
    assert measured.identity_distance == pytest.approx(face.landmarks.mean(0)[0] / 100)


def test_errors_are_the_differences_of_the_openings() -> None:
    before, after = moving_face(1), moving_face(4)
    box = face_at(0, 0, 10).box

    class Moving(KnownFaces):
        """Sees the openings of each of the two pictures."""

        def landmarks(self, frame: NDArray[np.uint8], box: Box) -> Points:
            assert box == self.faces[0].box
            return before if frame is FRAME else after

    measured = measure_swap(FRAME, FRAME.copy(), box, np.zeros(128), Moving(Face(box, after, 1.0)))
    assert measured.lip_gap == lip_gap(after)
    assert measured.lip_gap_target == lip_gap(before)
    assert measured.lip_gap_error == pytest.approx(abs(lip_gap(after) - lip_gap(before)))
    assert (measured.eye, measured.eye_target) == (eye_openness(after), eye_openness(before))
    assert measured.pose_error_degrees is not None
    assert measured.pose_error_degrees > 0.5


@pytest.mark.parametrize("faces", [[], [face_at(280, 40, 40)]])
def test_a_swap_that_fell_apart_counts_as_a_stranger(faces: list) -> None:
    finder = KnownFaces(*faces)
    finder.landmarks = lambda frame, box: face_at(80, 120, 90).landmarks  # type: ignore[method-assign]
    measured = measure_swap(FRAME, FRAME, face_at(80, 120, 90).box, np.zeros(128), finder)
    assert measured.detected == 0
    assert measured.identity_distance == 1.0
    assert measured.lip_gap_error is None


def test_means_leave_out_what_is_not_there() -> None:
    one = SwapMeasures(detected=1, identity_distance=0.2, lip_gap_error=0.1)
    mean = mean_of([one, SwapMeasures(detected=0, identity_distance=1.0)])
    assert mean.frames == 2
    assert mean.detected == 0.5
    assert mean.identity_distance == pytest.approx(0.6)
    assert mean.lip_gap_error == pytest.approx(0.1)
    assert mean.eye is None
    with pytest.raises(ValueError, match="no measures"):
        mean_of([])


def video(path: Path, frames: int = 12) -> Path:
    with VideoWriter(path, width=320, height=200, fps=10) as writer:
        for number in range(frames):
            writer.write(smooth_noise(200, 320, seed=number))
    return path


def test_a_video_is_measured_on_spaced_frames(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4")
    finder = KnownFaces(face_at(100, 100, 90), face_at(240, 100, 60))
    swapper = Swapper(Echo(Geometry(64, 1.6)), finder)
    measured = measure_video(path, path, swapper, np.zeros(128), finder, frames=4)
    assert measured.frames == 4
    assert measured.lip_gap_error == 0
    assert len(finder.hints) == 8, "each frame before and after, and no others"


def test_the_person_who_was_chosen_is_measured(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", 3)
    finder = KnownFaces(face_at(100, 100, 90), face_at(240, 100, 60))
    chosen = finder.embed(FRAME, finder.faces[1].landmarks)
    measured = measure_video(
        path, path, Swapper(Echo(Geometry(64, 1.6)), finder, match=chosen), chosen, finder
    )
    assert measured.identity_distance == pytest.approx(0)
    assert first_chosen(finder.faces, ["another person", 0]) is finder.faces[1]
    assert first_chosen([], []) is None


def test_a_video_without_the_face(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", 3)
    with pytest.raises(NoFaceFound, match=r"a\.mp4"):
        measure_video(path, path, Swapper(Echo(Geometry(64, 1.6)), KnownFaces()), np.zeros(128), KnownFaces())
