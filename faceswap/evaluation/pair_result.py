"""The numbers of one reference -> target pair, and the frames that they come from."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class PairResult(BaseModel):
    """Measures of one reference's likeness on one target's held-out frames; NaN where one has no meaning."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    reference: str
    target: str
    frames: int = Field(description="held-out frames that were swapped")
    detection_rate: float = Field(description="share of the swaps in which a face is found at its place")
    identity_distance: float = Field(description="mean embedding distance to the reference; undetected: 1.0")
    identity_top1: float = Field(description="share of swaps nearest to the reference; undetected: a miss")
    lip_gap_correlation: float
    lip_gap_error: float
    eye_correlation: float
    eye_openness_error: float = Field(description="in shares of each person's usual opening")
    gaze_error: float = Field(math.nan, description="in halves of the eyes' width; NaN: no open eyes")
    pose_error_degrees: float
    sharpness: float
    seam: float = Field(float("nan"), description="NaN where the mask of the swaps is not known")
    reconstruction_mae: float
    reconstruction_ssim: float
    truth_ssim: float | None = Field(None, description="only with a truth, inside the face")
    truth_psnr: float | None = None
    truth_ssim_unswapped: float | None = Field(
        None, description="the same for the target as it is: the baseline"
    )
    truth_psnr_unswapped: float | None = None

    table: pd.DataFrame = Field(default_factory=pd.DataFrame, exclude=True, repr=False)
    """One row per frame, in time order: row (its number among the target's held-out faces), detected,
    identity_distance, nearest, lip_gap, lip_gap_target, eye, eye_target, gaze_x, gaze_y, yaw, pitch, roll, each also
    _target, sharpness, seam."""
    originals: NDArray[np.uint8] = Field(
        default_factory=lambda: np.empty((0, 0, 0, 3), np.uint8), exclude=True, repr=False
    )
    """(frames, S, S, 3) the target's crops, grey where they reach beyond the frame."""
    swaps: NDArray[np.uint8] = Field(
        default_factory=lambda: np.empty((0, 0, 0, 3), np.uint8), exclude=True, repr=False
    )
    """(frames, S, S, 3) the same crops, swapped."""
    truths: NDArray[np.uint8] = Field(
        default_factory=lambda: np.empty((0, 0, 0, 3), np.uint8), exclude=True, repr=False
    )
    """(frames, S, S, 3) the same crops, truly of the reference; none where nobody knows."""

    def metrics(self) -> dict[str, float]:
        """All numbers that are there, NaN left out: what a tracker takes."""
        values = self.model_dump()
        return {
            key: float(value)
            for key, value in values.items()
            if isinstance(value, int | float) and math.isfinite(value)
        }

    def to_report(self) -> dict[str, Any]:
        """Plain values for JSON: NaN and infinity become None; truth only where there is one."""
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in self.model_dump().items()
            if not (key.startswith("truth_") and value is None)
        }
