"""What the numbers of a swap mean in words: a verdict, its reasons, and what helps."""

from collections.abc import Sequence
from dataclasses import dataclass

from faceswap.evaluation.grading.measures import MEASURES, TRUTH_MEASURES, Grade, Measure
from faceswap.evaluation.pair_result import PairResult

_IN_WORDS: dict[str, dict[Grade, str]] = {
    "detection_rate": {
        "fair": "in a few frames no face is found any more",
        "poor": "in many frames no face is found any more",
    },
    "identity_distance": {
        "good": "it looks like {reference}",
        "fair": "it resembles {reference}",
        "poor": "it does not look like {reference}",
    },
    "identity_top1": {
        "fair": "in some frames it is taken for somebody else",
        "poor": "it is often taken for somebody else",
    },
    "lip_gap_correlation": {
        "good": "the lips follow {target}'s",
        "fair": "the lips follow {target}'s roughly",
        "poor": "the lips do not follow {target}'s",
    },
    "eye_correlation": {
        "good": "the eyes close with {target}'s",
        "fair": "the eyes close with {target}'s now and then",
        "poor": "the eyes do not close with {target}'s",
    },
    "pose_error_degrees": {
        "fair": "the head is turned a little differently",
        "poor": "the head is turned differently",
    },
    "sharpness": {
        "good": "it is crisp",
        "fair": "its crispness differs from real pictures",
        "poor": "it is blurred",
    },
    "seam": {
        "fair": "its border can be seen when one looks for it",
        "poor": "its border is plain to see",
    },
}
"""What a reader wants to know, in this order; what is as it should be and not worth a word has none."""
_HELP = {
    "detection_rate": "Let {reference} train longer (--minutes), and look at the worst cases below: hands, turned "
    "heads and shadows that {reference}'s own footage lacks are the usual cause.",
    "identity_distance": "For {reference}'s likeness, train longer (--minutes) and give more varied footage of "
    "{reference}: other light, other angles.",
    "lip_gap_correlation": "For {reference}'s lips, give footage in which {reference} talks and laughs, and train "
    "longer.",
    "eye_correlation": "For {reference}'s eyes, give footage in which {reference} blinks and looks around.",
    "pose_error_degrees": "For the pose, give footage in which {reference} turns the head as far as {target} does.",
    "sharpness": "For more detail, train longer or with a larger preset (--preset hd128), from footage in which "
    "{reference}'s face is large and in focus.",
    "seam": "For the border, give footage of {reference} in light like {target}'s.",
}
_HELP["identity_top1"] = _HELP["identity_distance"]


@dataclass(frozen=True)
class Graded:
    """One number of one pair as people read it."""

    measure: Measure
    text: str
    grade: Grade


@dataclass(frozen=True)
class Verdict:
    """What one pair's numbers come to.

    Args:
        grade: poor where anything in :data:`_IN_WORDS` is poor, good where all of it is good.
        words: one sentence.
        advice: what would help most, at most three sentences.
    """

    grade: Grade
    words: str
    advice: tuple[str, ...]


def graded(result: PairResult, measures: Sequence[Measure]) -> list[Graded]:
    """Numbers with their grades: the only place where a report asks for one. A baseline has none."""
    found = []
    for one in measures:
        value = getattr(result, one.key)
        grade = "unknown" if one.key.endswith("_unswapped") else one.grade(value)
        found.append(Graded(one, one.shown(value), grade))
    return found


def measures_of(results: Sequence[PairResult]) -> list[Measure]:
    """What a table of these pairs shows: the truth only where it is known."""
    known = any(result.truth_ssim is not None for result in results)
    return [*MEASURES, *(TRUTH_MEASURES if known else ())]


def verdict(result: PairResult) -> Verdict:
    """Good, fair or poor as a whole, in words, with what would help."""
    asked = [one for one in MEASURES if one.key in _IN_WORDS]
    grades = {one.measure.key: one.grade for one in graded(result, asked)}
    known = [grades[key] for key in _IN_WORDS if grades.get(key, "unknown") != "unknown"]
    worst: Grade = next(
        (grade for grade in ("poor", "fair") if grade in known), "good" if known else "unknown"
    )
    names = {"reference": result.reference, "target": result.target}
    reasons = [words.get(grades.get(key, "unknown"), "") for key, words in _IN_WORDS.items()]
    told = "; ".join(reason.format(**names) for reason in reasons if reason)
    weak = sorted(
        (key for key in _HELP if grades.get(key) in {"fair", "poor"}), key=lambda key: grades[key] != "poor"
    )
    advice = dict.fromkeys(_HELP[key].format(**names) for key in weak)
    return Verdict(worst, f"{told[:1].upper()}{told[1:]}.", tuple(advice)[:3])


def summary(verdicts: Sequence[Verdict]) -> str:
    """All pairs in one line: "2 of 3 swaps are good, 1 is poor"."""
    grades: tuple[Grade, ...] = ("good", "fair", "poor", "unknown")
    counted = [(sum(one.grade == grade for one in verdicts), grade) for grade in grades]
    some = [(number, grade) for number, grade in counted if number]
    if len(some) == 1:
        number, grade = some[0]
        return f"The swap is {grade}" if number == 1 else f"All {number} swaps are {grade}"
    parts = [f"{number} {'is' if number == 1 else 'are'} {grade}" for number, grade in some]
    return f"Of {len(verdicts)} swaps {', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
