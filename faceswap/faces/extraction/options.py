"""What one may choose about an extraction."""

import math
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from faceswap.faces.finding.finder_names import DETECTOR_MEANS, Detector
from faceswap.faces.finding.turn import Turn

if TYPE_CHECKING:
    from faceswap.faces.geometry import Geometry


class ExtractionOptions(BaseModel):
    """How faces are found, cropped and chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(1, ge=1, description="videos: take every N-th frame")
    start: float | None = Field(None, ge=0, description="videos: first second")
    end: float | None = Field(None, gt=0, description="videos: last second")
    size: int = Field(448, ge=64, le=1024, description="side of the stored crops, px")
    coverage: float = Field(
        2.6,
        ge=1.5,
        le=4,
        description="side of the stored crops in face heights: the whole face (2.25), and a margin to move it in",
    )
    centre: float = Field(
        -0.25,
        ge=-1,
        le=1,
        description="how far the stored crops' centre lies below that of brows, eyes, nose and mouth, in face heights",
    )
    detector: Detector = Field("hog", description=DETECTOR_MEANS)
    min_face: int = Field(
        30, ge=15, le=1000, description="faces less high (brows to lower lip, px) are dropped"
    )
    min_sharpness: float = Field(
        8.0, ge=0, description="least Laplacian variance at 128 px; 0 keeps blurred faces"
    )
    max_yaw: float = Field(75.0, gt=0, le=90, description="faces turned further are dropped, degrees")
    identity_threshold: float = Field(
        0.6, gt=0, le=1.5, description="largest embedding distance to the person"
    )
    hash_distance: int = Field(
        2, ge=-1, le=32, description="near-duplicates differ in so few bits; -1 keeps all"
    )
    max_faces: int = Field(5000, ge=10, description="most faces of a set, evenly chosen")

    turn: Turn = Field(
        "auto",
        description="degrees by which the media are turned clockwise, if heads lie on their side or upside down; auto: "
        "as they are, and in the other ways where that shows no face",
    )

    @property
    def geometry(self) -> "Geometry":
        """Of the stored crops."""
        from faceswap.faces.geometry import Geometry  # it brings OpenCV

        return Geometry(self.size, self.coverage, self.centre)

    def fitting(self, view: "Geometry") -> "ExtractionOptions":
        """The same, with stored crops that are large enough for a network's view: no pixel of it is made up."""
        needed = view.unit * self.coverage
        return self if needed <= self.size else self.model_copy(update={"size": 32 * math.ceil(needed / 32)})
