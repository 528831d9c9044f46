import numpy as np
import pytest

from faceswap.faces.crispness import sharpen
from faceswap.faces.geometry import Geometry
from faceswap.faces.regions import Region
from faceswap.swap.compositing.blending import blend, brightened, uncrop
from tests.swap.fakes import face_points, smooth_noise


@pytest.mark.parametrize("height", [12, 40, 60, 200])
def test_uncrop_is_the_inverse_of_crop(height: int) -> None:
    # A linear ramp in the frame survives both ways at any scale.
    geometry = Geometry(64, 1.5)
    columns = np.broadcast_to(np.arange(400)[None, :, None] * 0.5 + 20, (400, 400, 3))
    frame = columns.astype(np.uint8)
    points = face_points(200, 200, height, roll=0.4)
    matrix = geometry.matrix(points)
    crop = geometry.crop(frame, matrix).astype(np.float32) / 255
    region = Region(200 - height // 3, 200 - height // 3, 200 + height // 3, 200 + height // 3)
    assert np.abs(uncrop(crop, matrix, region).astype(float) - columns[region.slices]).mean() < 0.8


def test_enlarging_keeps_more_detail_than_bilinear() -> None:
    import cv2

    geometry = Geometry(64, 1.5)
    frame = cv2.GaussianBlur(smooth_noise(256, 256), (0, 0), 1)
    matrix = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375]])
    crop = cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    assert geometry.size == 64
    ours = uncrop(crop, matrix, Region(0, 0, 256, 256))
    plain = cv2.resize(crop * 255, (256, 256), interpolation=cv2.INTER_LINEAR)
    inner = np.s_[16:-16, 16:-16]
    error = np.abs(ours[inner].astype(float) - frame[inner]).mean()
    assert error < 0.9 * np.abs(plain[inner] - frame[inner]).mean()


def test_layers_change_brightness_alone_and_stay_within_the_range() -> None:
    picture = np.tile(np.array((10, 128, 250), np.uint8), (4, 6, 1))
    layers = [np.full((4, 6), level, np.float32) for level in (12.4, -4.0)]
    found = brightened(picture, layers[0], None, layers[1])
    assert (found == np.array((18, 136, 255))).all()  # 8.4, rounded once
    assert (picture == np.array((10, 128, 250))).all()
    assert brightened(picture, None) is picture


def test_blend_mixes_by_the_mask_and_spares_the_rest() -> None:
    frame = smooth_noise(40, 50)
    before = frame.copy()
    mask = np.zeros((10, 20), np.float32)
    mask[2:8, 5:10], mask[2:8, 10:15] = 0.25, 1
    blend(frame, np.full((10, 20, 3), 200, np.uint8), mask, Region(7, 4, 27, 14))
    want = before.astype(float)
    want[6:12, 12:17] = 0.75 * want[6:12, 12:17] + 50
    want[6:12, 17:22] = 200
    assert np.abs(frame - want).max() <= 0.51
    changed = np.zeros((40, 50), bool)
    changed[6:12, 12:22] = True
    assert (frame[~changed] == before[~changed]).all()


def test_sharpen_raises_contrast_at_edges_only() -> None:
    flat = np.full((32, 32, 3), 0.5, np.float32)
    np.testing.assert_allclose(sharpen(flat, 1.0), flat, atol=1e-6)
    edge = flat.copy()
    edge[:, 16:] = 0.7
    crisp = sharpen(edge, 1.0)
    assert crisp[16, 16, 0] > 0.72
    np.testing.assert_allclose(crisp[:, 24:], 0.7, atol=1e-3)
    assert sharpen(edge, 0.0) is edge
