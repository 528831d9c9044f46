from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswap.errors import SettingsError
from faceswap.faces.geometry import Geometry, apply
from faceswap.faces.regions import Region, depth_in, face_height, hull_of, region_of
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.masks.face_mask import face_mask
from faceswap.swap.options import Mask, SwapOptions
from tests.swap.fakes import face_points

GEOMETRY = Geometry(128, 1.5)


def whole_mask(points: np.ndarray, options: SwapOptions, size: int = 400) -> np.ndarray:
    return face_mask(Region(0, 0, size, size), FaceCrop.of(points, GEOMETRY, np.empty((size, size))), options)


def test_depth_in_a_square_is_the_distance_to_its_sides() -> None:
    square = np.array([(1.5, 1.5), (11.5, 1.5), (11.5, 11.5), (1.5, 11.5)])
    xs = ys = np.arange(14.0)
    want = np.minimum.reduce(
        [*np.broadcast_arrays(xs[None] - 1.5, 11.5 - xs[None], ys[:, None] - 1.5, 11.5 - ys[:, None])]
    )
    assert np.allclose(depth_in(square, xs, ys), want, atol=1e-5)
    assert np.allclose(depth_in(square[::-1], xs, ys), want, atol=1e-5)  # either way round


def test_depth_on_a_grid_of_any_size_is_that_of_each_of_its_rows() -> None:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    polygon = np.stack([500 + 300 * np.cos(angle), 450 + 200 * np.sin(angle)], axis=1)
    xs, ys = np.arange(1000.0), np.arange(900.0)
    whole = depth_in(polygon, xs, ys)
    assert whole[450, 500] == pytest.approx(200 * np.cos(np.pi / 40), abs=0.5)
    for row in (0, 5, 6, 7, 449, 899):
        np.testing.assert_array_equal(whole[row], depth_in(polygon, xs, ys[row : row + 1])[0])


def test_nothing_lies_in_a_point() -> None:
    assert depth_in(np.full((3, 2), 4.0), np.arange(9.0), np.arange(5.0)).max() < -1e9


def test_face_height_is_what_the_face_was_made_with() -> None:
    points = face_points(200, 200, 90, roll=0.3)
    assert face_height(GEOMETRY, GEOMETRY.matrix(points)) == pytest.approx(90)


@pytest.mark.parametrize("mask", ["hull", "ellipse", "rect"])
@settings(max_examples=15, deadline=None)
@given(x=st.floats(80, 320), y=st.floats(80, 320), height=st.floats(30, 220), roll=st.floats(-3, 3))
def test_mask_is_one_at_the_nose_and_zero_outside_of_the_crop(
    mask: str, x: float, y: float, height: float, roll: float
) -> None:
    points = face_points(x, y, height, roll)
    matrix = GEOMETRY.matrix(points)
    result = whole_mask(points, SwapOptions(mask=mask))
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    nose = np.rint(points[30]).astype(int)
    assert result[nose[1], nose[0]] == 1
    rows, columns = np.mgrid[:400, :400]
    in_crop = apply(matrix, np.stack([columns.ravel(), rows.ravel()], 1))
    beyond = ((in_crop < -1.5) | (in_crop > 128.5)).any(1).reshape(400, 400)
    assert result[beyond].max(initial=0) < 0.02


def test_mask_falls_softly() -> None:
    # No step between neighbours is larger than a smoothstep of the feather's width allows.
    result = whole_mask(face_points(200, 200, 150), SwapOptions(feather=0.12))
    steepest = 1.5 / (0.06 * 150)  # the crop's own edge is the narrowest
    assert max(np.abs(np.diff(result, axis=0)).max(), np.abs(np.diff(result, axis=1)).max()) < steepest * 1.5


def test_hull_follows_the_face_and_erosion_shrinks_it() -> None:
    points = face_points(200, 200, 120)
    hard = SwapOptions(feather=0, erosion=0, forehead=0)
    full, less = whole_mask(points, hard), whole_mask(points, hard.model_copy(update={"erosion": 0.1}))
    import cv2

    area = cv2.contourArea(hull_of(points, GEOMETRY.matrix(points), 0).astype(np.float32))
    assert full.sum() == pytest.approx(area, rel=0.03)
    assert (less <= full + 1e-6).all()
    assert less.sum() < 0.8 * full.sum()


def test_forehead_rises_upwards_in_the_face_not_in_the_picture() -> None:
    points = face_points(200, 200, 100, roll=np.pi / 2)  # the head lies: its up is the picture's right
    assert points[24, 0] > points[30, 0]
    hull = hull_of(points, GEOMETRY.matrix(points), 20)
    assert hull[:, 0].max() == pytest.approx(points[17:27, 0].max() + 20, abs=0.5)
    assert hull[:, 1].max() <= points[:, 1].max() + 0.5


@pytest.mark.parametrize("roll", [0.0, 0.6])
@pytest.mark.parametrize(("raised", "generated_raised"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (-0.05, 0.2)])
def test_no_brow_is_left_beside_another(raised: float, generated_raised: float, roll: float) -> None:
    """Whoever raises the brows, by up to 0.3 face heights: the mask is whole on all of them and around."""
    unit, whole = 120.0, Geometry(144, 2.25, -0.25, 1.5)
    face = face_points(200, 220, unit, roll)
    up = np.array([np.sin(roll), -np.cos(roll)])
    target, generated = face.copy(), face.copy()
    target[17:27] += raised * unit * up
    generated[17:27] += generated_raised * unit * up
    crop = FaceCrop(target, whole, whole.matrix(face), (400, 400))
    mask = face_mask(Region(0, 0, 400, 400), crop, SwapOptions(), target, generated)
    ring = 0.02 * unit * np.stack([np.cos(np.arange(8)), np.sin(np.arange(8))], axis=1)
    for points in (target, generated):
        x, y = np.rint(points[17:27, None] + ring).astype(int).reshape(-1, 2).T
        assert mask[y, x].min() > 0.99
    # towards the hairline it fades, on an arch: nowhere a step, and lower above the temples
    height = [int(np.argmax(mask[:, x] > 0.2)) for x in (150, 200, 250)] if not roll else None
    assert height is None or height[1] < min(height[0], height[2]) - 0.03 * unit
    middle = (face[21] + face[22]) / 2 + max(raised, generated_raised) * unit * up
    steps = [middle + (0.02 + 0.01 * n) * unit * up for n in range(30)]
    column = np.array([mask[round(y), round(x)] for x, y in steps])
    assert (np.diff(column) < 0.02).all()
    assert np.abs(np.diff(column)).max() < 0.15


def test_a_mask_ends_where_nothing_is_generated() -> None:
    whole = Geometry(144, 2.25, -0.25, 1.0)
    face = face_points(200, 220, 100)
    crop = FaceCrop(face, whole, whole.matrix(face), (400, 400))
    mask = face_mask(Region(0, 0, 400, 400), crop, SwapOptions(mask="rect", feather=0, erosion=0))
    rows, columns = np.nonzero(mask > 0.5)
    assert np.ptp(columns) == pytest.approx(99, abs=2)
    assert np.ptp(rows) == pytest.approx(224, abs=3)
    assert crop.region.width == pytest.approx(100, abs=2)


def test_unknown_mask_raises_and_is_never_empty() -> None:
    with pytest.raises(ValueError, match="hull"):
        SwapOptions(mask="faceHull")
    unchecked = SwapOptions().model_copy(update={"mask": "Hull"})
    with pytest.raises(SettingsError, match="'Hull'"):
        whole_mask(face_points(200, 200, 100), unchecked)


def test_region_is_clipped_to_the_frame() -> None:
    points = face_points(5, 200, 100)
    region = region_of(GEOMETRY, GEOMETRY.matrix(points), 400, 300)
    assert (region.left, region.bottom) == (0, 276)
    assert region_of(GEOMETRY, GEOMETRY.matrix(face_points(-900, 50, 100)), 400, 300).empty


def test_mask_of_a_large_face_equals_the_small_ones_enlarged() -> None:
    import cv2

    small = whole_mask(face_points(99.5, 99.5, 80), SwapOptions(), 200)
    large = whole_mask(face_points(799.5, 799.5, 640), SwapOptions(), 1600)
    shrunk = cv2.resize(large, (200, 200), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - small).mean() < 0.005


MASKS = get_args(Mask)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("protect", [(), ("eyes", "mouth")])
def test_every_mask_looks_alike_on_a_face_of_200_and_of_2000_px(mask: str, protect: tuple[str, ...]) -> None:
    import cv2

    options = SwapOptions(mask=mask, protect=protect, erosion=0.06, feather=0.2)
    small = whole_mask(face_points(199.5, 199.5, 200), options, 400)
    large = whole_mask(face_points(1999.5, 1999.5, 2000), options, 4000)
    shrunk = cv2.resize(large, (400, 400), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - small).mean() < 0.003
    assert np.abs(shrunk - small).max() < 0.12


def test_masks_contain_each_other_as_their_names_say() -> None:
    points = face_points(200, 200, 120)
    masks = {name: whole_mask(points, SwapOptions(mask=name)) for name in MASKS}
    area = {name: mask.sum() for name, mask in masks.items()}
    assert area["hull_rect"] <= area["hull"] < area["extended_hull"] < area["rect"]
    assert (masks["hull"] <= masks["extended_hull"] + 1e-4).all()
    assert (masks["hull_rect"] <= np.minimum(masks["hull"], masks["rect"]) + 1e-6).all()
    above = round(points[19, 1] - 0.02 * 120), round(points[19, 0])
    assert (masks["hull"][above], masks["extended_hull"][above] > 0.5) == (0, True)


@pytest.mark.parametrize(
    ("feature", "part"), [("eyes", slice(36, 42)), ("eyes", slice(42, 48)), ("mouth", slice(48, 60))]
)
def test_a_protected_part_is_not_touched(feature: str, part: slice) -> None:
    import cv2

    points = face_points(200, 200, 140, roll=0.4)
    mask = whole_mask(points, SwapOptions(protect=(feature,)))
    inside = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(points[part]).astype(np.int32)), 1)
    assert (mask[inside > 0] == 0).all()
    nose = np.rint(points[30]).astype(int)
    assert mask[nose[1], nose[0]] == 1
