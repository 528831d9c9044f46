"""The target's light on the generated face: a smooth field of gains, so that no seam of brightness or tint shows.

The skin of two people in two lights differs, to first order, by a factor that changes slowly over the face: how much
more one reflects, times how much more light falls there. The quotient of the two pictures' skin tells that factor
(Shashua & Riklin-Raviv, "The quotient image", 2001); features and make-up, which are no more than a few pixels wide,
come from the generated face alone. Factors of values in sRGB are powers of factors of light, so nothing has to be made
linear first.

A transfer is fitted on the skin of one frame, may be mixed with those of the frames before, and is then applied.
"""

from dataclasses import dataclass, replace
from typing import Any, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.faces.smoothing import smoothstep
from faceswap.swap.compositing.shared_skin import GRID
from faceswap.swap.openings.outlines import Openings
from faceswap.swap.options import Colour

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ColourTuning:
    """Constants of the transfer; chosen by ``bench_colour`` where that is said, else not measured.

    Lengths are cells of a grid of 48 over the crop, gains natural logarithms.
    """

    black: float = 0.03
    """Of 1, is added before quotients are taken: what is nearly black tells no factor."""
    smoothing: float = 2.2
    """Standard deviation of the field's Gaussian (``bench_colour``: 1.7 to 2.9 are alike)."""
    faith: float = 0.05
    """Skin in the neighbourhood, in cells of 1, at which the neighbourhood counts as much as the plane."""
    outlier: float = 0.15
    """Distance from the plane from which on a cell counts less; at four times that it does not count: a beard, a
    fringe, a shadow's edge (``bench_colour``: 0.15 and 0.3 are alike, 0.6 is worse)."""
    tint_weight: float = 1.5
    """How much more a difference of tint makes a cell an outlier than one of brightness."""
    ridge: float = 0.01
    """Weight of a flat field against the plane, in shares of the skin."""
    rounds: int = 6
    """Rounds of the robust fit; the first half downweights outliers, the rest leaves them out."""
    fewest: float = 6.0
    """Cells of skin below which nothing is fitted."""
    least_cover: float = 0.3
    """Share of a cell that has to be skin."""
    largest: tuple[float, float] = (1.6, 0.7)
    """Largest gain of brightness and of a channel beyond that."""
    neutral: tuple[float, float] = (0.5, 1.0)
    """Saturation over the skin's up to which a pixel of the mouth is no skin but teeth, and from which on it is
    (``bench_colour``)."""
    lid: tuple[float, float] = (0.5, 0.8)
    """Grey level over the skin's up to which such a pixel of the eyes is no skin but an iris, and from which on it
    is a lid that the outline is not true to; by eye."""
    neutral_level: float = 0.5
    """Share of the mean gain of brightness that teeth and eyes take, and nothing of the skin's tint: the rest is how
    much the skins reflect (``bench_colour``: eyes 10.1 with a quarter of it, 10.6 with half, 11.8 with none, 11.5 with
    half of the tint; faces are recognised a little worse with a quarter)."""
    shoulder: float = 0.88
    """Value from which on what a gain brightens is compressed, so that nothing is cut off at white."""
    cut: float = 0.12
    """A mean gain that moves further than this between two frames is new light or a cut: no smoothing."""


TUNING = ColourTuning()

_FAINT = 0.05
"""Of 1: what is nearly black counts as neutral."""
_PLANE = np.stack(
    [np.ones(GRID * GRID), *(x.reshape(-1) for x in np.meshgrid(*[np.linspace(-1, 1, GRID)] * 2))], axis=1
).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Transfer:
    """A fitted transfer.

    Attributes:
        how: the method.
        field: (48, 48, 4) float32 over the crop: the gain of brightness, and what each channel gets beyond it.
        shift: (4,) the mean of that over the skin.
        saturation: of the generated face's skin, 0..1.
        level: grey level of the generated face's skin, 0..1.
        most: largest saturation of the two people's skin and lips.
    """

    how: Colour
    field: Floats
    shift: Floats
    saturation: float
    level: float
    most: float

    def mixed(self, before: "Transfer | None", share: float) -> "Transfer":
        """This transfer and that of the frame before: ``share`` (0..1) of this one, all of it after a cut."""
        if before is None or before.how != self.how:
            return self
        if float(np.abs(self.shift - before.shift).max()) > TUNING.cut:
            return self
        w = np.float32(share)
        return replace(
            self,
            field=w * self.field + (1 - w) * before.field,
            shift=w * self.shift + (1 - w) * before.shift,
            saturation=share * self.saturation + (1 - share) * before.saturation,
            level=share * self.level + (1 - share) * before.level,
            most=share * self.most + (1 - share) * before.most,
        )


def fit_transfer(
    generated: Floats, target: NDArray[np.uint8], shared: Floats, how: Colour
) -> Transfer | None:
    """Fit the colours of a generated crop to those of the target's crop.

    ``light`` follows the target's light over the face: a plane through the logarithms of the quotients, fitted
    robustly, and what the neighbourhood differs from it. ``skin`` is one gain for the whole face.

    Args:
        generated: (S, S, 3) float32 RGB, 0..1.
        target: (S, S, 3) uint8 RGB of the same crop.
        shared: (48, 48) float32, 0..1: where both show skin.
        how: the method's name.

    Returns:
        the transfer, or None where there is nothing to do, or too little skin to tell.

    Raises:
        SettingsError: there is no method of that name.
    """
    if how not in get_args(Colour):
        raise SettingsError(
            f"There is no colour transfer {how!r}", f"choose one of: {', '.join(get_args(Colour))}"
        )
    skin = np.where(shared < TUNING.least_cover, 0, shared)
    if how == "none" or float(skin.sum()) < TUNING.fewest:
        return None
    source = _cells(generated)
    goal = _cells(target).astype(np.float32) / np.float32(255)
    quotients = _quotients(source, goal)
    plane, weights = _robust_plane(quotients, skin, flat=how == "skin")
    if float(weights.sum()) < TUNING.fewest:
        return None
    field = plane if how == "skin" else plane + _smoothed(quotients - plane, weights)
    shift = np.average(quotients.reshape(-1, 4), axis=0, weights=weights.reshape(-1))
    brightness, channel = TUNING.largest
    most = np.array([brightness, channel, channel, channel], np.float32)
    shown = [_saturation(x)[weights > 0] for x in (source, goal)]
    return Transfer(
        how,
        np.clip(_within(field, quotients, weights), -most, most).astype(np.float32),
        shift.astype(np.float32),
        float(np.median(shown[0])),
        float(np.median(_grey(source)[weights > 0])),
        float(max(np.percentile(x, 98) for x in shown)),
    )


def apply_transfer(
    generated: Floats, transfer: Transfer, openings: Openings | None = None, strength: float = 1.0
) -> Floats:
    """The crop with its colours changed.

    Args:
        generated: (S, S, 3) float32 RGB, 0..1; not changed.
        transfer: as fitted.
        openings: eyes and mouth of the generated crop, which are not all skin; None: it has none.
        strength: 0 changes nothing, 1 all.

    Returns:
        (S, S, 3) float32 RGB, 0..1.
    """
    field = transfer.field * np.float32(strength)
    level = np.float32(strength * (1 - TUNING.neutral_level) * transfer.shift[0])
    of_skin = np.exp(field[..., :1] + field[..., 1:])
    of_neutral = np.exp(field[..., :1] - level)
    size = generated.shape[1::-1]
    gain, neutral = (cv2.resize(x, size, interpolation=cv2.INTER_LINEAR) for x in (of_skin, of_neutral))
    saturation = _saturation(generated)
    like = _between(saturation, TUNING.neutral, max(transfer.saturation, 0.03))
    if openings is not None:
        # elsewhere what is neutral is skin all the same, pale or shining
        lid = like * _between(_grey(generated), TUNING.lid, transfer.level)
        no_skin = np.maximum(openings.eyes * (1 - lid), openings.mouth * (1 - like))
        gain += no_skin[..., None] * (neutral[..., None] - gain)
    black = np.float32(TUNING.black)
    lit = (generated + black) * gain - black
    return _in_gamut(_limited(lit, np.maximum(saturation, np.float32(transfer.most))), generated)


def _cells(picture: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(cv2.resize(picture, (GRID, GRID), interpolation=cv2.INTER_AREA))


def _grey(picture: Floats) -> Floats:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def _quotients(source: Floats, goal: Floats) -> Floats:
    """(48, 48, 4) logarithms: of the brightness, and of each channel beyond it."""
    black = np.float32(TUNING.black)
    brightness = np.log((_grey(goal) + black) / (_grey(source) + black))[..., None]
    return np.concatenate([brightness, np.log((goal + black) / (source + black)) - brightness], axis=-1)


def _robust_plane(quotients: Floats, skin: Floats, flat: bool) -> tuple[Floats, Floats]:
    """(48, 48, 4) the plane, and (48, 48) how much each cell counted for it: Huber's, then Tukey's weights."""
    basis = _PLANE[:, :1] if flat else _PLANE
    cells = np.flatnonzero(skin)
    shares, seen, here = skin.reshape(-1)[cells], quotients.reshape(-1, 4)[cells], basis[cells]
    weights, factors = shares, _factors(here, seen, shares)
    for number in range(TUNING.rounds):
        off = seen - here @ factors
        off[:, 1:] *= TUNING.tint_weight
        distance = np.sqrt(np.einsum("ij,ij->i", off, off)) / TUNING.outlier
        if number < TUNING.rounds // 2:
            weights = shares / np.maximum(1, distance)
        else:
            weights = shares * np.clip(1 - (distance / 4) ** 2, 0, 1) ** 2
        factors = _factors(here, seen, weights)
    counted = np.zeros(GRID * GRID, np.float32)
    counted[cells] = weights
    return (basis @ factors).reshape(quotients.shape).astype(np.float32), counted.reshape(GRID, GRID)


def _factors(basis: Floats, values: Floats, weights: Floats) -> Floats:
    """(k, 4): of the weighted least squares' plane through values (n, 4), or of their mean."""
    weighted = weights[:, None] * basis
    ridge = np.diag([1e-6, *[TUNING.ridge] * (basis.shape[1] - 1)]) * max(float(weights.sum()), 1e-6)
    return np.linalg.solve(basis.T @ weighted + ridge, weighted.T @ values).astype(np.float32)


def _smoothed(values: Floats, weights: Floats) -> Floats:
    """What the neighbourhood has on average; where there is no skin, nothing."""
    total = _blurred(weights) + np.float32(TUNING.faith)
    return np.asarray(_blurred(values * weights[..., None]) / total[..., None])


def _blurred(cells: Floats) -> Floats:
    return cv2.GaussianBlur(cells, (0, 0), TUNING.smoothing, borderType=cv2.BORDER_CONSTANT)


def _within(field: Floats, quotients: Floats, weights: Floats) -> Floats:
    """The field without what a plane makes up beyond the skin that was seen."""
    low, high = np.percentile(quotients[weights > 0], (1, 99), axis=0)
    return np.clip(field, low.astype(np.float32), high.astype(np.float32))


def _between(values: Floats, shares: tuple[float, float], of: float) -> Floats:
    """0 up to the first share of a value, 1 from the second one on."""
    low, high = (np.float32(share * of) for share in shares)
    return smoothstep((values - low) / max(high - low, np.float32(1e-6))).astype(np.float32)


def _saturation(picture: Floats) -> Floats:
    """How far the least channel lies below the largest, in shares of that: 0 neutral, 1 pure."""
    most, least = _extremes(picture)
    return np.asarray((most - least) / (most + np.float32(_FAINT)))


def _extremes(picture: Floats) -> tuple[Floats, Floats]:
    red, green, blue = cv2.split(picture)
    largest, smallest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return np.asarray(largest), np.asarray(smallest)


def _limited(picture: Floats, saturation: Floats) -> Floats:
    """No pixel more saturated than (H, W), at the same brightness: lips don't glow, shadows don't burn."""
    most, least = _extremes(picture)
    grey = _grey(picture)
    room = (most - least) - saturation * (most - grey)
    keep = saturation * (grey + np.float32(_FAINT)) / np.maximum(room, np.float32(1e-6))
    return np.asarray(grey[..., None] + np.clip(keep, 0, 1)[..., None] * (picture - grey[..., None]))


def _in_gamut(picture: Floats, before: Floats) -> Floats:
    """0..1: what became brighter than the shoulder approaches white."""
    knee = np.float32(TUNING.shoulder)
    if picture.max() > knee:
        over = (picture > knee) & (picture > before)
        start = np.maximum(knee, before[over])
        room = np.maximum(1 - start, np.float32(1e-3))
        picture[over] = start + room * np.tanh((picture[over] - start) / room)
    return np.clip(picture, 0, 1, out=picture)
