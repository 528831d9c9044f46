"""Hair within the mask, on pictures whose hair is known."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.geometry import Geometry, Points
from faceswap.swap.masks.hair_mask import find_hair, without_hair
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import CAST, random_scene, render
from tests.swap.fakes import Echo, KnownFaces, face_at, face_points

GEOMETRY = Geometry(192, 1.5)
SIZE, UNIT = 192, 128.0
POINTS = face_points(95.5, 95.5, UNIT)
SKIN, HAIR = np.array([0.8, 0.6, 0.5], np.float32), np.array([0.15, 0.1, 0.08], np.float32)


def picture_of(hair: tuple[slice, slice] | None, points: Points = POINTS) -> NDArray[np.float32]:
    """Skin with a little of a camera's noise, dark eyes and brows, and hair in a rectangle."""
    rng = np.random.default_rng(0)
    picture = (SKIN + rng.normal(0, 0.01, (SIZE, SIZE, 3))).astype(np.float32)
    for part in (slice(17, 22), slice(22, 27), slice(36, 42), slice(42, 48)):
        cv2.polylines(picture, [np.rint(points[part]).astype(np.int32)], False, HAIR.tolist(), 4)
    if hair:
        picture[hair] = HAIR
    return picture


PLAIN: dict[str, Any] = {"label": False, "colour": "none", "sharpen": 0, "reshape": 0, "lips": 0}
TEMPLE = np.s_[:70, :20]
"""Left of the brow and above it."""


def test_hair_at_a_temple_becomes_skin() -> None:
    before = picture_of(TEMPLE)
    after = without_hair(before, find_hair(before, POINTS, GEOMETRY), GEOMETRY)
    assert np.abs(before[8:34, 4:14] - SKIN).min() > 0.3
    np.testing.assert_allclose(after[8:34, 4:14], np.broadcast_to(SKIN, (26, 10, 3)), atol=0.02)


def test_brows_eyes_and_what_lies_below_the_nose_stay() -> None:
    before = picture_of(np.s_[:, :20])  # down to the jaw: a beard, perhaps
    after = without_hair(before, find_hair(before, POINTS, GEOMETRY), GEOMETRY)
    nose = int(POINTS[30, 1]) + 14  # beyond the soft border
    np.testing.assert_array_equal(after[nose:], before[nose:])
    inner = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(inner, cv2.convexHull(np.rint(POINTS[17:]).astype(np.int32)), 1)
    assert np.abs(after - before)[inner > 0].max() < 0.02  # the border is soft


def test_a_face_without_hair_stays() -> None:
    before = picture_of(None)
    face = find_hair(before, POINTS, GEOMETRY).no_hair
    assert face.min() > 0.85  # at the edge of a brow
    assert face.mean() > 0.999


@pytest.mark.parametrize("who", CAST[:4], ids=lambda person: person.name)
def test_skin_of_rendered_people_stays(who: object) -> None:
    rng = np.random.default_rng(7)
    for _ in range(3):
        found = render(who, random_scene(rng, max_yaw=15, max_pitch=6), 256)  # type: ignore[arg-type]
        marks = found.landmarks.astype(np.float64)
        matrix = GEOMETRY.matrix(marks)
        crop = GEOMETRY.crop(found.image, matrix).astype(np.float32) / 255
        points = marks @ matrix[:, :2].T + matrix[:, 2]
        mask = find_hair(crop, points, GEOMETRY)
        inside = np.zeros((SIZE, SIZE), bool)
        (left, _), (right, _) = points[[36, 45]].astype(int)
        inside[int(points[27, 1]) : int(points[8, 1]), left:right] = True
        assert mask.no_hair[inside].mean() > 0.97


def test_background_beyond_a_jaw_that_was_detected_too_wide_is_found() -> None:
    """The landmarks of the jaw say that the head is a tenth wider than it is rendered."""
    beyond, within = [], []
    for seed, who in enumerate(CAST[:4]):
        scene = random_scene(np.random.default_rng(seed), max_yaw=10, max_pitch=6)
        found = render(who, scene, 256)
        marks = found.landmarks.astype(np.float64)
        matrix = GEOMETRY.matrix(marks)
        crop = GEOMETRY.crop(found.image, matrix).astype(np.float32) / 255
        head = GEOMETRY.crop(np.rint(found.head * 255).astype(np.uint8), matrix)
        points = marks @ matrix[:, :2].T + matrix[:, 2]
        wide = points.copy()
        wide[:17, 0] = points[30, 0] + 1.1 * (points[:17, 0] - points[30, 0])
        seen = find_hair(crop, wide, GEOMETRY).head
        inside = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(wide[:17]).astype(np.int32)), 1)
        inside[: int(points[33, 1])] = 0  # below the nose
        outside = (inside > 0) & (cv2.dilate((head > 0).astype(np.uint8), np.ones((5, 5))) == 0)
        skin = (inside > 0) & (cv2.erode((head > 250).astype(np.uint8), np.ones((15, 15))) > 0)
        beyond += seen[outside].tolist()
        within += seen[skin].tolist()
    assert len(beyond) > 200
    assert np.mean(beyond) < 0.3
    assert np.mean(within) > 0.98


def test_the_target_shows_where_the_generated_picture_is_no_face() -> None:
    """A blue background reaches over the jaw of a rendered face."""
    found = render(CAST[0], random_scene(np.random.default_rng(1), max_yaw=5, max_pitch=4), 256)
    crop = GEOMETRY.crop(found.image, GEOMETRY.matrix(found.landmarks.astype(np.float64)))
    picture = crop.astype(np.float32) / 255
    picture[110:, :48] = (0.05, 0.1, 0.6)

    class Generated(Echo):
        def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.stack([picture] * len(crops))

    frame = np.full((400, 400, 3), (204, 153, 128), np.uint8)
    frame[:100] = (150, 175, 152)  # as light as the rest: a frame of one hue would keep it
    blue = {}
    for outline in ("target", "generated"):
        options = SwapOptions(outline=outline, erosion=-0.05, feather=0, **PLAIN)
        image = Swapper(Generated(GEOMETRY), KnownFaces(face_at(200, 200, 160)), options).swap(frame).image
        blue[outline] = int((image[..., 2].astype(int) - image[..., 0] > 40).sum())
    assert blue["target"] > 300
    assert blue["generated"] < 0.3 * blue["target"]


def test_a_picture_that_is_no_face_is_left_alone() -> None:
    noise = np.random.default_rng(0).random((SIZE, SIZE, 3), np.float32)
    assert find_hair(noise, POINTS, GEOMETRY).head.min() == 1


def test_the_option_decides_in_the_swap() -> None:
    class Haired(Echo):
        def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.stack([picture_of(TEMPLE)] * len(crops))

    frame = np.full((400, 400, 3), (204, 153, 128), np.uint8)
    finder = KnownFaces(face_at(200, 200, 160))
    results = {}
    for hairline in (0.0, 0.5, 1.0):
        options = SwapOptions(hairline=hairline, erosion=-0.1, feather=0, **PLAIN)
        results[hairline] = Swapper(Haired(GEOMETRY), finder, options).swap(frame).image.astype(int)
    darkest = {h: float(np.abs(r - frame)[90:130, 92:102].max()) for h, r in results.items()}
    assert darkest[0.0] > 20, darkest
    assert darkest[0.0] > darkest[0.5] > darkest[1.0]
    assert darkest[1.0] < darkest[0.0] / 2
