"""The generated eyes look where the target's look.

Whoever always looks into the camera gives a decoder that knows no other gaze: put on a person who looks about, such a
face stares. So the place of the irises between the corners of the eyes is read in the generated picture and in what the
network saw, in the same way, and the generated irises move across by the difference, under lids that stay.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.geometry import Points
from faceswap.faces.landmarks import EYES
from faceswap.faces.smoothing import smoothstep, weight_of_new
from faceswap.swap.expression.moving import moved

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IrisTuning:
    """Constants of the irises, in halves of an eye's width unless said otherwise; chosen by eye on e."""

    radius: float = 0.36
    """Of an iris: so far around its centre everything moves alike."""
    reach: float = 1.15
    """Distance from the eye's middle at which nothing moves any more: a little beyond the corners."""
    steepest: float = 0.8
    """Largest slope of the moves between iris and corner; at 1 the white would fold."""
    lids: float = 0.06
    """Beyond the lids' landmarks where moves have faded to half, and"""
    lid_edge: float = 0.16
    """the width over which they fade."""
    generated_seconds: float = 0.6
    """Seconds over which that is smoothed."""
    target_seconds: float = 0.04
    """The same for the target's: eyes jump."""
    still: float = 0.01
    """Moves below this are none."""


TUNING = IrisTuning()


@dataclass(frozen=True)
class GazeChange:
    """How far the irises of a face have to move across, on a video.

    Attributes:
        time: of the frame, seconds.
        target, generated: where they look, in halves of the eyes' width to the picture's right; NaN: not seen yet.
    """

    time: float
    target: float
    generated: float

    @classmethod
    def after(
        cls, before: "GazeChange | None", target: float, generated: float | None, time: float = 0.0
    ) -> "GazeChange":
        """The change in a frame.

        Args:
            before: what the frame before left; None: a single picture, or the first.
            target, generated: what was read in the frame; None: not read.
            time: of the frame, seconds.
        """
        now = math.nan if generated is None else generated
        age = time - before.time if before else -1.0
        if before is None or age < 0:
            return cls(time, target, now)
        return cls(
            time,
            _mixed(before.target, target, age, TUNING.target_seconds),
            _mixed(before.generated, now, age, TUNING.generated_seconds),
        )

    @property
    def amount(self) -> float:
        """By how much the irises move to the picture's right, in halves of the eyes' width; 0 where it is unknown."""
        change = self.target - self.generated
        return change if math.isfinite(change) else 0.0


def _mixed(before: float, now: float, age: float, seconds: float) -> float:
    """Smoothed over time; where nothing is seen, as before."""
    if not math.isfinite(now):
        return before
    return now if not math.isfinite(before) else before + weight_of_new(age, seconds) * (now - before)


def move_irises(
    picture: NDArray[np.float32], landmarks: Points, looks: float, amount: float
) -> NDArray[np.float32]:
    """A generated picture whose irises lie elsewhere between the corners of the eyes.

    Args:
        picture: (S, S, 3) float32 RGB, 0..1.
        landmarks: (68, 2) of the face, px.
        looks: where the irises lie, in halves of the eyes' width to the picture's right.
        amount: by how much they move, likewise; as far as the white of the eye goes.

    Returns:
        (S, S, 3) float32, a new picture; where nothing moves, the same values.
    """
    # the move must fit between iris and corner: |amount| <= steepest * (reach - radius - |looks + amount|)
    room = TUNING.reach - TUNING.radius
    if not math.isfinite(looks) or abs(looks) >= room:
        return picture.copy()
    share = TUNING.steepest
    ahead = math.copysign(looks, looks * amount)  # above 0: away from the middle
    amount = math.copysign(min(abs(amount), share * (room - ahead) / (1 + share)), amount)
    if abs(amount) < TUNING.still:
        return picture.copy()
    moves = np.zeros((*picture.shape[:2], 2), np.float32)
    for eye in EYES:
        _add_moves(moves, landmarks[eye], looks + amount, amount)
    return moved(picture, -moves[..., 1], -moves[..., 0])


def _add_moves(moves: NDArray[np.float32], eye: Points, goal: float, amount: float) -> None:
    """By how many px the picture moves around one eye (6, 2), whose iris comes to lie at ``goal``; added to moves."""
    middle, across = (eye[0] + eye[3]) / 2, (eye[3] - eye[0]) / 2
    half = float(np.hypot(*across))
    if half < 1:
        return
    across = across / half
    down = np.array([-across[1], across[0]])
    reach = 1.5 * half
    low = np.clip(np.floor(middle - reach), 0, moves.shape[1::-1]).astype(int)
    high = np.clip(np.ceil(middle + reach) + 1, 0, moves.shape[1::-1]).astype(int)
    xs, ys = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    offset = np.stack([xs, ys], axis=-1) - middle
    u, v = offset @ across / half, offset @ down / half
    upper, lower = ((eye[pair] - middle) @ down / half for pair in ([1, 2], [5, 4]))
    sides = np.where(u < goal, goal + TUNING.reach, TUNING.reach - goal)
    weight = np.clip((sides - np.abs(u - goal)) / (sides - TUNING.radius), 0, 1)
    beyond = np.maximum(upper.mean() - v, v - lower.mean()) - TUNING.lids
    weight = weight * (1 - smoothstep(beyond / TUNING.lid_edge + 0.5))
    part = moves[low[1] : high[1], low[0] : high[0]]
    part += (weight[..., None] * (amount * half * across)).astype(np.float32)
