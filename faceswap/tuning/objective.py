"""What makes a swap good, as one number: a weighted mean of the measures of the evaluation protocol."""

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

from faceswap.evaluation.grading.measures import BY_KEY

FAILED = 0.0
"""The quality of a trial that did not finish: the lower end of the scale."""
_POSE_LIMIT = BY_KEY["pose_error_degrees"].worst or math.nan
"""Degrees at which the term of the pose is 0."""


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
