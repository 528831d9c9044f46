"""What a person can put on or off: hair that falls over the face, glasses, make-up."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from faceswap.synthetic.traits import Traits, linear

Rgb = tuple[float, float, float]
"""Red, green, blue in sRGB, 0 .. 255."""

Glasses = Literal["as drawn", "none", "thin", "dark"]

COVERING = ("bangs", "curtains", "swept")
"""Hair that lies over forehead and temples: cut off above the brows; parted in the middle; combed over from a side."""

WORN = (
    "style",
    "hairline",
    "hair_volume",
    "hair_part",
    "fringe",
    "hair",
    "glasses",
    "frames",
    "frame_radius",
)
"""The traits that are worn: who lies under them may be another person."""

_THIN, _DARK = 0.07, 0.24
"""Radius of the frames, cm."""


@dataclass(frozen=True)
class MakeUp:
    """Colours laid on the face, each with the share of the skin that it hides, 0 .. 1."""

    lips: Rgb = (150, 20, 40)
    lips_share: float = 0.0
    lids: Rgb = (90, 60, 80)
    lids_share: float = 0.0
    cheeks: Rgb = (200, 90, 90)
    cheeks_share: float = 0.0
    brows: float = 0.0
    """How much darker and thicker the brows are, 0 .. 1."""
    liner: float = 0.0
    """Width of the line at the lashes, 0 .. 1."""


@dataclass(frozen=True)
class Styling:
    """Changes to the looks that a seed gives; the default changes nothing."""

    hair: str | None = None
    """A style: one of :data:`COVERING`, or of those that seeds draw."""
    hair_color: Rgb | None = None
    hair_part: float | None = None
    """Where it is parted, -1 .. 1."""
    fringe: float = 0.3
    """Where hair over the forehead ends, cm above the middle of the brows; below 0 they are covered."""
    glasses: Glasses = "as drawn"
    frames: Rgb = (26, 24, 26)
    make_up: MakeUp | None = None
    beard: float | None = None
    masculine: float | None = None
    brow_height: float | None = None
    """Of the brows over the eyes, cm."""


AS_DRAWN = Styling()


def styled(traits: Traits, styling: Styling) -> Traits:
    """Return the looks with a styling's changes."""
    changes: dict[str, object] = {}
    if styling.hair_color is not None:
        changes["hair"] = linear(styling.hair_color)
        changes["brows"] = linear(styling.hair_color) * np.float32(0.5)
    for name in ("hair_part", "beard", "masculine", "brow_height"):
        value = getattr(styling, name)
        if value is not None:
            changes[name] = value
    if styling.hair is not None:
        changes["style"] = styling.hair
    if styling.hair in COVERING:
        changes["fringe"] = float(changes.get("brow_height", traits.brow_height)) + styling.fringe  # type: ignore[arg-type]
    if styling.glasses != "as drawn":
        changes["glasses"] = styling.glasses != "none"
        changes["frames"] = linear(styling.frames)
        changes["frame_radius"] = _THIN if styling.glasses == "thin" else _DARK
    traits = replace(traits, **changes)  # type: ignore[arg-type]
    return made_up(traits, styling.make_up) if styling.make_up else traits


def made_up(traits: Traits, make_up: MakeUp) -> Traits:
    """Return the looks under make-up."""
    lips = np.float32(make_up.lips_share)
    return replace(
        traits,
        lips=traits.lips * (1 - lips) + linear(make_up.lips) * lips,
        brows=traits.brows * np.float32(1 - 0.85 * make_up.brows),
        brow_thickness=traits.brow_thickness * (1 + 0.6 * make_up.brows),
        eye_liner=max(traits.eye_liner, make_up.liner),
        lid_color=(linear(make_up.lids), make_up.lids_share),
        cheek_color=(linear(make_up.cheeks), make_up.cheeks_share),
    )


def random_styling(rng: np.random.Generator) -> Styling:
    """Draw a styling: of four people three have hair over the face, every third glasses, every third make-up."""
    hair = str(rng.choice(COVERING)) if rng.random() < 0.75 else None
    natural = [(28, 24, 22), (58, 40, 30), (96, 66, 44), (130, 72, 40), (186, 148, 98), (206, 182, 142)]
    color = np.array(natural[rng.integers(6)]) * rng.uniform(0.8, 1.15)
    if rng.random() < 0.08:
        color = rng.uniform(20, 220, 3)
    make_up = None
    if rng.random() < 0.35:
        lips = np.array([(150, 20, 40), (190, 70, 80), (110, 20, 40), (210, 60, 40)])[rng.integers(4)]
        make_up = MakeUp(
            lips=_rgb(lips * rng.uniform(0.8, 1.15)),
            lips_share=float(rng.uniform(0.3, 0.95)),
            lids=_rgb(rng.uniform(20, 160, 3)),
            lids_share=float(rng.uniform(0, 0.7)),
            cheeks_share=float(rng.uniform(0, 0.5)),
            brows=float(rng.uniform(0, 1)),
            liner=float(rng.uniform(0, 1)),
        )
    return Styling(
        hair=hair,
        hair_color=_rgb(color) if hair else None,
        hair_part=float(rng.uniform(-1, 1)),
        fringe=float(rng.uniform(-0.5, 2.0)),
        glasses=("thin", "dark")[rng.integers(2)] if rng.random() < 0.3 else "none",
        frames=_rgb(rng.uniform(10, 60, 3) if rng.random() < 0.7 else rng.uniform(20, 200, 3)),
        make_up=make_up,
    )


def _rgb(values: np.ndarray) -> Rgb:
    red, green, blue = (float(value) for value in np.clip(values, 0, 255))
    return red, green, blue
