import json
import math

import pytest
from pydantic import ValidationError

from faceswap.errors import SettingsError
from faceswap.evaluation.grading.gates import DEFAULT_GATES, Gate, decide, gates_from
from faceswap.evaluation.means import mean_measures
from faceswap.evaluation.pair_result import PairResult

DISTANCE = Gate(metric="identity_distance", at_most=0.6, margin=0.03)
LIPS = Gate(metric="lip_gap_correlation", at_least=0.3, margin=0.1)
GATES = (DISTANCE, LIPS)
CHAMPION = {"identity_distance": 0.5, "lip_gap_correlation": 0.7}


@pytest.mark.parametrize(
    ("distance", "lips", "champion", "refused_by"),
    [
        (0.45, 0.8, CHAMPION, []),
        (0.6, 0.3, None, []),  # exactly the limits, nothing in production yet
        (0.601, 0.3, None, ["identity_distance"]),
        (0.6, 0.299, None, ["lip_gap_correlation"]),
        (0.53, 0.6, CHAMPION, []),  # exactly the margins
        (0.531, 0.6, CHAMPION, ["identity_distance"]),
        (0.53, 0.599, CHAMPION, ["lip_gap_correlation"]),
        (0.9, -0.2, CHAMPION, ["identity_distance", "lip_gap_correlation"]),
        (math.nan, 0.8, CHAMPION, ["identity_distance"]),
        (0.4, math.nan, CHAMPION, ["lip_gap_correlation"]),
        (0.4, None, None, ["lip_gap_correlation"]),
        (-math.inf, 0.8, None, ["identity_distance"]),
        (0.4, math.inf, None, ["lip_gap_correlation"]),
        (0.4, 0.8, {"identity_distance": 0.5}, ["lip_gap_correlation"]),
        (0.4, 0.8, {"identity_distance": 0.5, "lip_gap_correlation": math.nan}, ["lip_gap_correlation"]),
    ],
)
def test_gates_by_hand(
    distance: float, lips: float | None, champion: dict[str, float] | None, refused_by: list[str]
) -> None:
    decision = decide(GATES, {"identity_distance": distance, "lip_gap_correlation": lips}, champion)
    assert [reason.split(":")[0] for reason in decision.reasons] == refused_by
    assert decision.allowed is not bool(refused_by)
    assert decision.outcome == ("refused" if refused_by else "passed")
    assert [check.gate.metric for check in decision.table if not check.passed] == refused_by
    assert decision.markdown().count("**fail") == len(refused_by)


def test_a_metric_that_was_never_measured_is_not_taken_for_0() -> None:
    # 0 would pass a gate of which lower is better.
    decision = decide(GATES, {"lip_gap_correlation": 0.9}, CHAMPION)
    assert not decision.allowed
    assert decision.table[0].challenger is None
    assert "no number" in decision.reasons[0]
    assert json.loads(decision.model_dump_json())["table"][0]["challenger"] is None


def test_without_a_margin_the_champion_does_not_count() -> None:
    gate = Gate(metric="sharpness", at_least=0.05)
    assert decide([gate], {"sharpness": 0.06}, {"sharpness": 1.0}).allowed
    assert decide([gate], {"sharpness": 0.06}, {}).allowed


def test_an_override_needs_a_reason_and_is_kept_with_the_refusals() -> None:
    bad = {"identity_distance": 0.9, "lip_gap_correlation": 0.9}
    for blank in ("", "  \n"):
        with pytest.raises(SettingsError, match="needs a reason"):
            decide(GATES, bad, CHAMPION, override=blank)
    decision = decide(GATES, bad, CHAMPION, override="the old one\nis withdrawn")
    assert (decision.outcome, decision.allowed) == ("overridden", True)
    assert decision.override == "the old one is withdrawn"
    assert decision.reasons[0].startswith("identity_distance: 0.9")
    good = decide(
        GATES, {"identity_distance": 0.4, "lip_gap_correlation": 0.9}, CHAMPION, override="in a hurry"
    )
    assert (good.outcome, good.override) == ("passed", "")  # there was nothing to override


def test_people_have_the_last_word() -> None:
    passed = decide(GATES, CHAMPION, CHAMPION)
    assert not passed.declined("declined by ada").allowed
    assert passed.approved("approved by ada").allowed
    assert passed.declined("declined by ada").reasons == ("declined by ada",)


@pytest.mark.parametrize(
    "values",
    [
        {"metric": "identity_distance"},
        {"metric": "identity_distance", "at_most": 1, "at_least": 0},
        {"metric": "identity_distance", "at_most": math.nan},
        {"metric": "identity_distance", "at_most": 1, "margin": -0.1},
        {"metric": "identity_distance", "at_most": 1, "margni": 0.1},
        {"metric": "identty_distance", "at_most": 1},
    ],
)
def test_a_gate_that_means_nothing_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Gate(**values)


def test_gates_of_the_settings() -> None:
    assert gates_from(" ") == DEFAULT_GATES
    text = '[{"metric": "identity_distance", "at_most": 0.5, "margin": 0}]'
    assert gates_from(text) == (Gate(metric="identity_distance", at_most=0.5, margin=0),)
    for bad in ("{", "[]", '[{"metric": "likeness", "at_most": 1}]', '[{"metric": "sharpness"}]', "0.6"):
        with pytest.raises(SettingsError, match="FACESWAP_GATES"):
            gates_from(bad)
    with pytest.raises(SettingsError, match="no gate"):
        decide((), CHAMPION, None)


def test_a_gate_can_ask_for_exactly_what_a_promotion_measures() -> None:
    """``mean_measures`` makes a promotion's numbers; a real person has no truth to compare with."""
    numbers = dict.fromkeys(PairResult.model_fields, 0.5) | {"frames": 2, "reference": "a", "target": "b"}
    result = PairResult(
        **{k: v for k, v in numbers.items() if not k.startswith(("truth", "table", "orig", "sw"))}
    )
    measured = mean_measures([result])
    assert {"identity_distance", "reconstruction_ssim", "detection_rate"} <= set(measured)
    for metric in PairResult.model_fields:
        if metric in measured:
            assert decide([Gate(metric=metric, at_most=0.5)], measured, None).allowed
        else:
            with pytest.raises(ValidationError, match=f"measures no '{metric}'"):
                Gate(metric=metric, at_most=0.5)


def test_a_number_on_too_few_frames_does_not_pass_and_says_so() -> None:
    good = {"identity_distance": 0.4, "lip_gap_correlation": 0.9}
    assert decide(GATES, good, None, frames=8).allowed
    few = decide(GATES, good, CHAMPION, frames=4)
    assert few.reasons == (
        "lip_gap_correlation: the challenger has no number: 4 frames are too few for it, it takes 8 "
        "(--frames, or more held-out material)",
    )
    assert few.table[1].challenger is None


def test_a_check_says_how_much_is_to_spare() -> None:
    assert DISTANCE.check({"identity_distance": 0.45}, None).spare == pytest.approx(0.15)
    by_champion = DISTANCE.check({"identity_distance": 0.45}, {"identity_distance": 0.43})
    assert by_champion.spare == pytest.approx(0.01)
    assert by_champion.verdict == "pass, 0.01 to spare"
    failed = LIPS.check({"lip_gap_correlation": 0.5}, CHAMPION)
    assert failed.verdict == "fail by 0.1"
    assert LIPS.check({}, CHAMPION).verdict == "fail"
