"""Colours of the swap fitted to the target's, so that no seam of brightness or tint shows.

A transfer is fitted on the skin of one frame, may be mixed with those of the frames before, and is then applied.
"""

from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.swap.options import Colour

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ColourTuning:
    """Constants of the colour transfers; not measured."""

    samples: int = 4096
    """Pixels of skin that are enough to fit a transfer."""
    fewest: int = 16
    """Pixels of skin below which nothing is fitted."""
    contrast: tuple[float, float] = (0.7, 1.4)
    """The contrast is changed at most by these factors: a blurred swap must not be blown up to a real skin's."""
    skin_contrast: tuple[float, float] = (0.9, 1.15)
    """The same for the skin's lightness: flat light must not take a crisp swap's features, dark brows and eyes."""
    skin_chroma: tuple[float, float] = (0.6, 1.25)
    """And for its chroma: what is redder than skin, lips and a nose, must not glow."""
    quantiles: int = 129
    """Quantiles of each channel by which histograms are compared."""
    cut: float = 0.05
    """A mean correction that moves further than this (of 1) between two frames is new light or a cut: no smoothing."""


TUNING = ColourTuning()
_QUANTILES = np.linspace(0, 100, TUNING.quantiles)


@dataclass(frozen=True)
class Transfer:
    """A fitted colour transfer.

    Attributes:
        how: the method.
        values: what was fitted, float32. skin, mean and reinhard: (3, 3), for each Lab channel the gain and the
            middles of the swap and of the target; linear: (4, 3), three rows of a matrix that is multiplied from
            the right and an offset, in RGB; histogram: (3, 2, n) quantiles of
            each Lab channel, of the swap and of the target; seamless: (S, S, 3) what is added in RGB.
        shift: (3,) the mean change of the samples in RGB, to tell steady light from a cut.
    """

    how: Colour
    values: Floats
    shift: Floats

    def mixed(self, before: "Transfer | None", share: float) -> "Transfer":
        """This transfer and that of the frame before: ``share`` (0..1) of this one, all of it after a cut."""
        if before is None or before.how != self.how or before.values.shape != self.values.shape:
            return self
        if float(np.abs(self.shift - before.shift).max()) > TUNING.cut:
            return self
        w = np.float32(share)
        return Transfer(
            self.how,
            w * self.values + (1 - w) * before.values,
            w * self.shift + (1 - w) * before.shift,
        )


def fit_transfer(
    swapped: Floats, target: NDArray[np.uint8], skin: NDArray[np.bool_], how: Colour
) -> Transfer | None:
    """Fit the colours of a swapped crop to those of the target's crop.

    ``mean`` moves the median of each Lab channel to the target's; ``reinhard`` also fits the spread (Reinhard et
    al., "Color transfer between images", 2001), both by median and inner percentiles, so that glasses, a beard's
    edge or a highlight do not pull them. ``skin`` fits lightness like that, though its spread is hardly lowered,
    and multiplies the chroma (by 0.6 to 1.25, an offset does the rest), so that what is neutral hardly changes:
    moved as far as the skin's chroma, teeth and the whites of the eyes turn green on a less red face, and a wider
    spread of it reddens the lips. ``histogram`` maps each Lab channel's distribution. ``linear`` is the linear
    Monge-Kantorovitch map in RGB (Pitié & Kokaram, "The linear Monge-Kantorovitch linear colour mapping for
    example-based colour transfer", 2007). ``seamless`` solves for the swap's gradients with the target's border
    (Pérez, Gangnet & Blake, "Poisson image editing", 2003), after ``skin``: what differs in the middle of two faces
    would otherwise stay.

    Args:
        swapped: (S, S, 3) float32 RGB, 0..1.
        target: (S, S, 3) uint8 RGB of the same crop.
        skin: (S, S) where to compare; with fewer than 16 pixels nothing is fitted.
        how: the method's name.

    Returns:
        the transfer, or None where there is nothing to do.

    Raises:
        SettingsError: there is no method of that name.
    """
    if how not in get_args(Colour):
        raise SettingsError(
            f"There is no colour transfer {how!r}", f"choose one of: {', '.join(get_args(Colour))}"
        )
    count = int(skin.sum())
    if how == "none" or count < TUNING.fewest:
        return None
    if how == "seamless":
        field = _poisson(fit_colours(swapped, target, skin, "skin"), target, skin) - swapped
        return Transfer(how, field, field[skin].mean(0))
    where = np.flatnonzero(skin)[:: max(1, count // TUNING.samples)]
    source = swapped.reshape(-1, 3)[where].astype(np.float32, copy=False)
    goal = target.reshape(-1, 3)[where].astype(np.float32) / np.float32(255)
    shift = (goal.mean(0) - source.mean(0)).astype(np.float32)
    if how == "linear":
        return Transfer(how, _monge_kantorovitch(source, goal), shift)
    lab, goal_lab = (cv2.cvtColor(x[:, None], cv2.COLOR_RGB2LAB)[:, 0] for x in (source, goal))
    if how == "histogram":
        pairs = [np.percentile(x, _QUANTILES, axis=0).T for x in (lab, goal_lab)]
        return Transfer(how, np.stack(pairs, 1).astype(np.float32), shift)
    return Transfer(how, _moments(lab, goal_lab, how), shift)


def apply_transfer(swapped: Floats, transfer: Transfer, strength: float = 1.0) -> Floats:
    """The crop with its colours changed.

    Args:
        swapped: (S, S, 3) float32 RGB, 0..1; not changed.
        transfer: as fitted.
        strength: 0 changes nothing, 1 all.

    Returns:
        (S, S, 3) float32 RGB, 0..1.
    """
    w = np.float32(strength)
    values = transfer.values
    if transfer.how == "seamless":
        return np.clip(swapped + w * values, 0, 1)
    if transfer.how == "linear":
        matrix = np.eye(3, dtype=np.float32) * (1 - w) + w * values[:3]
        return np.clip(cv2.transform(swapped, np.column_stack([matrix.T, w * values[3]])), 0, 1)
    lab = cv2.cvtColor(np.ascontiguousarray(swapped, np.float32), cv2.COLOR_RGB2LAB)
    if transfer.how == "histogram":
        fitted = np.stack([_curve(lab[..., i], *values[i]) for i in range(3)], -1)
        lab += w * (fitted - lab)
    else:
        gain, middle, goal = values
        fitted = goal + gain * (lab - middle)
        if transfer.how == "skin":
            fitted[..., 0] = _toned(lab[..., 0], *map(float, values[:, 0]))
        lab += w * (fitted - lab)
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)


def fit_colours(
    swapped: Floats, target: NDArray[np.uint8], skin: NDArray[np.bool_], how: Colour, strength: float = 1.0
) -> Floats:
    """Give a swapped crop the colours of the target's crop: :func:`fit_transfer`, then :func:`apply_transfer`.

    Returns:
        (S, S, 3) float32 RGB, 0..1; the input itself where there is nothing to do.
    """
    transfer = fit_transfer(swapped, target, skin, how)
    return swapped if transfer is None or strength == 0 else apply_transfer(swapped, transfer, strength)


def _toned(lightness: Floats, gain: float, middle: float, goal: float) -> Floats:
    """Lightness (0..100) through a curve that leads from one middle to the other with that slope.

    On a lighter face black stays black, and what would be lighter than white is compressed: a dark face's eyes are not
    blown out, its pupils do not turn grey. Both branches are ``k u / (1 + (k - 1) u)``, which leads from 0 to 1 and
    starts with the slope k (after Schlick, "Fast alternatives to Perlin's bias and gain functions", 1994). On a darker
    face the curve is straight: highlights get darker too, and brows and eyes keep their contrast.
    """
    below = np.clip((middle - lightness) / max(middle, 1.0), 0, 1)
    above = np.clip((lightness - middle) / max(100 - middle, 1.0), 0, 1)
    dark, light = gain * middle / max(goal, 1.0), gain * (100 - middle) / max(100 - goal, 1.0)
    down = dark * below / (1 + min(dark - 1, 0) * below)
    up = light * above / (1 + max(light - 1, 0) * above)
    return np.asarray(np.maximum(goal - goal * down + (100 - goal) * up, 0), np.float32)


def _moments(lab: Floats, goal: Floats, how: Colour) -> Floats:
    """(3, 3): gains, medians of the swap, medians of the target; the gains fit what else ``how`` fits."""
    middle, spread = _middle_and_spread(lab)
    goal_middle, goal_spread = _middle_and_spread(goal)
    gain = np.ones(3, np.float32)
    wider = goal_spread / np.maximum(spread, 1e-3)
    if how == "reinhard":
        gain = np.clip(wider, *TUNING.contrast)
    elif how == "skin":
        # what reflects less has less contrast: CIE's lightness and 16 is about proportional to what is reflected
        darker = min(1.0, float((goal_middle[0] + 16) / (middle[0] + 16)))
        gain[0] = darker * np.clip(wider[0] / darker, *TUNING.skin_contrast)
        # no factor leads from one tint to its opposite, or from none: there the offset does it all
        alike = middle[1:] * goal_middle[1:] > 1
        factor = np.divide(goal_middle[1:], middle[1:], out=np.ones_like(middle[1:]), where=alike)
        gain[1:] = np.clip(factor, *TUNING.skin_chroma)
    return np.vstack([gain, middle, goal_middle]).astype(np.float32)


def _middle_and_spread(samples: Floats) -> tuple[Floats, Floats]:
    """Median and half the distance of the 16th to the 84th percentile (a Gaussian's standard deviation)."""
    low, middle, high = np.percentile(samples, (16, 50, 84), axis=0)
    return middle.astype(np.float32), ((high - low) / 2).astype(np.float32)


def _monge_kantorovitch(source: Floats, goal: Floats) -> Floats:
    """(4, 3): the symmetric positive matrix and the offset that map one Gaussian exactly onto the other.

    A = S^-1/2 (S^1/2 G S^1/2)^1/2 S^-1/2 with the covariances S and G. Along each of its axes the contrast is
    changed within the limits, and S has at least the variance of half a grey level.
    """
    floor = np.eye(3) * (0.5 / 255) ** 2
    s, g = (np.cov(x.astype(np.float64), rowvar=False) + floor for x in (source, goal))
    root = _power(s, 0.5)
    inverse = _power(s, -0.5)
    matrix = inverse @ _power(root @ g @ root, 0.5) @ inverse
    gains, axes = np.linalg.eigh(matrix)
    matrix = (axes * np.clip(gains, *TUNING.contrast)) @ axes.T
    offset = goal.mean(0) - source.mean(0) @ matrix
    return np.vstack([matrix, offset]).astype(np.float32)


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """A power of a symmetric positive matrix."""
    values, axes = np.linalg.eigh(matrix)
    return np.asarray((axes * np.maximum(values, 1e-12) ** exponent) @ axes.T)


def _curve(values: Floats, source: Floats, goal: Floats) -> Floats:
    """Map quantiles onto quantiles; beyond the outermost the shift stays, so that eyes and highlights remain."""
    source = np.maximum.accumulate(source + np.arange(len(source), dtype=np.float32) * 1e-4)
    x = np.concatenate([[source[0] - 200], source, [source[-1] + 200]])
    y = np.concatenate([[goal[0] - 200], goal, [goal[-1] + 200]])
    return np.interp(values, x, y).astype(np.float32)


def _poisson(swapped: Floats, target: NDArray[np.uint8], skin: NDArray[np.bool_]) -> Floats:
    """(S, S, 3) float32: the swap by Poisson editing within the hull of the skin; beyond, its change carries on."""
    size = len(target)
    hull = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.argwhere(skin)[:, ::-1].astype(np.int32)), 255)
    # the solver needs a rim of the target around the mask
    hull[:2] = hull[-2:] = 0
    hull[:, :2] = hull[:, -2:] = 0
    left, top, width, height = cv2.boundingRect(hull)
    source = np.clip(np.rint(swapped * 255), 0, 255).astype(np.uint8)
    centre = left + width // 2, top + height // 2
    cloned = cv2.seamlessClone(source, target, hull, centre, cv2.NORMAL_CLONE)
    inside = (hull > 0).astype(np.float32)[..., None]
    change = (cloned.astype(np.float32) - source) * inside
    # the soft mask shows the swap beyond the hull too: there a normalized blur carries the change on
    sigma = size / 16
    near = cv2.GaussianBlur(inside, (0, 0), sigma)[..., None]
    carried = cv2.GaussianBlur(change, (0, 0), sigma) / np.maximum(near, 1e-3)
    return swapped + np.where(inside > 0, change, carried).astype(np.float32) / np.float32(255)
