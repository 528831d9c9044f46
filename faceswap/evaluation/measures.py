"""What each number of a report is called, what it means, and from where on it is good."""

import math
from dataclasses import dataclass
from typing import Literal

Grade = Literal["good", "fair", "poor", "unknown"]


@dataclass(frozen=True)
class Measure:
    """One number of the report.

    Args:
        key: its name in report.json.
        title: for people.
        meaning: one or two plain sentences.
        good, poor: the limits between good, fair and poor.
        digits: after the point.
    """

    key: str
    title: str
    meaning: str
    good: float
    poor: float
    digits: int = 2

    @property
    def higher_is_better(self) -> bool:
        """True where a larger number is a better one."""
        return self.good > self.poor

    def grade(self, value: float | None) -> Grade:
        """Good, fair or poor; unknown for None and NaN."""
        if value is None or math.isnan(value):
            return "unknown"
        sign = 1 if self.higher_is_better else -1
        if sign * value >= sign * self.good:
            return "good"
        return "fair" if sign * value >= sign * self.poor else "poor"

    def shown(self, value: float | None) -> str:
        """The number as text, a dash where there is none."""
        return "–" if value is None or math.isnan(value) else f"{value:.{self.digits}f}"

    @property
    def limits(self) -> str:
        """The limits in words."""
        word, other = ("at least", "below") if self.higher_is_better else ("at most", "above")
        return f"good: {word} {self.good:g}; poor: {other} {self.poor:g}"


MEASURES: tuple[Measure, ...] = (
    Measure(
        "identity_distance",
        "Identity distance",
        "How far the swapped face is from the reference person, by face recognition. Two pictures of one person "
        "are usually closer than 0.6. A swap in which no face is found any more counts as 1.0.",
        0.45,
        0.6,
    ),
    Measure(
        "identity_top1",
        "Recognised as the reference",
        "Share of the swaps that face recognition takes for the reference rather than for any other person of "
        "this training.",
        0.95,
        0.7,
    ),
    Measure(
        "lip_gap_correlation",
        "Lips follow",
        "Does the mouth open and close with the target's? 1 in step, 0 not at all. Landmarks are noisy: a network "
        "of 64 px that changes nothing reaches 0.8 to 0.9. A dash means that one of the two mouths hardly moved, "
        "so there is nothing to compare.",
        0.7,
        0.4,
    ),
    Measure(
        "lip_gap_error",
        "Lip error",
        "Mean difference of the lips' opening to the target's, in distances between the eyes.",
        0.04,
        0.08,
        3,
    ),
    Measure(
        "eye_correlation",
        "Eyes follow",
        "Do the eyes close with the target's? 1 in step, 0 not at all. A dash means that nobody blinked in these "
        "frames, so there is nothing to compare.",
        0.6,
        0.3,
    ),
    Measure(
        "eye_openness_error",
        "Eye error",
        "Mean difference of how far the eyes are open to the target's, in shares of each person's usual opening: "
        "people's eyes differ in shape. Landmarks are noisy: true swaps of rendered people have 0.08 to 0.17.",
        0.2,
        0.4,
    ),
    Measure(
        "pose_error_degrees",
        "Pose error",
        "Mean difference of the head's turn, nod and tilt to the target's, in degrees. "
        "It does not reach 0, since faces of different shape look turned differently.",
        5,
        9,
        1,
    ),
    Measure(
        "sharpness",
        "Sharpness",
        "Fine detail of the swap over that of the reference's real pictures: 1 is as sharp, 0.1 is clearly "
        "blurred. Above 1.5 it is noise rather than detail.",
        0.5,
        0.2,
    ),
    Measure(
        "reconstruction_mae",
        "Reconstruction error",
        "How far the network's picture of the reference is from the reference's own held-out faces: mean "
        "difference per pixel, 0 to 1.",
        0.03,
        0.06,
        3,
    ),
    Measure(
        "reconstruction_ssim",
        "Reconstruction similarity",
        "Structural similarity (SSIM) of the same pictures: 1 is equal.",
        0.85,
        0.7,
    ),
    Measure(
        "detection_rate",
        "Face found",
        "Share of the swaps in which a face is found at its place. A low share means that the swaps fall apart.",
        0.98,
        0.9,
    ),
)

TRUTH_MEASURES: tuple[Measure, ...] = (
    Measure(
        "truth_ssim",
        "Similarity to the truth",
        "Only for fictional people, of whom the true swap can be rendered: SSIM of the swapped area with it. "
        "Colours fitted to the target's skin lower it where the two skins differ.",
        0.8,
        0.6,
    ),
    Measure("truth_psnr", "Fidelity to the truth", "The same as signal over error, in dB.", 24, 18, 1),
    Measure(
        "truth_ssim_unswapped",
        "… of the unswapped target",
        "What the target itself reaches: a swap has to be better than that.",
        0.8,
        0.6,
    ),
    Measure(
        "truth_psnr_unswapped", "… of the unswapped target, dB", "The same as signal over error.", 24, 18, 1
    ),
)
