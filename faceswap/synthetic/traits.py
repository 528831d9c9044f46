"""What makes a person look like nobody else: about sixty numbers, drawn from a seed."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""An array of float32, unless its name says otherwise."""

Color = NDArray[Any]
"""Red, green, blue in linear light, float32."""

STYLES_FEMININE = ("long", "medium", "short", "fringe")
STYLES_MASCULINE = ("short", "short", "buzz", "bald", "medium")

_SKIN = np.array(
    [(255, 222, 200), (244, 204, 172), (224, 172, 132), (190, 134, 94), (150, 102, 72), (118, 80, 60)]
)
_HAIR = np.array(
    [
        (26, 23, 22),
        (50, 35, 27),
        (92, 62, 40),
        (122, 62, 36),
        (188, 150, 98),
        (150, 148, 146),
        (66, 44, 30),
        (214, 194, 152),
    ]
)
_IRIS = np.array([(74, 46, 28), (98, 66, 38), (88, 120, 152), (98, 124, 90), (122, 132, 140), (52, 33, 23)])
_LIPSTICK = np.array([(170, 40, 55), (200, 90, 95), (120, 30, 50)])
_FRAMES = np.array([(24, 24, 26), (74, 44, 28), (110, 34, 34)])
_GREY = (168, 165, 161)
_PINK = (190, 110, 108)


def linear(color: Any) -> Color:
    """Return linear light in 0 .. 1 for sRGB values in 0 .. 255."""
    return ((np.asarray(color, np.float32) / 255) ** np.float32(2.2)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Traits:
    """A person's looks. Lengths are cm, heights count from the eye line, x from the middle of the face."""

    masculine: float
    melanin: float
    age: float
    """0 young .. 1 old."""
    head_width: float
    jaw_width: float
    chin_width: float
    cheek_width: float
    forehead_width: float
    squareness: float
    """Exponent of the head's horizontal section: 2 is an ellipse."""
    chin_height: float
    crown_height: float
    eye_distance: float
    """From the middle of the face to an eye's middle."""
    eye_width: float
    """Half the width of an eye."""
    upper_lid: float
    lower_lid: float
    eye_tilt: float
    eye_skew: float
    lid_crease: float
    eye_liner: float
    socket: float
    brow_height: float
    brow_thickness: float
    brow_arch: float
    brow_tilt: float
    brow_inner: float
    brow_outer: float
    brow_ridge: float
    nose_height: float
    """Height of the nose's base: negative."""
    nose_width: float
    nose_depth: float
    nose_bridge: float
    nose_bridge_width: float
    nose_tip: float
    nose_ball: float
    mouth_height: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    cupid_bow: float
    cheek_bone: float
    cheek_fullness: float
    chin: float
    style: str
    """Hair: long, medium, fringe, short, buzz or bald; or over the face: bangs, curtains, swept."""
    hairline: float
    hair_volume: float
    hair_part: float
    beard: float
    freckles: float
    glasses: bool
    skin: Color
    lips: Color
    hair: Color
    brows: Color
    iris: Color
    clothes: Color
    frames: Color
    frame_radius: float | None = None
    """Of the rims of glasses, cm; None: as most are."""
    fringe: float | None = None
    """Where hair that covers the forehead ends, cm above the eyes."""
    frames_apart: float | None = None
    """From the middle of the face to a lens's middle; None: the eyes'."""
    lid_color: tuple[Color, float] | None = None
    """Of make-up, and how much of the skin it hides."""
    cheek_color: tuple[Color, float] | None = None
    """The same on the cheeks."""


@lru_cache(maxsize=256)
def draw_traits(seed: int) -> Traits:
    """Return the looks of the person with this seed."""
    rng = np.random.default_rng(seed)

    def draw(low: float, high: float) -> float:
        # Beta(.6, .6) favours the ends of a range: people then differ more than with even odds.
        return float(low + (high - low) * rng.beta(0.6, 0.6))

    masculine = float(rng.beta(0.45, 0.45))
    feminine = 1 - masculine
    melanin = draw(0, 1)
    age = float(rng.random() ** 1.2)
    fold = float(0.1 < melanin < 0.55 and rng.random() < 0.4) * float(rng.uniform(0.6, 1))
    aged = float(np.clip((age - 0.7) / 0.25, 0, 1))

    skin = linear([np.interp(melanin * 5, range(6), _SKIN[:, channel]) for channel in range(3)])
    skin = skin * np.array([draw(0.95, 1.05), 1, draw(0.92, 1.06)], np.float32)
    natural_lips = skin * np.array([0.82, 0.52, 0.52], np.float32)
    # On dark skin lips are lighter and pinker than their surroundings, not darker.
    natural_lips = natural_lips + 0.2 * melanin * linear(_PINK)
    lipstick = 0.6 * feminine * draw(0, 1)
    lips = natural_lips * (1 - lipstick) + linear(_LIPSTICK[rng.integers(3)]) * lipstick
    hair = linear(_HAIR[rng.integers(8) if melanin < 0.5 else rng.choice([0, 0, 1, 1, 6])])
    iris = linear(_IRIS[rng.integers(6) if melanin < 0.5 else rng.choice([0, 0, 1, 5])])
    brows = hair * 0.7 + linear((40, 30, 24)) * 0.3
    if fold:
        hair, brows, iris = linear(_HAIR[0]), linear((38, 30, 26)), linear(_IRIS[rng.choice([0, 5])])
    hair = hair * (1 - aged) + linear(_GREY) * aged

    head_width = draw(0.88, 1.12)
    jaw_width = draw(0.80, 1.03) + 0.16 * masculine
    nose_height = -draw(3.7, 5.2)
    mouth_height = nose_height - draw(1.9, 2.7)
    return Traits(
        masculine=masculine,
        melanin=melanin,
        age=age,
        head_width=head_width,
        jaw_width=jaw_width,
        chin_width=draw(0.75, 1.15) + 0.25 * masculine,
        cheek_width=draw(0.94, 1.05),
        forehead_width=draw(0.94, 1.05),
        squareness=draw(2.15, 2.55),
        chin_height=min(-draw(10.3, 12.2) - 0.3 * masculine, mouth_height - 3.4),
        crown_height=draw(10.2, 11.6),
        eye_distance=draw(2.85, 3.65),
        eye_width=draw(1.32, 1.75),
        upper_lid=draw(0.40, 0.78) + 0.14 * feminine - 0.12 * fold - 0.08 * age,
        lower_lid=draw(0.28, 0.48),
        eye_tilt=draw(-0.15, 0.3) + 0.14 * fold,
        eye_skew=draw(-0.3, 0.3),
        lid_crease=draw(0.15, 0.45) * (1 - 0.6 * fold),
        eye_liner=feminine * draw(0, 1),
        socket=draw(0.5, 1.2),
        brow_height=draw(1.7, 2.6) - 0.3 * masculine + 0.1 * feminine,
        brow_thickness=draw(0.18, 0.40) + 0.26 * masculine,
        brow_arch=draw(0.1, 0.75),
        brow_tilt=draw(-0.3, 0.3),
        brow_inner=draw(0.9, 1.6),
        brow_outer=draw(4.7, 5.6),
        brow_ridge=draw(0.1, 0.45) + 0.35 * masculine,
        nose_height=nose_height,
        nose_width=draw(1.0, 1.6) + 0.35 * melanin - 0.18 * feminine,
        nose_depth=draw(1.5, 2.6) + 0.3 * masculine - 0.3 * fold,
        nose_bridge=draw(0.55, 1.2) - 0.2 * melanin - 0.4 * fold,
        nose_bridge_width=draw(0.5, 0.76),
        nose_tip=draw(-0.25, 0.35),
        nose_ball=draw(0.1, 0.5),
        mouth_height=mouth_height,
        mouth_width=draw(2.1, 3.0),
        upper_lip=max(draw(0.32, 0.8) + 0.22 * melanin + 0.12 * feminine - 0.15 * age, 0.26),
        lower_lip=max(draw(0.5, 0.95) + 0.28 * melanin + 0.15 * feminine - 0.15 * age, 0.42),
        cupid_bow=draw(0.0, 0.3),
        cheek_bone=draw(0.1, 0.75),
        cheek_fullness=draw(-0.35, 0.55) + 0.2 - 0.4 * age,
        chin=draw(0.1, 0.85),
        style=str(rng.choice(STYLES_FEMININE if masculine < 0.5 else STYLES_MASCULINE)),
        hairline=draw(6.0, 7.4),
        hair_volume=draw(0.7, 1.5),
        hair_part=draw(-1, 1),
        beard=0.0 if masculine < 0.55 else float(rng.choice([0, 0, 0.35, 0.7, 1.0])),
        freckles=float(rng.uniform(0.2, 0.6)) if melanin < 0.35 and rng.random() < 0.5 else 0.0,
        glasses=bool(rng.random() < 0.18),
        skin=skin,
        lips=lips,
        hair=hair,
        brows=brows * (1 - 0.7 * aged) + linear(_GREY) * 0.7 * aged,
        iris=iris,
        clothes=linear(rng.integers(45, 180, 3)),
        frames=linear(_FRAMES[rng.integers(3)]),
    )
