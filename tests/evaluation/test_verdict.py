"""The verdict's words follow from the grades."""

import math

import pytest

from faceswap.evaluation.grading.measures import MEASURES
from faceswap.evaluation.grading.verdict import _HELP, _IN_WORDS, Verdict, summary, verdict
from tests.evaluation.rendering.test_report import RESULT

GOOD = RESULT.model_copy(
    update={
        "target": "bela",
        "identity_distance": 0.3,
        "identity_top1": 1.0,
        "lip_gap_correlation": 0.9,
        "eye_correlation": 0.9,
        "pose_error_degrees": 1.0,
        "sharpness": 0.9,
        "detection_rate": 1.0,
    }
)


def test_all_good() -> None:
    assert verdict(GOOD) == Verdict(
        "good",
        "It looks like ada; the lips follow bela's; the eyes close with bela's; it is crisp.",
        (),
    )


@pytest.mark.parametrize(
    ("changes", "grade", "words", "first"),
    [
        ({"identity_distance": 0.9, "sharpness": 0.4}, "poor", "It does not look like ada", "ada's likeness"),
        ({"sharpness": 0.01, "eye_correlation": 0.4}, "poor", "it is blurred", "more detail"),
        ({"lip_gap_correlation": 0.5}, "fair", "the lips follow bela's roughly", "talks and laughs"),
        ({"detection_rate": 0.2}, "poor", "In many frames no face is found", "train longer"),
        ({"identity_distance": 0.9, "identity_top1": 0.1}, "poor", "taken for somebody else", "likeness"),
        ({"pose_error_degrees": 20.0}, "poor", "the head is turned differently", "as far as bela does"),
    ],
)
def test_the_worst_decides_and_is_helped_first(
    changes: dict[str, float], grade: str, words: str, first: str
) -> None:
    found = verdict(GOOD.model_copy(update=changes))
    assert found.grade == grade
    assert words in found.words
    assert first in found.advice[0]
    assert len(set(found.advice)) == len(found.advice) <= 3


def test_what_is_not_known_is_not_judged() -> None:
    found = verdict(GOOD.model_copy(update={"lip_gap_correlation": math.nan}))
    assert found.grade == "good"
    assert "lips" not in found.words
    assert verdict(GOOD.model_copy(update=dict.fromkeys(_IN_WORDS, math.nan))).grade == "unknown"


def test_words_are_of_measures_that_there_are() -> None:
    assert _HELP.keys() == _IN_WORDS.keys() <= {one.key for one in MEASURES}


@pytest.mark.parametrize(
    ("grades", "words"),
    [
        ([], ""),
        (["good"], "The swap is good"),
        (["fair", "fair"], "All 2 swaps are fair"),
        (["good", "good", "poor"], "Of 3 swaps 2 are good and 1 is poor"),
        (["good", "fair", "poor", "poor"], "Of 4 swaps 1 is good, 1 is fair and 2 are poor"),
    ],
)
def test_the_summary_counts(grades: list[str], words: str) -> None:
    assert summary([Verdict(grade, "", ()) for grade in grades]) == words  # type: ignore[arg-type]
