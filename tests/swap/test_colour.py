import cv2
import numpy as np
import pytest

from faceswap.errors import SettingsError
from faceswap.swap.colour import fit_colours

ALL = np.ones((64, 64), bool)


def picture(seed: int, middle: tuple[int, int, int], spread: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, spread, (64, 64, 1))
    return np.clip(np.array(middle) + noise, 0, 255).astype(np.uint8)


def lab_median(rgb: np.ndarray) -> np.ndarray:
    values = rgb.astype(np.float32) / 255 if rgb.dtype == np.uint8 else rgb
    return np.median(cv2.cvtColor(values, cv2.COLOR_RGB2LAB).reshape(-1, 3), 0)


@pytest.mark.parametrize("how", ["mean", "reinhard"])
def test_equal_pictures_stay_as_they_are(how: str) -> None:
    target = picture(0, (150, 110, 90), 20)
    fitted = fit_colours(target.astype(np.float32) / 255, target, ALL, how)
    assert np.abs(fitted * 255 - target).max() < 1


@pytest.mark.parametrize("how", ["mean", "reinhard"])
def test_medians_meet(how: str) -> None:
    swapped, target = picture(0, (90, 120, 160), 10), picture(1, (170, 120, 100), 12)
    fitted = fit_colours(swapped.astype(np.float32) / 255, target, ALL, how)
    assert np.allclose(lab_median(fitted), lab_median(target), atol=0.5)
    assert np.abs(lab_median(swapped) - lab_median(target)).max() > 10


def test_reinhard_fits_the_contrast_and_mean_keeps_it() -> None:
    swapped, target = picture(0, (128, 128, 128), 20), picture(1, (128, 128, 128), 25)
    values = swapped.astype(np.float32) / 255
    assert fit_colours(values, target, ALL, "mean").std() == pytest.approx(values.std(), rel=0.05)
    assert fit_colours(values, target, ALL, "reinhard").std() * 255 == pytest.approx(target.std(), rel=0.05)


def test_contrast_is_not_blown_up() -> None:
    swapped, target = picture(0, (128, 128, 128), 4), picture(1, (128, 128, 128), 40)
    values = swapped.astype(np.float32) / 255
    assert fit_colours(values, target, ALL, "reinhard").std() < 1.5 * values.std()


def test_glasses_and_highlights_do_not_pull_the_colour() -> None:
    swapped, target = picture(0, (90, 120, 160), 10), picture(1, (170, 120, 100), 10)
    clean = fit_colours(swapped.astype(np.float32) / 255, target, ALL, "reinhard")
    spoilt = target.copy()
    spoilt[10:16] = 0  # a black frame of glasses, 9 % of the face
    spoilt[40:42] = 255
    assert (
        np.abs(fit_colours(swapped.astype(np.float32) / 255, spoilt, ALL, "reinhard") - clean).mean() < 0.02
    )


def test_only_skin_counts_but_all_pixels_change() -> None:
    target = picture(1, (170, 120, 100), 5)
    target[:, 32:] = (0, 0, 255)
    skin = np.zeros((64, 64), bool)
    skin[:, :32] = True
    fitted = fit_colours(np.full((64, 64, 3), 0.4, np.float32), target, skin, "mean")
    assert np.abs(fitted[0, 0] * 255 - (170, 120, 100)).max() < 3
    assert np.allclose(fitted[0, 0], fitted[0, 63])


def test_strength_none_and_no_skin() -> None:
    swapped, target = np.full((64, 64, 3), 0.2, np.float32), picture(1, (170, 120, 100), 5)
    half = lab_median(fit_colours(swapped, target, ALL, "mean", 0.5))
    assert np.allclose(half, (lab_median(swapped) + lab_median(target)) / 2, atol=0.6)
    assert fit_colours(swapped, target, ALL, "none") is swapped
    assert fit_colours(swapped, target, ~ALL, "reinhard") is swapped


def test_unknown_method_raises() -> None:
    with pytest.raises(SettingsError, match="Reinhard"):
        fit_colours(np.zeros((64, 64, 3), np.float32), picture(0, (1, 2, 3), 1), ALL, "Reinhard")
