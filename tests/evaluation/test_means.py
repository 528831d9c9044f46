import math

import pytest

from faceswap.evaluation.grading.measures import MEASURES
from faceswap.evaluation.means import frames_of, mean_measures
from faceswap.evaluation.pair_result import PairResult
from faceswap.tuning.objective import Objective


def pair(frames: int = 40, **changes: float) -> PairResult:
    values = {measure.key: 0.5 for measure in MEASURES} | {"detection_rate": 1.0}
    return PairResult(reference="ann", target="bob", frames=frames, **{**values, **changes})


def test_a_target_that_tells_nothing_is_left_out() -> None:
    found = mean_measures(
        [pair(identity_distance=0.2), pair(identity_distance=0.4, lip_gap_correlation=math.nan)]
    )
    assert found["identity_distance"] == pytest.approx(0.3)
    assert found["lip_gap_correlation"] == 0.5
    assert set(found) == {measure.key for measure in MEASURES}
    assert "lip_gap_correlation" not in mean_measures([pair(lip_gap_correlation=math.nan)])


def test_champion_and_challenger_are_compared_on_targets_that_both_have_a_number_for() -> None:
    one = [pair(lip_gap_correlation=0.9), pair(lip_gap_correlation=0.5)]
    other = [pair(lip_gap_correlation=0.7), pair(lip_gap_correlation=math.nan)]
    assert mean_measures(one, other)["lip_gap_correlation"] == pytest.approx(0.9)
    assert mean_measures(other, one)["lip_gap_correlation"] == pytest.approx(0.7)
    assert mean_measures(one, [None, None])["lip_gap_correlation"] == pytest.approx(0.7)


def test_swaps_that_show_no_face_never_win_by_being_unmeasurable() -> None:
    lost = {"detection_rate": 0.0, "identity_distance": 1.0, "sharpness": 0.1}
    unknown = dict.fromkeys(("lip_gap_correlation", "eye_correlation", "pose_error_degrees"), math.nan)
    nothing = mean_measures([pair(**lost, **unknown)])
    poor = mean_measures([pair(**lost, lip_gap_correlation=0.1)])
    assert (nothing["lip_gap_correlation"], nothing["pose_error_degrees"]) == (0, 10)
    assert Objective().quality(nothing) <= Objective().quality(poor)
    whole = mean_measures([pair(lip_gap_correlation=0.8), pair(**lost, **unknown)])
    assert whole["lip_gap_correlation"] == pytest.approx(0.4)


def test_a_mean_stands_on_the_frames_of_its_smallest_target() -> None:
    assert frames_of([pair(40), pair(7)]) == 7
    assert frames_of([]) == 0
