"""One result of the app: its files, what made it, and what is needed to measure it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Face
from faceswap.swap.options import SwapOptions
from faceswap.swap.video.stream import VideoReport
from serving.catalogue import Served


@dataclass(frozen=True)
class Swapped:
    """One result: its files, what made it, and what is needed to measure it.

    Attributes:
        kind: of the target.
        target: the file that was edited.
        result: the written file, labelled and with its provenance.
        served: the version.
        options: how the face was put in.
        faces: that were swapped, as they were in the turned target; empty for a video.
        seconds: of work.
        video: counts, for a video.
        match: (128,) embedding of the one person who was chosen, for a video.
    """

    kind: Literal["picture", "video"]
    target: Path
    result: Path
    served: Served
    options: SwapOptions
    faces: tuple[Face, ...] = ()
    seconds: float = 0.0
    video: VideoReport | None = None
    match: NDArray[np.float64] | None = field(default=None, repr=False)
    turn: int = 0
    """Degrees by which the target was turned clockwise so that heads stand upright."""
    remarks: tuple[str, ...] = ()
    """What was damaged in a picture or could not be kept, in sentences."""
    link: str = ""
    """Address in S3 that opens the result for a while, for whoever is given it; empty: there is none."""
