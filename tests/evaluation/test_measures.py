from faceswap.evaluation.measures import MEASURES, TRUTH_MEASURES, Measure
from faceswap.evaluation.result import PairResult


def test_grades_go_the_right_way() -> None:
    up = Measure("a", "A", "", good=0.8, poor=0.5)
    down = Measure("b", "B", "", good=0.4, poor=0.6)
    assert [up.grade(v) for v in (0.9, 0.8, 0.6, 0.5, 0.4)] == ["good", "good", "fair", "fair", "poor"]
    assert [down.grade(v) for v in (0.3, 0.4, 0.5, 0.6, 0.7)] == ["good", "good", "fair", "fair", "poor"]
    assert up.grade(float("nan")) == up.grade(None) == "unknown"
    assert (up.shown(0.126), up.shown(float("nan")), up.shown(None)) == ("0.13", "–", "–")
    assert down.limits == "good: at most 0.4; poor: above 0.6"


def test_every_number_of_a_result_is_explained() -> None:
    explained = {measure.key for measure in (*MEASURES, *TRUTH_MEASURES)}
    not_measures = {"reference", "target", "frames", "table", "originals", "swaps"}
    assert explained == set(PairResult.model_fields) - not_measures
