"""The lines of a face in an expression: lids, lips, brows. They guide the painting and are the true landmarks."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from faceswap.synthetic.canvas import Curve, step
from faceswap.synthetic.scene import Expression
from faceswap.synthetic.traits import Array, Traits

JAW_DROP = 2.2
"""How far the jaw drops when the mouth is wide open, cm."""

LEFTWARD, RIGHTWARD = -1, 1
"""The sides of the picture; the person's own right eye is on the leftward one."""


@dataclass(frozen=True)
class Eye:
    """One eye; the parameter runs from -1, the corner at the nose, to 1, the outer corner."""

    side: int
    middle: float
    half_width: float
    upper: Curve
    lower: Curve
    shut: float

    def x(self, parameter: Any) -> Any:
        """Return the x (cm) of a parameter."""
        return self.side * (self.middle + parameter * self.half_width)


@dataclass(frozen=True)
class Mouth:
    """The lips; the parameter runs from -1, the corner on the left of the picture, to 1."""

    half_width: float
    upper_inner: Curve
    lower_inner: Curve
    upper_outer: Curve
    lower_outer: Curve


def _hump(parameter: Any, power: float) -> Any:
    return np.clip(1 - parameter * parameter, 0, 1) ** np.float32(power)


def eye(traits: Traits, expression: Expression, side: int) -> Eye:
    """Return the lids of the eye on this side of the picture."""
    shut = expression.close_right if side == LEFTWARD else expression.close_left
    smile = max(expression.smile, 0.0)
    opening = 1 + 0.22 * expression.brow - 0.2 * smile

    def lower(parameter: Any) -> Any:
        curve = traits.eye_tilt * parameter + 0.12 * smile * _hump(parameter, 0.62)
        return curve - traits.lower_lid * (1 - 0.35 * shut) * _hump(parameter, 0.62) * (1 + 0.25 * parameter)

    def upper(parameter: Any) -> Any:
        arch = _hump(parameter, 0.62) * (1 + traits.eye_skew * parameter)
        low = lower(parameter)
        gap = traits.upper_lid * opening * arch + traits.eye_tilt * parameter - low
        return low + np.maximum(gap * (1 - shut), 0)

    return Eye(side, traits.eye_distance, traits.eye_width, upper, lower, shut)


def mouth(traits: Traits, expression: Expression) -> Mouth:
    """Return the outlines of the lips."""
    smile, opening = expression.smile, expression.open
    corner = traits.mouth_height + 0.45 * smile - 0.35 * opening
    middle = traits.mouth_height - 0.05 * smile + 0.12 * opening

    def upper_inner(parameter: Any) -> Any:
        return corner + (middle - corner) * _hump(parameter, 0.9) - 0.06 * np.exp(-((parameter / 0.18) ** 2))

    def lower_inner(parameter: Any) -> Any:
        return upper_inner(parameter) - 2.3 * opening * _hump(parameter, 0.75)

    def upper_outer(parameter: Any) -> Any:
        peaks = np.exp(-(((np.abs(parameter) - 0.22) / 0.14) ** 2)) - 0.9 * np.exp(-((parameter / 0.1) ** 2))
        height = traits.upper_lip * (1 - 0.2 * smile) * (1 + traits.cupid_bow * peaks)
        return upper_inner(parameter) + height * _hump(parameter, 0.8)

    def lower_outer(parameter: Any) -> Any:
        return lower_inner(parameter) - traits.lower_lip * (1 - 0.15 * smile) * _hump(parameter, 0.65)

    half_width = traits.mouth_width * (1 + 0.17 * smile - 0.12 * opening)
    return Mouth(half_width, upper_inner, lower_inner, upper_outer, lower_outer)


def brow(traits: Traits, expression: Expression) -> Curve:
    """Return the middle line of a brow; the parameter runs from 0, at the nose, to 1."""
    lift = expression.brow
    frown = (-0.35 if lift < 0 else 0.1) * abs(lift)

    def height(parameter: Any) -> Any:
        arch = traits.brow_arch * np.clip(1 - ((parameter - 0.58) / 0.62) ** 2, -1.2, 1)
        tilt = traits.brow_tilt * (parameter - 0.5)
        ends = 0.45 * step(0.6, 1.0, parameter) + 0.2 * step(0.35, 0.0, parameter)
        return traits.brow_height + 0.75 * lift + arch + tilt - ends + frown * (1 - parameter)

    return height


def jaw_drop(expression: Expression, neutral_height: Any) -> Any:
    """Return how far (cm) the skin at this height of the neutral face has moved down with the jaw."""
    return JAW_DROP * expression.open * step(-5, -9, neutral_height)


def inner_landmarks(traits: Traits, expression: Expression) -> Array:
    """Return the iBUG landmarks 17 .. 67 in the plane of the face (51, 2), cm."""
    points: list[tuple[float, float]] = []
    line = brow(traits, expression)
    along = np.linspace(0.97, 0.03, 5)
    for side, order in ((LEFTWARD, along), (RIGHTWARD, along[::-1])):
        for part in order:
            across = traits.brow_inner + part * (traits.brow_outer - traits.brow_inner)
            points.append((side * across, float(line(part))))
    points += [(0.0, float(height)) for height in np.linspace(0.1, traits.nose_height + 0.75, 4)]
    for part in (-0.9, -0.45, 0.0, 0.45, 0.9):
        points.append((part * traits.nose_width, traits.nose_height - 0.12 - 0.1 * (1 - abs(part))))
    for side in (LEFTWARD, RIGHTWARD):
        lids = eye(traits, expression, side)
        around = [(-1.0, lids.lower), (-0.36, lids.upper), (0.36, lids.upper)]
        around += [(1.0, lids.lower), (0.36, lids.lower), (-0.36, lids.lower)]
        if side == LEFTWARD:
            around = [(-part, curve) for part, curve in around]
        points += [(float(lids.x(part)), float(curve(np.float64(part)))) for part, curve in around]
    lips = mouth(traits, expression)
    outline = [(-1.0, lips.upper_inner)]
    outline += [(part, lips.upper_outer) for part in (-0.62, -0.22, 0.0, 0.22, 0.62)]
    outline += [(1.0, lips.upper_inner)]
    outline += [(part, lips.lower_outer) for part in (0.62, 0.25, 0.0, -0.25, -0.62)]
    outline += [(part, lips.upper_inner) for part in (-0.9, -0.25, 0.0, 0.25, 0.9)]
    outline += [(part, lips.lower_inner) for part in (0.25, 0.0, -0.25)]
    points += [(lips.half_width * part, float(curve(np.float64(part)))) for part, curve in outline]
    return np.array(points, np.float32)
