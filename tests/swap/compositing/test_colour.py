from itertools import pairwise

import cv2
import numpy as np
import pytest

from faceswap.errors import SettingsError
from faceswap.swap.compositing.colour import Transfer, _toned, apply_transfer, fit_colours, fit_transfer
from faceswap.swap.options import Colour

ALL = np.ones((64, 64), bool)


def picture(seed: int, middle: tuple[int, int, int], spread: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, spread, (64, 64, 1))
    return np.clip(np.array(middle) + noise, 0, 255).astype(np.uint8)


def lab_median(rgb: np.ndarray) -> np.ndarray:
    values = rgb.astype(np.float32) / 255 if rgb.dtype == np.uint8 else rgb
    return np.median(cv2.cvtColor(values, cv2.COLOR_RGB2LAB).reshape(-1, 3), 0)


@pytest.mark.parametrize("middle", [(150, 110, 90), (90, 120, 160), (128, 128, 128), (90, 150, 80)])
@pytest.mark.parametrize("how", ["skin", "mean", "reinhard"])
def test_equal_pictures_of_any_tint_stay_as_they_are(how: str, middle: tuple[int, int, int]) -> None:
    target = picture(0, middle, 20)
    fitted = fit_colours(target.astype(np.float32) / 255, target, ALL, how)
    assert np.abs(fitted * 255 - target).max() < 1


@pytest.mark.parametrize("how", ["skin", "mean", "reinhard"])
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


def test_skin_leaves_teeth_neutral_where_reinhard_tints_them() -> None:
    swapped, target = picture(0, (230, 175, 155), 6), picture(1, (150, 112, 90), 6)
    swapped[:8] = (200, 200, 200)  # teeth: not skin
    skin = ALL.copy()
    skin[:8] = False
    tint = {}
    for how in ("skin", "reinhard"):
        fitted = fit_colours(swapped.astype(np.float32) / 255, target, skin, how)
        assert np.allclose(lab_median(fitted[8:]), lab_median(target), atol=0.7)
        tint[how] = np.abs(cv2.cvtColor(fitted[:8], cv2.COLOR_RGB2LAB)[..., 1:]).max()
    assert tint["skin"] < 1.5
    assert tint["reinhard"] > 4


def test_skin_keeps_the_swaps_contrast_on_a_flatly_lit_target() -> None:
    swapped, target = picture(0, (150, 110, 90), 20), picture(1, (150, 110, 90), 8)
    values = swapped.astype(np.float32) / 255
    assert (
        fit_colours(values, target, ALL, "skin").std(axis=(0, 1)).mean()
        > 0.85 * values.std(axis=(0, 1)).mean()
    )


def test_skin_takes_contrast_away_as_darker_skin_reflects_less() -> None:
    """A picture in half the light has half of each reflectance: its lightness plus 16 shrinks by one factor."""
    swapped = picture(0, (200, 170, 160), 12)
    target = np.full_like(swapped, (100, 85, 80))
    values = swapped.astype(np.float32) / 255
    fitted = fit_colours(values, target, ALL, "skin")
    before, after = (cv2.cvtColor(x, cv2.COLOR_RGB2LAB)[..., 0] for x in (values, fitted))
    light = (np.median(after) + 16) / (np.median(before) + 16)
    assert light < 0.7
    assert after.std() / before.std() == pytest.approx(0.9 * light, rel=0.05)


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


def correlated(seed: int, mean: tuple[float, float, float], mixing: np.ndarray, side: int = 64) -> np.ndarray:
    """(side, side, 3) float64 around ``mean`` (0..1) with exactly the covariance mixing @ mixing.T."""
    samples = np.random.default_rng(seed).normal(size=(side * side, 3))
    samples -= samples.mean(0)
    samples @= np.linalg.inv(np.linalg.cholesky(np.cov(samples, rowvar=False))).T
    return (samples @ mixing.T + mean).reshape(side, side, 3)


def test_linear_maps_one_gaussian_exactly_onto_the_other() -> None:
    # all within the limits of the contrast and within 0..1, so that nothing is clipped
    a = 0.04 * np.array([[1, 0, 0], [0.5, 0.8, 0], [0.3, 0.2, 0.9]])
    b = 0.045 * np.array([[0.9, 0, 0], [0.6, 0.7, 0], [0.2, 0.3, 1.0]])
    swapped, goal = correlated(0, (0.4, 0.5, 0.6), a), correlated(1, (0.6, 0.45, 0.4), b)
    target = np.rint(goal * 255).astype(np.uint8)
    fitted = fit_colours(swapped.astype(np.float32), target, ALL, "linear").reshape(-1, 3)
    want = target.reshape(-1, 3) / 255
    assert np.allclose(fitted.mean(0), want.mean(0), atol=1e-4)
    assert np.allclose(np.cov(fitted, rowvar=False), np.cov(want, rowvar=False), atol=3e-5)


def test_linear_is_the_map_of_least_motion() -> None:
    # Its matrix is symmetric and positive: what tells it from all other maps between the two Gaussians.
    swapped = correlated(0, (0.4, 0.5, 0.6), 0.05 * np.eye(3)).astype(np.float32)
    goal = correlated(1, (0.5, 0.5, 0.5), 0.05 * np.array([[1, 0, 0], [0.3, 0.9, 0], [0.1, 0.2, 1]]))
    transfer = fit_transfer(swapped, np.rint(goal * 255).astype(np.uint8), ALL, "linear")
    assert transfer is not None
    matrix = transfer.values[:3]
    assert np.allclose(matrix, matrix.T, atol=1e-6)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_histogram_equals_the_targets() -> None:
    rng = np.random.default_rng(2)
    grey = rng.normal(0.4, 0.05, (64, 64, 3))
    two_humps = np.where(rng.random((64, 64, 1)) < 0.4, 90.0, 160.0) + rng.normal(0, 8, (64, 64, 1))
    target = np.clip(two_humps + np.array([20, 0, -20]), 0, 255).astype(np.uint8)
    fitted = fit_colours(grey.astype(np.float32), target, ALL, "histogram")
    lab, want = (
        cv2.cvtColor(x, cv2.COLOR_RGB2LAB) for x in (fitted, target.astype(np.float32) / np.float32(255))
    )
    levels = np.arange(2, 99, 4)
    for channel in range(3):
        have = np.percentile(lab[..., channel], levels)
        assert np.abs(have - np.percentile(want[..., channel], levels)).max() < 1


def test_histogram_keeps_what_is_brighter_than_any_skin() -> None:
    swapped = picture(0, (120, 110, 100), 6).astype(np.float32) / 255
    swapped[:4] = 1.0  # the white of an eye
    skin = ALL.copy()
    skin[:4] = False
    fitted = fit_colours(swapped, picture(1, (120, 110, 100), 6), skin, "histogram")
    assert fitted[:4].min() > 0.95


def test_seamless_keeps_the_swaps_gradients_and_meets_the_targets_border() -> None:
    size = 64
    rows, columns = np.mgrid[:size, :size]
    disc = (rows - 32) ** 2 + (columns - 32) ** 2 < 22**2
    target = np.full((size, size, 3), (150, 120, 100), np.uint8)
    target[:, :, 0] += (columns // 2).astype(np.uint8)  # light from a side
    swapped = np.full((size, size, 3), 0.3, np.float32)
    swapped[28:36, 28:36] += 0.08
    fitted = fit_colours(swapped, target, disc, "seamless")
    rim = disc & ((rows - 32) ** 2 + (columns - 32) ** 2 > 20**2)
    assert np.abs(fitted[rim] * 255 - target[rim]).mean() < 4
    # the middle stands out as much as in the swap with its contrast fitted
    plain = fit_colours(swapped, target, disc, "skin")
    light = (target[32, 32].astype(float) - target[32, 24]) / 255
    step = fitted[32, 32] - fitted[32, 24] - light
    assert np.allclose(step, plain[32, 32] - plain[32, 24], atol=0.04)
    assert step.min() > 0.05


@pytest.mark.parametrize("how", ["skin", "mean", "reinhard", "histogram", "linear", "seamless"])
def test_smoothed_colours_flicker_less_and_follow_a_cut_at_once(how: Colour) -> None:
    swapped = correlated(0, (0.4, 0.45, 0.5), 0.03 * np.eye(3)).astype(np.float32)
    memory: Transfer | None = None
    alone, smoothed = [], []
    rng = np.random.default_rng(5)
    for i in range(12):
        level = 140 + rng.normal(0, 3) + (60 if i >= 10 else 0)
        found = fit_transfer(swapped, picture(i, (level, level - 20, level - 40), 8), ALL, how)
        assert found is not None
        memory = found.mixed(memory, 0.2)
        alone.append(apply_transfer(swapped, found).mean())
        smoothed.append(apply_transfer(swapped, memory).mean())
    assert np.abs(np.diff(smoothed[:10])).mean() < 0.4 * np.abs(np.diff(alone[:10])).mean()
    assert smoothed[10] == pytest.approx(alone[10], abs=1e-6)


def test_skin_lightens_a_dark_face_without_blown_out_whites_or_grey_pupils() -> None:
    swapped, target = picture(0, (80, 55, 42), 10), picture(1, (190, 150, 130), 10)
    lights = [(10, 10, 10), (60, 40, 30), (80, 55, 42), (120, 95, 80), (170, 165, 160)]
    for i, colour in enumerate(lights):
        swapped[2 * i : 2 * i + 2, :2] = colour
    skin = ALL.copy()
    skin[: 2 * len(lights), :2] = False
    values = swapped.astype(np.float32) / 255
    fitted = {how: fit_colours(values, target, skin, how) for how in ("skin", "reinhard")}
    lightness = {
        how: [float(cv2.cvtColor(f, cv2.COLOR_RGB2LAB)[2 * i, 0, 0]) for i in range(len(lights))]
        for how, f in fitted.items()
    }
    assert all(a < b for a, b in pairwise(lightness["skin"]))
    assert lightness["skin"][0] < 20  # a pupil's; 3 before
    assert lightness["skin"][-1] < 93  # 68 before, 27 for the skin's 40
    assert lightness["reinhard"][0] > 30
    assert lightness["reinhard"][-1] > 98


@pytest.mark.parametrize("goal", [25, 50, 80])
@pytest.mark.parametrize("gain", [0.9, 1.0, 1.4])
def test_the_tone_curve_meets_its_three_points_with_its_slope_and_never_turns(
    gain: float, goal: float
) -> None:
    lightness = np.linspace(0, 100, 1001, dtype=np.float32)
    toned = _toned(lightness, gain, 50.0, goal)
    assert toned[0] == pytest.approx(0, abs=1e-4)
    assert toned[500] == pytest.approx(goal, abs=1e-4)
    assert toned[-1] <= 100 + 1e-3
    assert (np.diff(toned)[toned[1:] > 0] > 0).all()
    for step in (slice(498, 501, 2), slice(500, 503, 2)):
        assert np.diff(toned[step])[0] / 0.2 == pytest.approx(gain, rel=0.03)
