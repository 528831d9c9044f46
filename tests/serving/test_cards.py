from typing import Any

import numpy as np
import pytest

from faceswap.evaluation.single import SwapMeasures, measure_swap
from serving.results.metric_cards import cards_of, measured, same_person, verdict
from serving.waiting import duration, frames_told, said
from tests.swap.fakes import KnownFaces, face_at, smooth_noise

GOOD: dict[str, Any] = {
    "detected": 1,
    "identity_distance": 0.3,
    "target_distance": 0.8,
    "sharpness": 0.9,
    "lip_gap": 0.1,
    "lip_gap_target": 0.11,
    "lip_gap_error": 0.01,
    "pose_error_degrees": 2,
}


def made(**changes: Any) -> SwapMeasures:
    return SwapMeasures.model_validate(GOOD | changes)


def test_a_swap_is_as_good_as_what_is_worst_of_it() -> None:
    assert verdict(cards_of(made())) == ("good", "Good by all measures")
    assert verdict(cards_of(made(sharpness=0.1))) == ("poor", "Poor: clearly more blurred than the target")
    assert verdict(cards_of(made(sharpness=0.3))) == ("fair", "Fair: softer than the target")
    both = verdict(cards_of(made(identity_distance=0.7, lip_gap_error=0.2)))
    assert both == ("poor", "Poor: not taken for the reference, the mouth opens otherwise than the target's")
    assert verdict(cards_of(SwapMeasures(detected=0, identity_distance=1)))[0] == "poor"


def test_the_cards_show_what_they_compare() -> None:
    text = measured(made(), "ada")
    assert 'class="card good"' in text
    assert "0.10 here, 0.11 in the target" in text
    assert "the target has 0.80" in text
    assert "none is found" in measured(SwapMeasures(detected=0, identity_distance=1), "ada")


def test_the_same_person_as_target_and_reference_is_said() -> None:
    assert "already looks like ada" in measured(made(target_distance=0.2), "ada")
    assert "already looks like" not in measured(made(), "ada")
    assert "<b>" not in measured(made(target_distance=0.2), "<b>").split("looks like ")[1].split("</b>")[0]
    assert not same_person(SwapMeasures(detected=0, identity_distance=1))


def test_sharpness_is_the_swaps_detail_over_the_targets() -> None:
    image = smooth_noise(200, 320)
    finder = KnownFaces(face_at(80, 100, 90))
    same = measure_swap(image, image, finder.find(image)[0].box, np.zeros(128), finder)
    assert same.sharpness == pytest.approx(1)
    assert same.target_distance == same.identity_distance
    blurred = np.repeat(image[::1].mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    flat = np.full_like(image, 127)
    assert (measure_swap(image, flat, finder.find(image)[0].box, np.zeros(128), finder).sharpness) == 0
    assert measure_swap(flat, blurred, finder.find(image)[0].box, np.zeros(128), finder).sharpness is None


def test_a_video_tells_its_rate_and_the_time_left() -> None:
    now = [0.0]
    told: list[Any] = []

    def progress(at: Any, unit: str, desc: str) -> None:
        told.append((at, unit, desc))

    tell = frames_told(progress, lambda: now[0])  # type: ignore[arg-type]
    for done in range(0, 101, 10):
        tell(done, 600, "")
        now[0] += 0.5
    assert told[0] == ((0, 600), "frames", "swapping")
    assert told[-1] == ((100, 600), "frames", "swapping, 20 frames/s, about 25 s left")
    assert said(50, None, 4.2) == "swapping, 4.2 frames/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2, "a few seconds"),
        (22, "about 20 s"),
        (70, "about 1 min"),
        (200, "about 3 min"),
        (5400, "about 1.5 h"),
    ],
)
def test_waiting_times_are_round(seconds: float, text: str) -> None:
    assert duration(seconds) == text
