"""The measures of one swap as cards below it, with a verdict: all of the app's grading of a single swap."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from faceswap.evaluation.grading.measures import MEASURES, Grade, Measure
from faceswap.evaluation.single import SwapMeasures

_BY_KEY: dict[str, Measure] = {measure.key: measure for measure in MEASURES}
_SAME_PERSON = 0.45
"""Embedding distance below which the target is taken for the reference; 0.6 is the usual limit, which look-alikes of
one light and age pass, too."""
_WORST: tuple[Grade, ...] = ("poor", "fair", "good")
_FAULTS = {
    "identity_distance": ("not taken for the reference", "not quite the reference"),
    "sharpness": ("clearly more blurred than the target", "softer than the target"),
    "lip_gap_error": ("the mouth opens otherwise than the target's", "the mouth follows roughly"),
    "pose_error_degrees": ("the head is turned otherwise", "the head is turned a little otherwise"),
    "detected": ("no face is found in the swap", "no face is found in some frames"),
}
"""What a grade of poor and one of fair says of a swap, by measure."""


@dataclass(frozen=True)
class Card:
    """One measure of a swap, as it is shown."""

    key: str
    title: str
    shown: str
    under: str
    tip: str
    grade: Grade


def grade(key: str, value: float | None) -> Grade:
    """The grade of one measure of a single swap."""
    if key == "detected":
        return _BY_KEY["detection_rate"].grade(value)
    return _BY_KEY[key].grade(value)


def shown(key: str, value: float | None) -> str:
    """The number as text."""
    return _BY_KEY[key].shown(value)


def title(key: str) -> str:
    """What a measure is called."""
    return _BY_KEY[key].title


def cards_of(values: SwapMeasures) -> list[Card]:
    """The cards of a swap; where no face is found in it, fewer."""
    was = values.target_distance
    under = "same person below 0.6" + ("" if was is None else f"; the target has {was:.2f}")
    cards = [_card("identity_distance", values.identity_distance, under)]
    if not values.detected:
        return [*cards, Card("detected", "Face", "–", "none is found in the swap", "", "poor")]
    return [
        *cards,
        _card("sharpness", values.sharpness, "1: as sharp as the target's own face"),
        _card("lip_gap_error", values.lip_gap_error, _pair(values.lip_gap, values.lip_gap_target)),
        _eyes(values),
        _card("pose_error_degrees", values.pose_error_degrees, "degrees against the target"),
    ]


def verdict(cards: Sequence[Card]) -> tuple[Grade, str]:
    """The worst grade, and in words what it is given for: a swap is as good as what is worst of it."""
    worst: Grade = next((one for one in _WORST if any(card.grade == one for card in cards)), "unknown")
    if worst in {"good", "unknown"}:
        return worst, "Good by all measures" if worst == "good" else "Nothing could be measured"
    faults = [_FAULTS[card.key][worst == "fair"] for card in cards if card.grade == worst]
    return worst, f"{worst.capitalize()}: {', '.join(faults)}"


def same_person(values: SwapMeasures) -> bool:
    """Whether the target shows the reference already, so that a swap changes little."""
    return values.target_distance is not None and values.target_distance < _SAME_PERSON


def measured(values: SwapMeasures, identity: str) -> str:
    """The verdict and the cards as HTML, and a note where the target is the reference.

    Args:
        values: of a swap.
        identity: whose likeness it shows.
    """
    cards = cards_of(values)
    mark, text = verdict(cards)
    note = ""
    if same_person(values):
        note = (
            '<div class="note info" role="status"><b>'
            f"The person in the target already looks like {escape(identity)}</b>"
            "<span>So the swap changes little; choose another target or another likeness.</span></div>"
        )
    return (
        f'{note}<p class="verdict {mark}">{escape(text)}</p>'
        f'<div class="measures">{"".join(map(_html, cards))}</div>'
    )


def _card(key: str, value: float | None, under: str) -> Card:
    measure = _BY_KEY[key]
    tip = f"{measure.meaning} {measure.limits}."
    if key == "sharpness":  # of one swap there is no other picture to compare with
        tip = f"Fine detail of the swap over that of the target's own face. {measure.limits}."
    return Card(key, measure.title, measure.shown(value), under, tip, grade(key, value))


def _eyes(values: SwapMeasures) -> Card:
    return Card(
        "eye",
        "Eyes' opening",
        "–" if values.eye is None else f"{values.eye:.2f}",
        "" if values.eye_target is None else f"{values.eye_target:.2f} in the target",
        "How far the eyes are open, over their distance. People's eyes differ in shape, so this has no grade.",
        "unknown",
    )


def _pair(now: float | None, was: float | None) -> str:
    return "" if now is None or was is None else f"{now:.2f} here, {was:.2f} in the target"


def _html(card: Card) -> str:
    return (
        f'<div class="card {card.grade}" title="{escape(card.tip, quote=True)}"><em>{escape(card.title)}</em>'
        f"<b>{card.shown}</b><span>{escape(card.under)}</span></div>"
    )
