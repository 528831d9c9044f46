"""What an evaluation found, in words: what is good, what is not, and what helps."""

from collections.abc import Sequence

from faceswap.evaluation.grading.measures import BY_KEY, COLUMNS, Measure
from faceswap.evaluation.means import mean_measures
from faceswap.evaluation.pair_result import PairResult


def in_words(pairs: Sequence[PairResult]) -> list[str]:
    """The findings of one version over its targets, a sentence each; what is missing is said with its reason.

    Args:
        pairs: of one version; at least one.
    """
    means, frames = mean_measures(pairs), min(pair.frames for pair in pairs)
    graded: dict[str, list[str]] = {"good": [], "fair": [], "poor": []}
    missing = []
    for measure in COLUMNS:
        value = means.get(measure.key)
        if value is None or frames < measure.minimum_frames:
            missing.append(f"{_name(measure)} ({measure.missing(frames)})")
        else:
            graded[measure.grade(value)].append(f"{_name(measure)} {measure.shown(value)}")
    lines = [f"{grade.capitalize()}: {', '.join(found)}." for grade, found in graded.items() if found]
    if missing:
        lines.append(f"Not measured: {', '.join(missing)}.")
    return lines + [f"For better {_name(measure)}: {measure.remedy}." for measure in worst(pairs)[:1]]


def worst(pairs: Sequence[PairResult]) -> list[Measure]:
    """What there is a remedy for, poor ones before fair ones; nothing where all is good."""
    means = mean_measures(pairs)
    found = [m for m in COLUMNS if m.remedy and m.grade(means.get(m.key)) in {"fair", "poor"}]
    return sorted(found, key=lambda measure: BY_KEY[measure.key].grade(means[measure.key]) != "poor")


def _name(measure: Measure) -> str:
    return measure.short.removesuffix(" °")
