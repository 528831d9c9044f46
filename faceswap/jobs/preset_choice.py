"""The preset of a job that names none: as many pixels as this machine trains in the time and its face sets show."""

import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from faceswap import backend
from faceswap.errors import FaceswapError
from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.model.presets import PRESETS, Preset, preset

if TYPE_CHECKING:  # it brings OpenCV and pandas
    from faceswap.faces.faceset import FaceSet

logger = logging.getLogger(__name__)
PresetName = StrEnum("PresetName", {name: name for name in PRESETS})  # type: ignore[misc]
Check = Callable[[Preset], None]
"""Raises a :class:`FaceswapError` where a job's input does not suit a preset."""


def _known(value: object) -> object:
    """An unknown name gets an error that lists the known; an empty one is none."""
    if isinstance(value, str) and value and value not in PRESETS:
        preset(value)
    return value or None


MachinesPreset = Annotated[
    PresetName | None,
    BeforeValidator(_known),
    Field(
        description=f"architecture and training recipe; empty: {backend.LARGE_PRESET} where a GPU trains, else "
        f"{backend.PATIENT_PRESET} from {backend.PATIENT_MINUTES:g} minutes on, else {backend.SMALL_PRESET}"
    ),
]


def preset_for(named: PresetName | None, minutes: float | None, *checks: Check) -> PresetName:
    """The preset that is named, else the largest for this machine and time that suits the input; the log says which.

    Args:
        named: by the user; it is taken whatever the checks say, since the job itself says what does not fit.
        minutes: of the training; None: a few.
        checks: of the input.
    """
    if named is not None:
        return named
    *larger, smallest = backend.presets_here(minutes)
    for name in larger:
        try:
            for check in checks:
                check(preset(name))
        except FaceswapError as error:
            logger.warning("Preset %s is not taken: %s (%s)", name, error.message, error.fix or "")
            continue
        reason = "a GPU trains" if backend.trains_on_gpu() else "there is time"
        logger.info("Preset %s, since %s and none is named", name, reason)
        return PresetName(name)
    return PresetName(smallest)


def crops_of(sets: "Mapping[str, FaceSet]") -> Check:
    """Whether the crops of these face sets show all that a preset generates."""

    def check(one: Preset) -> None:
        from faceswap.model.training.dataset import check_crops  # it brings OpenCV

        for identity, faces in sets.items():
            check_crops(identity, faces.geometry, one)

    return check


def sized_for(options: ExtractionOptions, name: str) -> ExtractionOptions:
    """The options with crops as large as this preset needs them."""
    return options.model_copy(update={"size": options.fitting(preset(name).geometry).size})
