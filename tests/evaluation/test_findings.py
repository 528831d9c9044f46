import math

from faceswap.evaluation.grading.findings import in_words, worst
from tests.evaluation.test_means import pair

GOOD = {
    "identity_distance": 0.3,
    "identity_top1": 1.0,
    "lip_gap_correlation": 0.9,
    "pose_error_degrees": 2.0,
    "sharpness": 0.8,
    "reconstruction_ssim": 0.9,
}


def test_where_all_is_good_nothing_else_is_said() -> None:
    assert in_words([pair(**GOOD)]) == [
        "Good: identity 0.30, top-1 1.00, lips 0.90, pose 2.0, sharp 0.80, SSIM 0.90."
    ]


def test_what_is_poor_comes_with_what_helps() -> None:
    lines = in_words([pair(**GOOD | {"sharpness": 0.1, "lip_gap_correlation": 0.5})])
    assert lines[1:] == [
        "Fair: lips 0.50.",
        "Poor: sharp 0.10.",
        "For better sharp: train longer, or with --preset hd128.",
    ]
    assert [m.key for m in worst([pair(**GOOD | {"sharpness": 0.1, "lip_gap_correlation": 0.5})])] == [
        "sharpness",
        "lip_gap_correlation",
    ]


def test_too_few_frames_are_said_and_no_number_is_given() -> None:
    few = in_words([pair(4, **GOOD)])
    assert few[-1] == "Not measured: lips (4 frames are too few for it, it takes 8)."
    assert "lips 0.90" not in few[0]
    silent = in_words([pair(40, **GOOD | {"lip_gap_correlation": math.nan})])
    assert silent[-1] == "Not measured: lips (nothing to measure it by was found in these frames)."
