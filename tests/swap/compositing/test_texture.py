"""The target's pores on the swap, and nothing else of it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.swap.compositing.blending import brightened
from faceswap.swap.compositing.texture import texture_of

SIZE = 160
ENLARGED = 3.0
"""Px of the frame per px of the crop."""
SWAP = np.full((SIZE, SIZE, 3), (150, 110, 90), np.uint8)


def skin(deviation: float, seed: int = 0) -> NDArray[np.uint8]:
    """Fine noise on an even colour, in brightness."""
    pores = np.random.default_rng(seed).normal(0, deviation, (SIZE, SIZE, 1))
    return np.clip(np.rint(pores + np.array((140, 120, 100))), 0, 255).astype(np.uint8)


def change(target: NDArray[np.uint8], amount: float = 1.0, enlarged: float = ENLARGED) -> NDArray[np.int16]:
    """(h, w, 3) what is added to the swap, in grey levels."""
    return brightened(SWAP, texture_of(target, amount, enlarged)).astype(np.int16) - SWAP


@pytest.mark.parametrize("amount", [0.5, 1.0])
def test_the_swap_gets_the_targets_pores(amount: float) -> None:
    target = skin(3.0)
    added = change(target, amount)[..., 0]
    grey = cv2.cvtColor(target, cv2.COLOR_RGB2GRAY).astype(float)
    assert np.corrcoef(added.ravel(), grey.ravel())[0, 1] > 0.9
    assert added.std() == pytest.approx(amount * 3.0, rel=0.2)
    assert abs(added.mean()) < 0.2


def test_no_colour_comes_along() -> None:
    target = skin(3.0)
    target[..., 2] = np.random.default_rng(7).integers(60, 140, (SIZE, SIZE))
    added = change(target)
    assert np.ptp(added, axis=-1).max() == 0


def test_a_lid_a_brow_or_a_rim_of_the_target_leaves_no_second_edge() -> None:
    target = skin(2.0)
    target[80:84] = 30  # a thin dark line
    target[:, 120:] = 60  # a shadow's edge
    added = change(target)[..., 0]
    assert np.abs(added[70:94, :100]).max() <= 8
    assert np.abs(added[:60, 110:130]).max() <= 8
    assert added[10:60, 10:100].std() > 1.5  # pores a little away from them


def test_a_single_fine_line_of_the_target_is_hardly_seen() -> None:
    """A frown line: so thin that its surroundings are even."""
    target = skin(1.0)
    target[40:120, 80] = target[40:120, 80] - 30
    assert np.abs(change(target)[50:110, 78:83, 0]).max() <= 6


def test_what_the_network_generates_itself_is_not_added() -> None:
    """Shading and wrinkles that are as wide as the crop's pixels."""
    wide = skin(0.0).astype(float) + 20 * np.sin(np.arange(SIZE) / 14)[:, None, None]
    assert np.abs(change(np.rint(wide).astype(np.uint8))[12:-12]).max() <= 2


def test_nothing_is_added_where_none_is_wanted_or_the_frame_shows_no_more_than_the_crop() -> None:
    assert texture_of(skin(3.0), 0.0, ENLARGED) is None
    assert texture_of(skin(3.0), 1.0, 0.7) is None
    assert brightened(SWAP, None, None) is SWAP
