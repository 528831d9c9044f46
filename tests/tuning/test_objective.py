import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from faceswap.tuning.objective import Objective

PERFECT = {
    "identity_distance": 0.0,
    "lip_gap_correlation": 1.0,
    "eye_correlation": 1.0,
    "sharpness": 1.0,
    "reconstruction_ssim": 1.0,
    "pose_error_degrees": 0.0,
    "detection_rate": 1.0,
}


def test_perfect_is_one_and_useless_is_zero() -> None:
    assert Objective().quality(PERFECT) == pytest.approx(1)
    useless = {
        "identity_distance": 1.3,
        "lip_gap_correlation": -0.4,
        "eye_correlation": -1,
        "sharpness": 0,
        "reconstruction_ssim": -0.1,
        "pose_error_degrees": 40,
        "detection_rate": 0,
    }
    assert Objective().quality(useless) == 0


def test_the_arithmetic_by_hand() -> None:
    objective = Objective(identity=2, lips=1, eyes=0, sharpness=1, structure=0, pose=1, detection=0)
    measures = {
        **PERFECT,
        "identity_distance": 0.4,  # 0.6
        "lip_gap_correlation": 0.5,
        "sharpness": 4.0,  # 0.25: overdone is as bad as blurred
        "pose_error_degrees": 2.5,  # 0.75
    }
    assert objective.quality(measures) == pytest.approx((2 * 0.6 + 0.5 + 0.25 + 0.75) / 5)


def test_a_missing_measure_is_left_out_with_its_weight() -> None:
    objective = Objective(identity=1, lips=1, eyes=0, sharpness=0, structure=0, pose=0, detection=0)
    assert objective.quality({"identity_distance": 0.3}) == pytest.approx(0.7)
    assert objective.quality({"identity_distance": 0.3, "lip_gap_correlation": math.nan}) == pytest.approx(
        0.7
    )
    assert objective.quality({}) == 0


def test_weights_must_make_sense() -> None:
    with pytest.raises(ValidationError, match="above 0"):
        Objective(**dict.fromkeys(Objective.model_fields, 0))
    with pytest.raises(ValidationError):
        Objective(identity=-1)
    with pytest.raises(ValidationError):
        Objective(beauty=1)  # type: ignore[call-arg]


numbers = st.floats(-3, 60) | st.just(math.nan)


@given(st.dictionaries(st.sampled_from(sorted(PERFECT)), numbers))
def test_the_quality_is_always_a_number_from_0_to_1(measures: dict[str, float]) -> None:
    assert 0 <= Objective().quality(measures) <= 1


@given(distance=st.floats(0, 1), better=st.floats(0, 1))
def test_a_better_likeness_never_lowers_it(distance: float, better: float) -> None:
    low, high = sorted((distance, better))
    near, far = ({**PERFECT, "identity_distance": value} for value in (low, high))
    assert Objective().quality(near) >= Objective().quality(far)
