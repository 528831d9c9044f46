"""The target's irises in the colour of the reference's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap.faces.smoothing import rise, weight_of_new
from faceswap.swap.openings.axes import Axis, Floats, Window
from faceswap.swap.openings.eye_opening import EyeOpening


@dataclass(frozen=True)
class IrisTuning:
    """Constants of the irises' colours, by eye on a, b, e and g. Lengths are an iris's radii."""

    ring: tuple[float, float] = (0.3, 0.9)
    """Part of an iris whose colour counts: neither pupil nor limbus."""
    lids: float = 0.06
    """Distance to a lid's edge, in halves of the eye's width, within which nothing counts: lashes, their shadow."""
    fewest: int = 6
    """Pixels that tell a colour."""
    limbus: tuple[float, float] = (0.9, 1.15)
    """Distance from an iris's centre up to which it takes the colour, and from which on nothing does."""
    shine: tuple[float, float] = (0.45, 0.75)
    """Grey level, 0..1, from which on a pixel counts as a catch-light, and from which on it keeps its colour."""
    black: float = 0.03
    """Of 1, is added before colours are divided."""
    largest: float = 2.5
    """Largest factor of a channel."""
    told: tuple[float, float] = (0.05, 0.15)
    """Grey level, 0..1, of a generated iris up to which it tells no colour but black, and from which on it does."""
    measure_every: float = 0.1
    """Seconds of video after which it is measured anew."""
    seconds: float = 0.7
    """Time constant over which the factor is smoothed on a video: nobody's irises change."""


TUNING = IrisTuning()
_GREY = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, eq=False)
class IrisGain:
    """What makes the target's irises those of the reference.

    Attributes:
        time: of the frame in which it was measured, seconds.
        gain: (3,) logarithm of the factor of each channel,
        told: and in which share of a pixel it is of its grey level, 0..1: dark irises are full of coloured noise. The
            rest is of its own colour.
    """

    time: float
    gain: Floats
    told: float = 0.0

    @classmethod
    def after(
        cls,
        before: "IrisGain | None",
        over: NDArray[np.uint8],
        under: NDArray[np.uint8],
        eyes: Sequence[tuple[EyeOpening, EyeOpening]],
        time: float,
    ) -> "IrisGain | None":
        """That of a frame, both eyes together: a decoder often makes one of them too dark.

        Args:
            before: of the frame before; None: a single picture, or the first.
            over, under: (h, w, 3) uint8 RGB, the swap and the target.
            eyes: in the swap and in the target, each.
            time: of the frame, seconds.
        """
        if before is not None and 0 <= time - before.time < TUNING.measure_every:
            return before
        swap, target = (
            [colour for pair in eyes if (colour := _colour_of(picture, pair[i])) is not None]
            for i, picture in enumerate((over, under))
        )
        if not swap or not target:
            return before
        colours = [np.mean(found, axis=0) for found in (swap, target)]
        source = float(colours[1] @ _GREY) + TUNING.black
        gain, grey = (np.log((goal + TUNING.black) / source) for goal in (colours[0], colours[0] @ _GREY))
        told = float(rise(float(colours[0] @ _GREY), TUNING.told))
        limit = np.log(TUNING.largest)
        gain = np.clip(grey + told * (gain - grey), -limit, limit)
        if before is not None and time > before.time:
            new = weight_of_new(time - before.time, TUNING.seconds)
            gain, told = before.gain + new * (gain - before.gain), before.told + new * (told - before.told)
        return cls(time, gain, told)

    def coloured(self, pixels: NDArray[np.float32], away: Floats) -> NDArray[np.float32]:
        """An iris and what is around it in the other colour.

        Args:
            pixels: (h, w, 3) float32 RGB, 0..255.
            away: (h, w) how far each lies from the iris's centre, in its radii.

        Returns:
            (h, w, 3) float32, 0..255.
        """
        grey = (pixels @ _GREY)[..., None]
        share = ((1 - rise(away, TUNING.limbus)) * (1 - rise(grey[..., 0] / 255, TUNING.shine)))[..., None]
        black = 255 * TUNING.black
        calm = pixels + share * self.told * (grey - pixels)
        lit = (calm + black) * np.exp(share * self.gain) - black
        return np.clip(lit, 0, 255).astype(np.float32)


def _colour_of(picture: NDArray[np.uint8], eye: EyeOpening) -> Floats | None:
    """(3,) the median colour of an iris, 0..1; None where too little of it shows."""
    centre, radius = eye.iris
    near = Window.around(Axis(centre, radius, eye.axis.along), TUNING.ring[1], picture.shape)
    if near.empty:
        return None
    away = np.hypot(near.along, near.down)
    offset = eye.axis.of(centre)
    along, down = (
        x * radius / eye.axis.half + o for x, o in zip((near.along, near.down), offset, strict=True)
    )
    upper, lower = eye.lids(along)
    shown = (down > upper + TUNING.lids) & (down < lower - TUNING.lids)
    shown &= (away > TUNING.ring[0]) & (away < TUNING.ring[1])
    if int(shown.sum()) < TUNING.fewest:
        return None
    return np.asarray(np.median(picture[near.part][shown], axis=0) / 255)
