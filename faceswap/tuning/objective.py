"""What makes a swap good, as one number: a weighted mean of the measures of the evaluation protocol."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:  # it brings pandas, and every trial's process imports this
    from faceswap.evaluation.result import PairResult

FAILED = 0.0
"""The quality of a trial that did not finish: the lower end of the scale."""
_POSE_LIMIT = 10.0
MEASURES = (
    "identity_distance",
    "lip_gap_correlation",
    "eye_correlation",
    "sharpness",
    "reconstruction_ssim",
    "pose_error_degrees",
    "detection_rate",
)


class Objective(BaseModel):
    """Weights of the terms, each from 0 (useless) to 1 (perfect); a weight of 0 leaves a term out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: float = Field(1.0, ge=0, description="1 - identity distance")
    lips: float = Field(0.5, ge=0, description="correlation of the lip gap, negative ones count as 0")
    eyes: float = Field(0.1, ge=0, description="correlation of the eyes' openness, negative ones count as 0")
    sharpness: float = Field(0.25, ge=0, description="ratio to the real faces' sharpness, or its inverse")
    structure: float = Field(0.25, ge=0, description="SSIM of the own held-out faces")
    pose: float = Field(0.1, ge=0, description="1 at no error, 0 at 10 degrees")
    detection: float = Field(0.1, ge=0, description="share of the swaps in which a face is found")

    @model_validator(mode="after")
    def _something(self) -> "Objective":
        if not any(self.model_dump().values()):
            raise ValueError("at least one weight must be above 0")
        return self

    def terms(self, measures: Mapping[str, float]) -> dict[str, float]:
        """Each term (0..1) whose measure is there and finite.

        Args:
            measures: by the names in ``PairResult``, means over the pairs.
        """
        found = {
            "identity": 1 - measures.get("identity_distance", math.nan),
            "lips": measures.get("lip_gap_correlation", math.nan),
            "eyes": measures.get("eye_correlation", math.nan),
            "sharpness": _likeness(measures.get("sharpness", math.nan)),
            "structure": measures.get("reconstruction_ssim", math.nan),
            "pose": 1 - measures.get("pose_error_degrees", math.nan) / _POSE_LIMIT,
            "detection": measures.get("detection_rate", math.nan),
        }
        return {k: min(1.0, max(0.0, v)) for k, v in found.items() if math.isfinite(v)}

    def quality(self, measures: Mapping[str, float]) -> float:
        """The weighted mean of the terms, 0..1; terms without a measure are left out with their weight."""
        terms, weights = self.terms(measures), self.model_dump()
        total = sum(weights[name] for name in terms)
        if not total:
            return FAILED
        return sum(weights[name] * value for name, value in terms.items()) / total


def _likeness(ratio: float) -> float:
    """1 for a ratio of 1, less for a blurred and for an overdone picture alike."""
    return min(ratio, 1 / ratio) if ratio > 0 else ratio * 0


def mean_measures(pairs: Iterable["PairResult"]) -> dict[str, float]:
    """Means over pairs of :data:`MEASURES`; what no pair has is left out.

    A pair whose swaps show no detectable face has no expression and no pose to compare: it counts as a
    correlation of 0 and as the largest pose error, so that a useless model never wins by being unmeasurable.
    """
    columns: dict[str, list[float]] = {name: [] for name in MEASURES}
    for pair in pairs:
        lost = pair.detection_rate < 0.5
        worst = {"lip_gap_correlation": 0.0, "eye_correlation": 0.0, "pose_error_degrees": _POSE_LIMIT}
        for name in MEASURES:
            value = float(getattr(pair, name))
            columns[name].append(worst[name] if lost and name in worst else value)
    return {
        name: float(np.nanmean(values)) for name, values in columns.items() if not np.all(np.isnan(values))
    }
