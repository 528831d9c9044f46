"""The target's light on the generated face."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.swap.compositing.colour import Transfer, apply_transfer, fit_transfer
from faceswap.swap.compositing.shared_skin import GRID
from faceswap.swap.openings.outlines import Openings
from faceswap.swap.options import Colour

SIZE = 96
ALL = np.ones((GRID, GRID), np.float32)
SKIN = np.array([0.7, 0.5, 0.4])
ACROSS = np.linspace(-1, 1, SIZE)[None, :, None]


def face(seed: int = 0) -> NDArray[np.float32]:
    """Skin with fine detail, which low frequencies don't show."""
    pores = np.random.default_rng(seed).normal(1, 0.03, (SIZE, SIZE, 1))
    return (SKIN * pores).astype(np.float32)


def seen(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def fitted(
    generated: NDArray[np.float32],
    target: NDArray[np.uint8],
    how: Colour = "light",
    shared: NDArray[np.float32] = ALL,
    openings: Openings | None = None,
) -> NDArray[np.float32]:
    transfer = fit_transfer(generated, target, shared, how)
    assert transfer is not None
    return apply_transfer(generated, transfer, openings)


@pytest.mark.parametrize("how", ["light", "skin"])
def test_equal_pictures_stay_as_they_are(how: Colour) -> None:
    assert np.abs(fitted(face(), seen(face()), how) - face()).max() < 0.01


def test_light_from_a_side_is_followed_and_detail_stays() -> None:
    """Half as bright on one side and warmer: the swap is the same face in that light."""
    light = np.exp(0.35 * ACROSS) * np.exp(ACROSS * [0.06, 0.0, -0.06]) * [1.0, 0.95, 0.9]
    truth = face() * light
    assert np.abs(fitted(face(), seen(truth)) - truth).mean() < 0.01
    assert np.abs(fitted(face(), seen(truth), "skin") - truth).mean() > 0.05


def test_what_is_no_skin_does_not_pull_the_light() -> None:
    """A dark fringe and a highlight in the target, over a sixth of the face."""
    truth = 0.8 * face()
    spoilt = truth.copy()
    spoilt[:12] = 0.05
    spoilt[50:54] = 1.0
    assert np.abs(fitted(face(), seen(spoilt)) - truth)[16:46].mean() < 0.012


NOTHING = np.zeros((SIZE, SIZE), np.float32)
OPENING = NOTHING.copy()
OPENING[60:72, 30:66] = 1
BESIDE = np.float32(1) - cv2.dilate(cv2.resize(OPENING, (GRID, GRID)), np.ones((3, 3)))
"""The skin beside an opening."""


def test_teeth_stay_neutral_on_another_skin() -> None:
    generated = face()
    generated[60:72, 30:66] = 0.8
    target = seen(np.broadcast_to([0.55, 0.33, 0.2], (SIZE, SIZE, 3)))
    result = fitted(generated, target, shared=BESIDE, openings=Openings(NOTHING, OPENING))
    teeth = result[63:69, 36:60]
    assert np.ptp(teeth.mean(axis=(0, 1))) < 0.1  # the skins' quotients differ by 0.29
    assert teeth.mean() > 0.6
    assert np.allclose(result[10:40].mean(axis=(0, 1)), [0.55, 0.33, 0.2], atol=0.01)


def test_eyes_of_a_dark_face_do_not_glow_on_a_fair_one() -> None:
    """Skin that reflects twice as much under the same lamp: whites and brown irises reflect what they did."""
    white, iris = (0.7, 0.69, 0.68), (0.2, 0.12, 0.08)
    generated = (0.5 * face()).astype(np.float32)
    generated[60:72, 30:42], generated[60:72, 42:54], generated[60:72, 54:66] = white, iris, white
    target = seen(np.broadcast_to(SKIN, (SIZE, SIZE, 3)))
    eye, lips = (
        fitted(generated, target, shared=BESIDE, openings=openings)[63:69]
        for openings in (Openings(OPENING, NOTHING), Openings(NOTHING, OPENING))
    )
    assert eye[:, 45:51].mean() < 1.5 * np.mean(iris)  # half of the skins' difference is taken for light
    assert lips[:, 45:51].mean() > 1.7 * np.mean(iris)
    assert eye[:, 33:39].mean() < 0.96  # all of the gain would make it 1.4


def test_no_colour_beyond_what_the_two_show() -> None:
    """Red lips of a pale face, on skin of more colour: a gain alone would make them purely red."""
    generated = np.broadcast_to(np.float32([0.8, 0.75, 0.72]), (SIZE, SIZE, 3)).copy()
    generated[60:72, 30:66] = (0.6, 0.3, 0.28)
    skin = np.ones((GRID, GRID), np.float32)
    skin[28:38, 13:35] = 0
    target = seen(np.broadcast_to([0.7, 0.45, 0.32], (SIZE, SIZE, 3)))
    result = fitted(generated, target, shared=skin)
    most, least = (f(result[62:70, 34:62].mean(axis=(0, 1))) for f in (np.max, np.min))
    assert (most - least) / most < 0.62  # 0.53 before, 0.54 the target's skin, 0.75 by the gain


def test_strength_none_little_skin_and_unknown_names() -> None:
    target = seen(0.5 * face())
    transfer = fit_transfer(face(), target, ALL, "skin")
    assert transfer is not None
    half = apply_transfer(face(), transfer, strength=0.5).mean() / face().mean()
    assert half == pytest.approx(0.5**0.5, abs=0.02)
    assert fit_transfer(face(), target, ALL, "none") is None
    assert fit_transfer(face(), target, 0 * ALL, "light") is None
    with pytest.raises(SettingsError, match="reinhard"):
        fit_transfer(face(), target, ALL, "reinhard")  # type: ignore[arg-type]


def test_smoothed_colours_flicker_less_and_follow_a_cut_at_once() -> None:
    memory: Transfer | None = None
    alone, smoothed = [], []
    rng = np.random.default_rng(5)
    for i in range(12):
        light = 0.8 + rng.normal(0, 0.02) - (0.3 if i >= 10 else 0)
        found = fit_transfer(face(), seen(light * face(i)), ALL, "light")
        assert found is not None
        memory = found.mixed(memory, 0.2)
        alone.append(apply_transfer(face(), found).mean())
        smoothed.append(apply_transfer(face(), memory).mean())
    assert np.abs(np.diff(smoothed[:10])).mean() < 0.4 * np.abs(np.diff(alone[:10])).mean()
    assert smoothed[10] == pytest.approx(alone[10], abs=1e-6)
