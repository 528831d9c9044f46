"""A mark in the pixels that says "generated", for when the file's metadata are gone.

A fixed pattern of 128 x 128 px, repeated over the whole picture, is added to the brightness: about one grey level where
the picture is smooth, more where it is busy. It is found again by folding the picture onto one tile and correlating the
phases with the pattern's, at every shift at once, for one scale after the other: so crops, scaling and screenshots do
no harm. Method: Kalker, Depovere, Haitsma, Maes, "A video watermarking system for broadcast monitoring", SPIE 3657,
1999 (tiles, shift by symmetrical phase only matched filtering); masking by local contrast after Cox et al., "Secure
spread spectrum watermarking for multimedia", IEEE Transactions on Image Processing 6, 1997.

It carries no number, only its presence, and is no secret: whoever reads this can remove it, or put it into a photo. It
tells an honest finder that a picture was generated; it proves nothing.
What it survives, and what it costs, is in docs/measurements/watermark.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

Image = NDArray[np.uint8]
TILE = 128
"""Side of the pattern, px."""
_LOWEST, _HIGHEST = 0.035, 0.16
"""Of its frequencies, cycles a pixel: waves of 6 to 29 px. Faster ones would not outlive half the size, slower ones
would show."""
_SEED = 20_261_126
_WEAKEST, _STRONGEST = 0.55, 2.2
"""Grey levels (root mean square) in smooth and in busy places; chosen by tests/benchmarks/bench_watermark.py."""
_BUSY = 8.0
"""Grey levels of mean local contrast at which a place counts as busy."""
THRESHOLD = 6.9
"""Standard deviations of the correlation from which a picture counts as marked; see docs/measurements/watermark.md."""
_SMALLEST = 48
"""px: smaller pictures hold too little of the pattern."""
_WINDOW = 320
"""px of the picture's middle that the scales are searched in."""
_LEAST_SCALE, _MOST_SCALE, _STEP = 0.35, 2.2, 1.0035
"""Sizes against the marked one that are searched, and the step between two: over the window a quarter of a wave."""
_LIKELY = (1.0, 0.5, 0.75, 2 / 3, 1.5, 2.0, 1.25, 0.8, 1 / 3, 0.6)
_SOFTEST = 2.0
"""Grey levels below which differences are not amplified any more when contrast is evened out."""


@dataclass(frozen=True)
class Reading:
    """What was found of the mark.

    Attributes:
        strength: of the best match, standard deviations of the correlation.
        scale: size of the picture against the marked one.
        mirrored: whether it was mirrored.
    """

    strength: float = 0.0
    scale: float = 1.0
    mirrored: bool = False

    @property
    def found(self) -> bool:
        """Whether the picture counts as marked."""
        return self.strength >= THRESHOLD


@lru_cache(maxsize=1)
def _pattern() -> NDArray[np.float32]:
    """(TILE, TILE), mean 0, root mean square 1: waves of the band, of equal height and with fixed random phases."""
    phases = np.fft.fft2(np.random.default_rng(_SEED).standard_normal((TILE, TILE)))
    tile = np.fft.ifft2(np.where(_band(), phases / np.abs(phases), 0)).real
    return (tile / tile.std()).astype(np.float32)


@lru_cache(maxsize=1)
def _band() -> NDArray[np.bool_]:
    """(TILE, TILE) which of the pattern's frequencies it has; not those along the axes, where edges and blocks are."""
    axis = np.fft.fftfreq(TILE)
    radius = np.hypot(axis[:, None], axis[None])
    off_axis = (np.abs(axis[:, None]) > 0.01) & (np.abs(axis[None]) > 0.01)
    return (radius >= _LOWEST) & (radius <= _HIGHEST) & off_axis


@lru_cache(maxsize=4)
def _halves(height: int, width: int) -> tuple[Image, Image]:
    """(H, W) what is added and what is taken away, 32 to a grey level at strength 1."""
    times = -(-height // TILE), -(-width // TILE)
    whole = np.tile(_pattern(), times)[:height, :width] * 32
    return np.clip(whole, 0, 255).astype(np.uint8), np.clip(-whole, 0, 255).astype(np.uint8)


def mark(image: Image) -> Image:
    """Put the mark into a picture.

    Args:
        image: (H, W, 3) uint8 RGB; it is not changed.

    Returns:
        a new (H, W, 3) uint8 picture.
    """
    height, width = image.shape[:2]
    strength = _strength(image)
    added, taken = (cv2.multiply(half, strength, scale=1 / (32 * 32)) for half in _halves(height, width))
    change = cv2.cvtColor(cv2.subtract(cv2.add(added, 128.0), taken), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(image, 1, change, 1, -128), np.uint8)


def _strength(image: Image) -> Image:
    """(H, W) uint8, 32 to a grey level: by how much the eye is distracted there."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    contrast = cv2.blur(cv2.absdiff(grey, cv2.blur(grey, (5, 5))), (7, 7)).astype(np.float32)
    share = np.minimum(contrast / _BUSY, 1)
    levels = 32 * (_WEAKEST + (_STRONGEST - _WEAKEST) * share)
    return np.asarray(cv2.resize(levels.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR))


def read(images: Iterable[Image], thorough: bool = True) -> Reading:
    """Look for the mark.

    Args:
        images: (H, W, 3) uint8 RGB: a picture, or frames of one video, whose evidence adds up; each is looked at by
            itself, too.
        thorough: search all scales, not only the likely ones; a second or two.
    """
    flat = [_evened(image) for image in images if min(image.shape[:2]) >= _SMALLEST]
    if not flat:
        return Reading()
    best = _best(_correlated(flat, scale) for scale in _LIKELY)
    if not best.found and len(flat) > 1:  # maybe only some of the frames show a swapped face
        best = _best([best, *(_correlated([one], scale) for one in flat for scale in _LIKELY)])
    if best.strength >= THRESHOLD + 1 or not thorough:
        return best
    windows = [_middle(one) for one in flat]
    count = int(np.log(_MOST_SCALE / _LEAST_SCALE) / np.log(_STEP))
    swept = _best(_until_found(_correlated(windows, _LEAST_SCALE * _STEP**i) for i in range(count + 1)))
    around = [swept.scale * (1 + step / 4000) for step in range(-6, 7)]
    return _best([best, swept, *(_correlated(flat, scale) for scale in around)])


def _until_found(readings: Iterable[Reading]) -> Iterator[Reading]:
    for reading in readings:
        yield reading
        if reading.strength >= THRESHOLD + 2:
            return


def _best(readings: Iterable[Reading]) -> Reading:
    return max(readings, key=lambda reading: reading.strength, default=Reading())


def _evened(image: Image) -> NDArray[np.float32]:
    """Brightness without its slow changes, and with even contrast everywhere: so no edge outweighs the rest."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 6)
    contrast = cv2.GaussianBlur(np.abs(fine), (0, 0), 6)
    return np.asarray(np.clip(fine / (contrast + _SOFTEST), -3, 3), np.float32)


def _middle(flat: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = flat.shape
    top, left = max(0, (height - _WINDOW) // 2), max(0, (width - _WINDOW) // 2)
    return flat[top : top + _WINDOW, left : left + _WINDOW]


def _correlated(flat: list[NDArray[np.float32]], scale: float) -> Reading:
    """How well the pattern fits pictures that have this size against the marked ones."""
    folded = np.zeros((TILE, TILE), np.float32)
    for one in flat:
        height, width = (max(8, round(side / scale)) for side in one.shape)
        method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
        at_size = one if scale == 1 else cv2.resize(one, (width, height), interpolation=method)
        folded += _folded(at_size)
    phases = _phases(folded)
    return _best(
        Reading(_peak(phases, pattern), scale, bool(mirrored))
        for mirrored, pattern in enumerate(_conjugates())
    )


def _folded(flat: NDArray[np.float32]) -> NDArray[np.float32]:
    """(TILE, TILE) the sum of all tiles."""
    height, width = flat.shape
    padded = np.zeros((-(-height // TILE) * TILE, -(-width // TILE) * TILE), np.float32)
    padded[:height, :width] = flat
    return padded.reshape(padded.shape[0] // TILE, TILE, -1, TILE).sum(axis=(0, 2))


def _phases(tile: NDArray[np.float32]) -> NDArray[np.complex64]:
    """(TILE, TILE // 2 + 1) the phases of the pattern's frequencies, with height 1; 0 elsewhere."""
    spectrum = fft.rfft2(tile)
    kept = _band()[:, : TILE // 2 + 1] / np.maximum(np.abs(spectrum), 1e-9)
    return np.asarray(spectrum * kept.astype(np.float32), np.complex64)


@lru_cache(maxsize=1)
def _conjugates() -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
    """Of the pattern's phases, and of those of its mirror image."""
    tile = _pattern()
    return np.conj(_phases(tile)), np.conj(_phases(np.ascontiguousarray(tile[:, ::-1])))


def _peak(phases: NDArray[np.complex64], pattern: NDArray[np.complex64]) -> float:
    """The best shift's correlation, in standard deviations of those of random phases."""
    fits = fft.irfft2(phases * pattern, s=(TILE, TILE))
    return float(fits.max() * TILE * TILE / np.sqrt(_band().sum()))
