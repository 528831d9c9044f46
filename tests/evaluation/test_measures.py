from pathlib import Path

from faceswap.evaluation.grading.gates import DEFAULT_GATES
from faceswap.evaluation.grading.measures import (
    BY_KEY,
    COLUMNS,
    MEASURES,
    TRUTH_MEASURES,
    Measure,
    markdown_table,
)
from faceswap.evaluation.pair_result import PairResult

DOCS = Path(__file__).parents[2] / "docs"


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
    not_measures = {"reference", "target", "frames", "table", "originals", "swaps", "truths"}
    assert explained == set(PairResult.model_fields) - not_measures


def test_noise_is_not_called_good() -> None:
    sharpness = BY_KEY["sharpness"]
    assert [sharpness.grade(v) for v in (0.1, 0.3, 0.9, 1.5, 2.5)] == ["poor", "fair", "good", "good", "fair"]
    assert sharpness.limits == "good: at least 0.5, up to 1.5; poor: below 0.2"


def test_the_docs_say_what_the_table_says() -> None:
    assert markdown_table() in (DOCS / "measures.md").read_text()
    promotion = (DOCS / "promotion.md").read_text()
    for gate in DEFAULT_GATES:
        assert f"| `{gate.metric}` | {gate.limit} | {gate.margin:g} |" in promotion


def test_what_a_narrow_table_shows() -> None:
    assert [measure.short for measure in COLUMNS] == ["identity", "top-1", "lips", "pose °", "sharp", "SSIM"]
    assert {measure.key for measure in MEASURES if measure.gate is not None} <= {m.key for m in COLUMNS}
