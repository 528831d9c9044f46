"""How good one swap is, on the very picture or video that somebody asked for."""

import math
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from faceswap.errors import NoFaceFound
from faceswap.evaluation import metrics
from faceswap.evaluation.protocol import UNDETECTED_DISTANCE, face_at, state_of
from faceswap.faces.finding.dlib_finder import Box, Face
from faceswap.faces.finding.finder import Finder
from faceswap.media.video.reading import VideoReader
from faceswap.swap.assignment import Assignment
from faceswap.swap.swapper import Swapper

Image = NDArray[np.uint8]


class SwapMeasures(BaseModel):
    """The protocol's measures (see :mod:`faceswap.evaluation.protocol`) of one picture, or the means over frames.

    Openings are over the distance between the eyes; people's eyes differ in shape, so one picture tells no error of
    theirs. Where no face is found in the swap, ``detected`` is 0, the
    identity distance 1.0, and the rest None.
    """

    model_config = ConfigDict(frozen=True)

    frames: int = Field(1, description="faces or frames that were looked at")
    detected: float = Field(description="share of them in which a face is found at its place")
    identity_distance: float = Field(description="embedding distance to the reference; same person below 0.6")
    target_distance: float | None = Field(
        None, description="embedding distance of the target's own face to the reference, before the swap"
    )
    sharpness: float | None = Field(
        None, description="fine detail of the swap (Laplacian variance) over that of the target's own face"
    )
    lip_gap: float | None = Field(None, description="opening of the lips in the swap")
    lip_gap_target: float | None = Field(None, description="and in the target")
    lip_gap_error: float | None = None
    eye: float | None = Field(None, description="opening of the eyes in the swap")
    eye_target: float | None = Field(None, description="and in the target")
    pose_error_degrees: float | None = Field(None, description="mean of yaw, pitch and roll")


def measure_swap(
    before: Image, after: Image, box: Box, reference: NDArray[np.float64], finder: Finder
) -> SwapMeasures:
    """Detect, recognise and compare the face of one swap; about 0.2 s.

    Args:
        before: (H, W, 3) uint8 RGB, the target.
        after: likewise, its swap.
        box: of the target's face.
        reference: (128,) mean embedding of the reference.
        finder: detects and embeds; a careful one, since a single detection of the lips errs as much as a good swap.
    """
    target = finder.landmarks(before, box)
    own = float(metrics.identity_distances(finder.embed(before, target), reference)[0])
    face = face_at(finder.find(after), target)
    if face is None:
        return SwapMeasures(detected=0.0, identity_distance=UNDETECTED_DISTANCE, target_distance=own)
    embedding = finder.embed(after, face.landmarks)
    # Both at the same place: where the swap's landmarks lie a little elsewhere, another part of the face would count.
    detail = [metrics.laplacian_variance(image, target) for image in (after, before)]
    now, was = state_of(face.landmarks), state_of(target)
    poses = [np.array([[state["yaw"], state["pitch"], state["roll"]]]) for state in (now, was)]
    return SwapMeasures(
        detected=1.0,
        identity_distance=float(metrics.identity_distances(embedding, reference)[0]),
        target_distance=own,
        sharpness=_finite(metrics.sharpness_ratio(detail[:1], detail[1:])),
        lip_gap=now["lip_gap"],
        lip_gap_target=was["lip_gap"],
        lip_gap_error=abs(now["lip_gap"] - was["lip_gap"]),
        eye=now["eye"],
        eye_target=was["eye"],
        pose_error_degrees=_finite(metrics.pose_error_degrees(*poses)),
    )


def measure_video(
    before: Path,
    after: Path,
    swapper: Swapper,
    reference: NDArray[np.float64],
    finder: Finder,
    frames: int = 5,
) -> SwapMeasures:
    """The means over evenly spaced frames of a swapped video; about 0.4 s a frame.

    Args:
        before: the target video.
        after: its swap, with as many frames.
        swapper: which detects, and chooses the person where one was chosen.
        reference: (128,) mean embedding of the reference.
        finder: as for :func:`measure_swap`.
        frames: at most so many.

    Raises:
        NoFaceFound: none of the frames shows a face that was to be swapped.
    """
    measured: list[SwapMeasures] = []
    with VideoReader(before) as old, VideoReader(after) as new:
        every = max(1, (new.info.frames or frames) // frames)
        pairs = zip(old.frames(every), new.frames(every), strict=False)
        for one, other in islice(pairs, frames):
            found = swapper.finder.find(one.image)
            chosen = first_chosen(found, swapper.select(one.image, found))
            if chosen is not None:
                measured.append(measure_swap(one.image, other.image, chosen.box, reference, finder))
    if not measured:
        raise NoFaceFound(f"None of {frames} frames of {before.name} shows the face that was swapped")
    return mean_of(measured)


def first_chosen(faces: Sequence[Face], choices: Sequence[Assignment]) -> Face | None:
    """The first face, the largest, that is given a reference."""
    return next((face for face, choice in zip(faces, choices, strict=True) if isinstance(choice, int)), None)


def mean_of(measured: Sequence[SwapMeasures]) -> SwapMeasures:
    """The means of several measures; None is left out.

    Raises:
        ValueError: there are none.
    """
    if not measured:
        raise ValueError("the mean of no measures has no meaning")
    means: dict[str, float | None] = {}
    for key in SwapMeasures.model_fields:
        values = [value for one in measured if (value := getattr(one, key)) is not None]
        means[key] = float(np.mean(values)) if values else None
    return SwapMeasures.model_validate(means | {"frames": sum(one.frames for one in measured)})


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
