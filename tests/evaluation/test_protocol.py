import numpy as np
import pytest

from faceswap.errors import FaceSetError
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.protocol import (
    UNDETECTED_DISTANCE,
    evaluate_flicker,
    evaluate_pair,
    face_area,
    spaced,
    usual_openness,
)
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.faces.geometry import Geometry
from faceswap.faces.pose import eye_openness
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.evaluation.fakes import COLOURS, ColourFinder, MemoryFaces, moving_face, picture
from tests.swap.fakes import Echo, Paint

ADA, BELA = MemoryFaces("ada"), MemoryFaces("bela")
MEANS = {faces.identity: faces.mean_embedding for faces in (ADA, BELA)}
VIEW = Geometry(64, 1.5)


def perfect(frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """ada on bela: the same frame in ada's colour."""
    return picture("ada", int(frame[0, 0, 0]))


def nothing(frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    return frame.copy()


def evaluate(swap_face=perfect, finder=None, **more) -> PairResult:
    return evaluate_pair(
        swap_face, BELA, ADA, MEANS, finder=finder or ColourFinder(), reconstruct=Echo(VIEW), **more
    )


def test_a_perfect_swap() -> None:
    result = evaluate()
    assert (result.reference, result.target, result.frames) == ("ada", "bela", 6)
    assert result.identity_distance < 0.1
    assert (result.identity_top1, result.detection_rate) == (1, 1)
    assert result.lip_gap_correlation == pytest.approx(1)
    assert result.eye_correlation == pytest.approx(1)
    assert (result.lip_gap_error, result.eye_openness_error, result.pose_error_degrees) == pytest.approx(
        (0, 0, 0), abs=1e-6
    )
    assert result.sharpness == pytest.approx(1, abs=0.05)
    assert result.reconstruction_mae < 1e-6
    assert result.reconstruction_ssim == pytest.approx(1)


def test_no_swap_at_all_is_seen() -> None:
    result = evaluate(nothing)
    assert result.identity_top1 == 0
    far = np.linalg.norm(MEANS["ada"] - MEANS["bela"])
    assert result.identity_distance == pytest.approx(far, abs=0.1)


def test_undetected_swaps_count_as_misses_and_are_not_dropped() -> None:
    finder = ColourFinder(blind=(6, 7, 8))
    result = evaluate(finder=finder)
    assert result.detection_rate == 0.5
    assert result.identity_top1 == 0.5
    seen = result.table[result.table["detected"]]["identity_distance"].mean()
    assert result.identity_distance == pytest.approx((seen + UNDETECTED_DISTANCE) / 2)
    assert finder.embedded == 3
    assert result.table["lip_gap"].isna().sum() == 3


def test_both_sides_are_seen_by_the_same_detector() -> None:
    # A finder that sees every mouth wider open than the face set's landmarks have it.
    class Biased(ColourFinder):
        def find(
            self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
        ) -> list[Face]:
            (face,) = super().find(frame)
            points = face.landmarks.copy()
            points[65:68, 1] += 4
            return [Face(face.box, points, face.score)]

    assert evaluate(finder=Biased()).lip_gap_error == pytest.approx(0, abs=1e-6)


def test_a_target_that_never_blinks_has_no_eye_correlation() -> None:
    class Staring(ColourFinder):
        def find(
            self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
        ) -> list[Face]:
            points = moving_face(0) + np.random.default_rng(frame[0, 0, 0]).normal(0, 0.1, (68, 2))
            return [Face((0, 0, 1, 1), points, 1.0)]

    assert np.isnan(evaluate(finder=Staring()).eye_correlation)


def test_narrow_eyes_are_as_open_as_wide_ones() -> None:
    def narrowed(points: np.ndarray, share: float) -> np.ndarray:
        points = points.copy()
        for eye in (36, 42):
            rows = points[eye : eye + 6]
            rows[:, 1] = rows[:, 1].mean() + share * (rows[:, 1] - rows[:, 1].mean())
        return points

    class Narrow(MemoryFaces):
        def landmarks(self, split: str | None = None) -> np.ndarray:
            return np.array([narrowed(points, 0.6) for points in super().landmarks(split)])

    class Seeing(ColourFinder):
        """Sees ada's eyes narrower, as hers are; ``shut`` makes them narrower still."""

        shut = 1.0

        def find(
            self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
        ) -> list[Face]:
            (face,) = super().find(frame)
            hers = frame[100:150, 100:150, 0].mean() > frame[100:150, 100:150, 2].mean()
            share = 0.6 * self.shut if hers else 1.0
            return [Face(face.box, narrowed(face.landmarks, share), face.score)]

    narrow = Narrow("ada")
    arguments = (perfect, BELA, narrow, MEANS)
    assert evaluate_pair(*arguments, Seeing()).eye_openness_error == pytest.approx(0, abs=0.02)
    sleepy = Seeing()
    sleepy.shut = 0.5
    openings = [eye_openness(points) for points in BELA.landmarks("heldout")]
    expected = 0.5 * np.mean(openings) / usual_openness(BELA)
    assert evaluate_pair(*arguments, sleepy).eye_openness_error == pytest.approx(expected, rel=0.1)


def test_a_face_elsewhere_is_not_the_swap() -> None:
    assert evaluate(finder=ColourFinder(away=100)).detection_rate == 0


def test_frames_are_spaced_and_limited() -> None:
    finder = ColourFinder()
    seen: list[tuple[int, int | None]] = []
    result = evaluate(finder=finder, limit=3, progress=lambda done, total, what: seen.append((done, total)))
    assert result.frames == finder.embedded == 3
    assert result.table["row"].tolist() == [0, 2, 5]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert spaced(5, 40).tolist() == [0, 1, 2, 3, 4]
    assert spaced(101, 5).tolist() == [0, 25, 50, 75, 100]


def test_truth_shows_what_the_swap_gained() -> None:
    result = evaluate(truth=lambda i: picture("ada", i))
    assert result.truth_ssim == pytest.approx(1)
    np.testing.assert_array_equal(result.truths, result.swaps)
    assert result.truth_psnr == float("inf")
    assert result.truth_psnr_unswapped is not None
    assert result.truth_psnr_unswapped < 12
    worse = evaluate(nothing, truth=lambda i: picture("ada", i))
    assert worse.truth_ssim == worse.truth_ssim_unswapped == result.truth_ssim_unswapped


def test_without_a_network_the_reconstruction_is_unknown() -> None:
    result = evaluate_pair(perfect, BELA, ADA, MEANS, ColourFinder())
    assert np.isnan(result.reconstruction_mae)
    assert result.to_report()["reconstruction_mae"] is None
    assert "reconstruction_mae" not in result.metrics()


def test_the_report_has_exactly_these_keys() -> None:
    assert set(evaluate(limit=2).to_report()) == {
        "reference",
        "target",
        "identity_distance",
        "identity_top1",
        "lip_gap_correlation",
        "eye_correlation",
        "pose_error_degrees",
        "sharpness",
        "reconstruction_mae",
        "reconstruction_ssim",
        "lip_gap_error",
        "eye_openness_error",
        "gaze_error",
        "detection_rate",
        "seam",
        "frames",
    }


def test_it_works_with_the_swapper() -> None:
    options = SwapOptions(label=False, colour="none", sharpen=0, texture=0, occlusion="none", hairline=0)
    swapper = Swapper(Paint(VIEW, COLOURS["ada"]), ColourFinder(), options)
    result = evaluate(swapper.swap_face_masked)
    assert result.seam > 6  # another colour than the face's, and none is fitted
    assert np.isnan(evaluate(swapper.swap_face).seam)
    assert result.identity_top1 == 1
    assert result.identity_distance < 0.02
    assert result.sharpness < 0.5  # a painted face has no detail


def test_pictures_are_grey_beyond_the_frame_and_the_measures_are_not_touched() -> None:
    class Tight(MemoryFaces):
        def in_frame(self, split: str | None = None) -> np.ndarray:
            seen = super().in_frame(split)
            seen[:, 200:] = False
            return seen

    result = evaluate_pair(perfect, Tight("bela"), ADA, MEANS, ColourFinder(), Echo(VIEW))
    for pictures in (result.originals, result.swaps):
        assert (pictures[:, 200:] == pictures[0, 255, 255, 0]).all()
        assert np.ptp(pictures[:, :200]) > 100
    assert result.model_dump_json() == evaluate().model_dump_json()


def test_missing_held_out_faces_or_reference_raise() -> None:
    empty = MemoryFaces("bela", faces=0)
    with pytest.raises(FaceSetError, match="'bela'"):
        evaluate_pair(perfect, empty, ADA, MEANS, ColourFinder())
    with pytest.raises(FaceSetError, match="'ada'"):
        evaluate_pair(perfect, BELA, ADA, {"bela": MEANS["bela"]}, ColourFinder())


def test_flicker_of_an_unchanged_target_is_zero() -> None:
    assert evaluate_flicker(nothing, BELA) == 0
    flash = iter(range(100))

    def flashing(frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return np.full_like(frame, 255 * (next(flash) % 2))

    assert evaluate_flicker(flashing, BELA) > 0.5


def test_face_area_covers_the_landmarks_and_not_the_corners() -> None:
    points = moving_face(0)
    area = face_area(points, 256)
    x, y = np.rint(points[30]).astype(int)
    assert area[y, x]
    assert not area[0, 0]
    assert 0.15 < area.mean() < 0.5
