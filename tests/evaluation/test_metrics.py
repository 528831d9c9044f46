import cv2
import numpy as np
import pytest

from faceswap.evaluation import metrics
from tests.swap.fakes import face_points, smooth_noise


def test_ssim_of_equal_pictures_is_one_and_symmetric() -> None:
    a, b = smooth_noise(60, 70, 1), smooth_noise(60, 70, 2)
    assert metrics.ssim(a, a) == pytest.approx(1)
    assert metrics.ssim(a, b) == pytest.approx(metrics.ssim(b, a))
    assert metrics.ssim(a, b) < 0.3


def test_ssim_of_flat_pictures_is_the_closed_form_of_their_light() -> None:
    a, b = np.full((30, 30, 3), 0.5), np.full((30, 30, 3), 0.6)
    c1 = 0.01**2
    assert metrics.ssim(a, b) == pytest.approx((2 * 0.3 + c1) / (0.25 + 0.36 + c1))


def test_ssim_of_a_scaled_pattern_is_the_closed_form_of_its_structure() -> None:
    # b = mean + k (a - mean), on a pattern with the same mean everywhere: only the second factor counts.
    checks = np.indices((64, 64)).sum(0) % 2 * 0.2 + 0.4
    a = np.repeat(checks[..., None], 3, 2)
    b = 0.5 + 0.5 * (a - 0.5)
    kernel = cv2.getGaussianKernel(11, 1.5)
    weights = kernel @ kernel.T
    patch = checks[20:31, 20:31]
    mean = (weights * patch).sum()
    var = (weights * patch**2).sum() - mean**2
    mean_b = 0.5 + 0.5 * (mean - 0.5)
    light = (2 * mean * mean_b + 1e-4) / (mean**2 + mean_b**2 + 1e-4)
    want = light * (2 * 0.5 * var + 9e-4) / (1.25 * var + 9e-4)
    assert metrics.ssim(a, b) == pytest.approx(want, abs=1e-3)


def test_ssim_of_an_inverted_picture_is_negative() -> None:
    noise = np.random.default_rng(0).normal(0.5, 0.1, (64, 64, 3))
    assert metrics.ssim(noise, 1 - noise) < -0.5


def test_ssim_in_a_mask_sees_only_the_mask() -> None:
    a = smooth_noise(80, 80)
    b = a.copy()
    b[:, 50:] = 0
    mask = np.zeros((80, 80), bool)
    mask[:, :40] = True
    assert metrics.ssim(a, b, mask) == pytest.approx(1)
    assert metrics.ssim(a, b, ~mask) < 0.8


def test_ssim_refuses_what_it_can_not_compare() -> None:
    with pytest.raises(ValueError, match="11 x 11"):
        metrics.ssim(np.zeros((8, 8, 3)), np.zeros((8, 8, 3)))
    with pytest.raises(ValueError, match="one shape"):
        metrics.ssim(np.zeros((18, 18, 3)), np.zeros((18, 19, 3)))


def test_mae_and_psnr_in_closed_form() -> None:
    a = np.full((9, 9, 3), 100, np.uint8)
    b = np.full((9, 9, 3), 151, np.uint8)  # 51 / 255 = 0.2
    assert metrics.mae(a, b) == pytest.approx(0.2)
    assert metrics.mae(a, b / 255) == pytest.approx(0.2)
    assert metrics.psnr(a, b) == pytest.approx(-20 * np.log10(0.2))
    assert metrics.psnr(a, a) == float("inf")
    half = np.zeros((9, 9), bool)
    half[:4] = True
    c = a.copy()
    c[4:] = 0
    assert metrics.psnr(a, c, half) == float("inf")


def test_correlation() -> None:
    x = np.linspace(0, 1, 9)
    assert metrics.correlation(x, 3 * x + 1) == pytest.approx(1)
    assert metrics.correlation(x, -x) == pytest.approx(-1)
    holed = x.copy()
    holed[4] = np.nan
    assert metrics.correlation(x, holed) == pytest.approx(1)
    assert np.isnan(metrics.correlation(x, np.full(9, 0.3)))
    assert np.isnan(metrics.correlation(x[:2], x[:2]))
    assert np.isnan(metrics.correlation(0.01 * x, x, noise=0.01))
    assert metrics.correlation(x, 0.01 * x, noise=0.01) == pytest.approx(1)  # a weak swap is still in step


def test_pose_error_takes_the_short_way_round() -> None:
    a, b = np.array([[0, 0, 179.0], [10, 0, 0]]), np.array([[0, 0, -179.0], [4, 0, 0]])
    assert metrics.pose_error_degrees(a, b) == pytest.approx((2 + 6) / 6)
    assert np.isnan(metrics.pose_error_degrees(np.empty((0, 3)), np.empty((0, 3))))


def test_identity() -> None:
    ada, bela = np.zeros(128), np.zeros(128)
    bela[0] = 1
    seen = np.zeros((2, 128))
    seen[:, 0] = 0.3, 0.8
    assert metrics.identity_distances(seen, bela) == pytest.approx([0.7, 0.2])
    assert metrics.nearest_identities(seen, {"ada": ada, "bela": bela}) == ["ada", "bela"]


def test_sharpness_falls_with_blur_and_hardly_depends_on_resolution() -> None:
    picture, points = smooth_noise(512, 512), face_points(256, 256, 200)
    picture = np.clip(picture + np.random.default_rng(0).normal(0, 9, picture.shape), 0, 255).astype(np.uint8)
    real = metrics.laplacian_variance(picture, points)
    soft = metrics.laplacian_variance(cv2.GaussianBlur(picture, (0, 0), 4), points)
    assert metrics.sharpness_ratio([soft], [real]) < 0.3
    smooth = smooth_noise(512, 512)
    twice = cv2.resize(smooth, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    ratio = metrics.sharpness_ratio(
        [metrics.laplacian_variance(twice, (points + 0.5) * 2 - 0.5)],
        [metrics.laplacian_variance(smooth, points)],
    )
    assert 0.7 < ratio < 1.4
    dim = (picture * 0.4).astype(np.uint8)
    assert metrics.laplacian_variance(dim, points) == pytest.approx(
        metrics.laplacian_variance(picture, points), rel=0.1
    )
    assert metrics.sharpness_ratio([2, 4, 99], [4]) == 1
    assert np.isnan(metrics.sharpness_ratio([], [4]))


def test_flicker_counts_only_what_the_swap_adds() -> None:
    mask = np.ones((8, 8), bool)
    dark, light = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 51, np.uint8)
    every = [mask] * 3
    assert metrics.flicker([dark] * 3, [dark, light, dark], every) == pytest.approx(0.2)
    assert metrics.flicker([dark, light, dark], [dark, light, dark], every) == 0
    assert metrics.flicker([dark, light, dark], [dark] * 3, every) == 0
    assert np.isnan(metrics.flicker([dark], [dark], [mask]))


def test_the_mean_distance_of_points_leaves_out_what_is_unknown() -> None:
    a = np.array([(0.0, 0.0), (1.0, 1.0), (np.nan, 0.0)])
    b = np.array([(3.0, 4.0), (1.0, 0.0), (0.0, 0.0)])
    assert metrics.mean_distance(a, b) == pytest.approx((5 + 1) / 2)
    assert np.isnan(metrics.mean_distance(a[2:], b[2:]))
