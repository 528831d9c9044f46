"""The one table of measures: what each number of an evaluation is called, what it means, and when it is good.

The report, the app, the gates of a promotion, the command line's tables and docs/measures.md read it; nothing else
says what a good value is.
"""

import math
from dataclasses import dataclass
from typing import Literal

Grade = Literal["good", "fair", "poor", "unknown"]


@dataclass(frozen=True)
class Measure:
    """One number of an evaluation.

    Args:
        key: its name in report.json, and the field of :class:`faceswap.evaluation.pair_result.PairResult`.
        title: for people.
        meaning: one or two plain sentences.
        good, poor: the limits between good, fair and poor; higher is better where ``good`` is the larger.
        digits: after the point.
        unit: of the number, in words; empty for a share, a ratio or a correlation.
        definition: the meaning in one line, for the table of docs/measures.md; empty: it is not in that table.
        short: the head of a narrow column; empty: it is not shown in one.
        overdone: from here on a higher number is at most fair, though higher is better below it.
        minimum_frames: held-out frames below which the number says nothing.
        gate: what a version has to reach for production; None: that is not asked.
        margin: how much worse than the version in production it may be.
        worst: what counts for a pair whose swaps mostly show no face, which has nothing to measure; None: such a
            pair has a number all the same.
        remedy: what helps where it is fair or poor, as the end of a sentence; empty: nothing in particular.
    """

    key: str
    title: str
    meaning: str
    good: float
    poor: float
    digits: int = 2
    unit: str = ""
    definition: str = ""
    short: str = ""
    overdone: float = math.inf
    minimum_frames: int = 1
    gate: float | None = None
    margin: float | None = None
    worst: float | None = None
    remedy: str = ""

    @property
    def higher_is_better(self) -> bool:
        """True where a larger number is a better one."""
        return self.good > self.poor

    @property
    def direction(self) -> Literal["higher", "lower"]:
        """Which numbers are better."""
        return "higher" if self.higher_is_better else "lower"

    def grade(self, value: float | None) -> Grade:
        """Good, fair or poor; unknown for None and NaN."""
        if value is None or math.isnan(value):
            return "unknown"
        sign = 1 if self.higher_is_better else -1
        if sign * value >= sign * self.good:
            return "good" if value <= self.overdone else "fair"
        return "fair" if sign * value >= sign * self.poor else "poor"

    def shown(self, value: float | None) -> str:
        """The number as text, a dash where there is none."""
        return "–" if value is None or math.isnan(value) else f"{value:.{self.digits}f}"

    def missing(self, frames: int) -> str:
        """Why there is no number on so many frames, in words."""
        if frames < self.minimum_frames:
            return f"{frames} frames are too few for it, it takes {self.minimum_frames}"
        return "nothing to measure it by was found in these frames"

    @property
    def limits(self) -> str:
        """The limits in words."""
        word, other = ("at least", "below") if self.higher_is_better else ("at most", "above")
        limit = f"good: {word} {self.good:g}"
        if math.isfinite(self.overdone):
            limit += f", up to {self.overdone:g}"
        return f"{limit}; poor: {other} {self.poor:g}"


MEASURES: tuple[Measure, ...] = (
    Measure(
        "identity_distance",
        "Identity distance",
        "How far the swapped face is from the reference person, by face recognition. Two pictures of one person "
        "are usually closer than 0.6. A swap in which no face is found any more counts as 1.0.",
        good=0.45,
        poor=0.6,
        unit="distance of embeddings",
        definition="distance of the swap's face embedding to the reference's mean; the same person below 0.6",
        short="identity",
        gate=0.6,
        margin=0.03,
        remedy="train longer, and with more footage of the reference, in the light and poses of the target",
    ),
    Measure(
        "identity_top1",
        "Recognised as the reference",
        "Share of the swaps that face recognition takes for the reference rather than for any other person of "
        "this training.",
        good=0.95,
        poor=0.7,
        definition="share of swaps whose nearest identity is the reference",
        short="top-1",
        gate=0.9,
        margin=0.05,
    ),
    Measure(
        "lip_gap_correlation",
        "Lips follow",
        "Does the mouth open and close with the target's? 1 in step, 0 not at all. Landmarks are noisy: a network "
        "of 64 px that changes nothing reaches 0.8 to 0.9. A dash means that one of the two mouths hardly moved, "
        "so there is nothing to compare.",
        good=0.7,
        poor=0.4,
        definition="do the swap's lips open when the target's do: 1 in step, 0 not at all",
        short="lips",
        minimum_frames=8,
        gate=0.3,
        margin=0.1,
        worst=0.0,
        remedy="add footage in which the reference speaks, and train longer",
    ),
    Measure(
        "lip_gap_error",
        "Lip error",
        "Mean difference of the lips' opening to the target's, in distances between the eyes.",
        good=0.04,
        poor=0.08,
        digits=3,
        unit="distances between the eyes",
        definition="how much further or less far than the target's the lips are open",
    ),
    Measure(
        "eye_correlation",
        "Eyes follow",
        "Do the eyes close with the target's? 1 in step, 0 not at all. A dash means that nobody blinked in these "
        "frames, so there is nothing to compare.",
        good=0.6,
        poor=0.3,
        definition="the same as for the lips, for the eyes",
        minimum_frames=8,
        worst=0.0,
    ),
    Measure(
        "eye_openness_error",
        "Eye error",
        "Mean difference of how far the eyes are open to the target's, in shares of each person's usual opening: "
        "people's eyes differ in shape. Landmarks are noisy: true swaps of rendered people have 0.08 to 0.17.",
        good=0.2,
        poor=0.4,
        unit="shares of each person's usual opening",
        definition="how much further or less far than the target's the eyes are open",
    ),
    Measure(
        "gaze_error",
        "Gaze error",
        "Mean distance of where the irises lie between the corners of the eyes to where the target's lie, in halves of "
        "the eyes' width: 0.1 is hardly seen. True swaps of rendered people have 0.07, eyes that look elsewhere 0.17.",
        good=0.1,
        poor=0.17,
        unit="halves of the eyes' width",
        definition="how far the irises lie from where the target's lie between the corners of the eyes",
        remedy="add footage in which the reference looks as far to the sides as the target does",
    ),
    Measure(
        "pose_error_degrees",
        "Pose error",
        "Mean difference of the head's turn, nod and tilt to the target's, in degrees. "
        "It does not reach 0, since faces of different shape look turned differently.",
        good=5,
        poor=9,
        digits=1,
        unit="degrees",
        definition="roll, yaw and pitch of swap against target",
        short="pose °",
        gate=10,
        margin=1.5,
        worst=10,
        remedy="add footage in which the reference turns the head as far as the target does",
    ),
    Measure(
        "sharpness",
        "Sharpness",
        "Fine detail of the swap over that of the reference's real pictures: 1 is as sharp, 0.1 is clearly "
        "blurred. Above 1.5 it is noise rather than detail.",
        good=0.5,
        poor=0.2,
        definition="Laplacian variance over that of the reference's real faces: 1 is as sharp",
        short="sharp",
        overdone=1.5,
        gate=0.05,
        margin=0.2,
        remedy="train longer, or with --preset hd128",
    ),
    Measure(
        "seam",
        "Seam",
        "The step of colours across the border of the swap that the target does not show there: 1 could just be seen "
        "on even skin, above 12 the border is plain to see. Hair and features at the border count, too.",
        good=6,
        poor=12,
        digits=1,
        unit="CIEDE2000",
        definition="step of colours across the mask's border that neither the target nor, of fictional people, the "
        "true swap has there",
    ),
    Measure(
        "reconstruction_mae",
        "Reconstruction error",
        "How far the network's picture of the reference is from the reference's own held-out faces: mean "
        "difference per pixel, 0 to 1.",
        good=0.03,
        poor=0.06,
        digits=3,
        definition="the identity's own held-out faces through its own decoder: mean difference",
    ),
    Measure(
        "reconstruction_ssim",
        "Reconstruction similarity",
        "Structural similarity (SSIM) of the same pictures: 1 is equal.",
        good=0.85,
        poor=0.7,
        definition="the same as structural similarity",
        short="SSIM",
    ),
    Measure(
        "detection_rate",
        "Face found",
        "Share of the swaps in which a face is found at its place. A low share means that the swaps fall apart.",
        good=0.98,
        poor=0.9,
        definition="share of the swaps in which a face is found at its place",
    ),
)

TRUTH_MEASURES: tuple[Measure, ...] = (
    Measure(
        "truth_ssim",
        "Similarity to the truth",
        "Only for fictional people, of whom the true swap can be rendered: SSIM of the swapped area with it. "
        "Colours fitted to the target's skin lower it where the two skins differ.",
        good=0.8,
        poor=0.6,
    ),
    Measure("truth_psnr", "Fidelity to the truth", "The same as signal over error, in dB.", 24, 18, 1, "dB"),
    Measure(
        "truth_ssim_unswapped",
        "… of the unswapped target",
        "What the target itself reaches: a swap has to be better than that.",
        good=0.8,
        poor=0.6,
    ),
    Measure(
        "truth_psnr_unswapped",
        "… of the unswapped target, dB",
        "The same as signal over error.",
        24,
        18,
        1,
        "dB",
    ),
)

BY_KEY = {measure.key: measure for measure in (*MEASURES, *TRUTH_MEASURES)}
"""Key -> measure."""
COLUMNS = tuple(measure for measure in MEASURES if measure.short)
"""The measures that a narrow table shows: what a version is judged by."""


def markdown_table() -> str:
    """The table of docs/measures.md."""
    lines = ["| key | meaning | good | poor |", "|---|---|---|---|"]
    for one in (measure for measure in MEASURES if measure.definition):
        good, poor = (part.split(": ", 1)[1] for part in one.limits.split("; "))
        unit = f" ({one.unit})" if one.unit else ""
        lines.append(f"| `{one.key}` | {one.definition}{unit} | {good} | {poor} |")
    return "\n".join(lines)
