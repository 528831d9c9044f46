"""What a network generated besides the reference's face, on rendered people whose hair and glasses are known."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.geometry import Geometry, Points, apply
from faceswap.swap.masks.generated_mask import GeneratedMask
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import CAST, HARD_CAST, Person, person, random_scene, render
from tests.swap.covering import thin_glasses, within
from tests.swap.fakes import Echo, KnownFaces, face_at

GEOMETRY = Geometry(192, 1.8)
SIZE, UNIT = 192, 192 / 1.8
PLAIN: dict[str, Any] = {
    "label": False,
    "colour": "none",
    "sharpen": 0,
    "reshape": 0,
    "lips": 0,
    "occlusion": "none",
}


def generated(who: Person, seed: int) -> tuple[NDArray[np.float32], Points, NDArray[np.float32]]:
    """A crop as a perfect network would generate it, its landmarks, and (S, S) where skin is seen."""
    found = render(who, random_scene(np.random.default_rng(seed), max_yaw=12, max_pitch=6), 256)
    marks = found.landmarks.astype(np.float64)
    matrix = GEOMETRY.matrix(marks)
    skin = GEOMETRY.crop(np.rint(found.segments[..., 0] * 255).astype(np.uint8), matrix)
    crop = GEOMETRY.crop(found.image, matrix).astype(np.float32) / 255
    return crop, apply(matrix, marks), skin.astype(np.float32) / 255


@pytest.mark.parametrize("who", HARD_CAST[:2], ids=lambda one: one.name)
def test_hair_over_the_face_is_painted_over_and_kept_out(who: Person) -> None:
    crop, points, skin = generated(who, 3)
    mask = GeneratedMask.of(crop, points, GEOMETRY)
    hidden = cv2.erode((skin < 0.1).astype(np.uint8), np.ones((5, 5))) > 0
    shown = cv2.erode((skin > 0.9).astype(np.uint8), np.ones((13, 13))) > 0
    assert hidden.sum() > 1500
    assert mask.face[hidden].mean() < 0.2
    assert mask.face[shown].mean() > 0.9
    painted = mask.painted(crop, GEOMETRY)
    tone = np.median(crop[shown], axis=0)
    near = hidden & (cv2.dilate(shown.astype(np.uint8), np.ones((41, 41))) > 0)

    def away(picture: NDArray[np.float32]) -> float:
        return float(np.abs(picture[near] - tone).mean())

    assert away(painted) < 0.65 * away(crop)
    np.testing.assert_allclose(painted[mask.face == 1], crop[mask.face == 1], atol=1e-6)


@pytest.mark.parametrize("who", CAST[:4], ids=lambda one: one.name)
def test_eyes_nose_mouth_and_bare_skin_stay(who: Person) -> None:
    crop, points, _ = generated(who, 7)
    face = GeneratedMask.of(crop, points, GEOMETRY).face
    for part in (slice(36, 42), slice(42, 48), slice(27, 36), slice(48, 60)):
        inside = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(points[part]).astype(np.int32)), 1)
        assert face[inside > 0].min() > 0.99
    cheeks = np.rint((points[[3, 13]] + points[30]) / 2).astype(int)
    assert face[cheeks[:, 1], cheeks[:, 0]].min() > 0.95


def glasses_of(who: Person, seed: int) -> NDArray[np.bool_]:
    """(S, S): where the glasses of :func:`generated` are."""
    found = render(who, random_scene(np.random.default_rng(seed), max_yaw=12, max_pitch=6), 256)
    matrix = GEOMETRY.matrix(found.landmarks.astype(np.float64))
    share = np.rint(found.segments[..., 2] * 255).astype(np.uint8)
    return np.asarray(GEOMETRY.crop(np.repeat(share[..., None], 3, 2), matrix)[..., 0] > 150)


def test_the_references_glasses_come_whole() -> None:
    who = HARD_CAST[0]
    crop, points, _ = generated(who, 3)
    rims = glasses_of(who, 3)
    assert rims.sum() > 100
    mask = GeneratedMask.of(crop, points, GEOMETRY)
    assert mask.worn == 1
    assert (mask.glasses[rims] > 0.5).mean() > 0.8
    hull = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(points).astype(np.int32)), 1)
    assert mask.glasses[cv2.dilate(hull, np.ones((25, 25))) == 0].max() < 0.5
    bare, elsewhere, _ = generated(CAST[0], 7)
    nothing = GeneratedMask.of(bare, elsewhere, GEOMETRY)
    assert nothing.worn == 0
    assert not nothing.glasses.any()


def test_who_is_given_glasses_loses_their_own() -> None:
    who = HARD_CAST[0]
    crop, _, _ = generated(who, 3)
    found = render(person("ada"), random_scene(np.random.default_rng(7), max_yaw=5, max_pitch=5), 384)
    frame, rims = thin_glasses(found.image, found.landmarks.astype(np.float64), 4)

    class Generated(Echo):
        def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.stack([crop] * len(crops))

    at = KnownFaces(Face((0, 0, 384, 384), found.landmarks.astype(np.float64), 1.0))
    options = SwapOptions(**PLAIN | {"occlusion": "learned"})
    marks = found.landmarks.astype(np.float64)
    inner = rims & within(marks, rims.shape)

    def left(picture: NDArray[np.float32]) -> float:
        """Share of the target's rims that are still there."""
        nonlocal crop
        crop = picture
        image = Swapper(Generated(GEOMETRY), at, options).swap(frame).image
        return float((np.abs(image[inner].astype(int) - frame[inner]).max(axis=1) < 12).mean())

    with_glasses, bare = crop, generated(CAST[1], 7)[0]
    assert left(bare) > 0.5
    assert left(with_glasses) < 0.3


def test_the_targets_brows_do_not_show_through() -> None:
    mask = GeneratedMask(*np.zeros((2, SIZE, SIZE), np.float32))
    frame_points = face_at(200, 200, 160).landmarks
    matrix = GEOMETRY.matrix(frame_points)
    shown = mask.shown(frame_points, matrix, GEOMETRY)
    brows = np.rint(apply(matrix, frame_points)[17:27]).astype(int)
    assert shown[brows[:, 1], brows[:, 0]].min() == 1
    above = brows - [0, round(0.2 * UNIT)]
    assert shown[above[:, 1], above[:, 0]].max() == 0


def test_the_option_decides_in_the_swap() -> None:
    """A blue background reaches over the jaw of a rendered face."""
    crop, _, _ = generated(person("ada"), 1)
    picture = crop.copy()
    picture[120:, :64] = (0.05, 0.1, 0.6)

    class Generated(Echo):
        def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.stack([picture] * len(crops))

    frame = np.full((400, 400, 3), (204, 153, 128), np.uint8)
    frame[:, 200:] = (142, 180, 152)  # as light: in a picture of one hue the swap has no blue
    blue = {}
    for hairline in (0.0, 1.0):
        options = SwapOptions(hairline=hairline, erosion=-0.05, feather=0, **PLAIN)
        image = Swapper(Generated(GEOMETRY), KnownFaces(face_at(200, 200, 160)), options).swap(frame).image
        blue[hairline] = int((image[..., 2].astype(int) - image[..., 0] > 40).sum())
    assert blue[0.0] > 300
    assert blue[1.0] < 0.3 * blue[0.0]


def with_and_without_glasses(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32], Points]:
    """The crop of one who wears glasses, the same without any, and its landmarks."""
    who = person(name)
    bare = replace(who, styling=replace(who.styling, glasses="none"))
    crops = []
    for one in (who, bare):
        found = render(one, random_scene(np.random.default_rng(3), max_yaw=8, max_pitch=4), 256)
        marks = found.landmarks.astype(np.float64)
        crop = GEOMETRY.crop(found.image, GEOMETRY.matrix(marks)).astype(np.float32) / 255
        # as soft as a small network generates it
        crops.append(cv2.resize(cv2.resize(crop, (80, 80), interpolation=cv2.INTER_AREA), (SIZE, SIZE)))
    return crops[0], crops[1], apply(GEOMETRY.matrix(marks), marks)


def test_thin_rims_are_painted_out_and_eyes_and_brows_stay() -> None:
    crop, bare, points = with_and_without_glasses("jonas")
    mask = GeneratedMask.of(crop, points, GEOMETRY, "remove")
    assert mask.removed is not None
    assert mask.worn < 0.3  # so that the target's own glasses stay
    painted = mask.painted(crop, GEOMETRY)
    below = np.zeros(crop.shape[:2], bool)  # the lower rims, where neither lids nor brows lie
    below[int(points[40:42, 1].max() + 0.03 * UNIT) : int(points[30, 1])] = True
    rims = (np.abs(crop - bare).max(axis=-1) > 0.1) & below
    assert rims.sum() > 50
    assert np.abs(painted - bare)[rims].mean() < 0.5 * np.abs(crop - bare)[rims].mean()
    kept = np.zeros(crop.shape[:2], np.uint8)
    for eye in (slice(36, 42), slice(42, 48)):
        cv2.fillConvexPoly(kept, np.rint(points[eye]).astype(np.int32), 1)
    where = (kept > 0) & (mask.face == 1)
    np.testing.assert_allclose(painted[where], crop[where], atol=0.02)


@pytest.mark.parametrize("name", ["greta", "jonas"])
def test_glasses_stay_or_go_as_asked(name: str) -> None:
    crop, _, points = with_and_without_glasses(name)
    mask = GeneratedMask.of(crop, points, GEOMETRY)
    assert mask.removed is None
    assert mask.worn > 0.9
    asked = GeneratedMask.of(crop, points, GEOMETRY, "remove")
    assert asked.removed is not None
    assert asked.removed.max() > 0.9
    assert asked.worn == 0


def test_what_is_painted_out_fades_over_time() -> None:
    crop, _, points = with_and_without_glasses("jonas")
    mask = GeneratedMask.of(crop, points, GEOMETRY, "remove")
    none = GeneratedMask(mask.face, mask.glasses)
    for one, other, share in ((mask, none, 0.25), (none, mask, 0.75)):
        mixed = one.mixed(other, share)
        assert mask.removed is not None
        assert mixed.removed is not None
        np.testing.assert_allclose(mixed.removed, 0.25 * mask.removed, atol=1e-6)
    assert none.mixed(none, 0.5).removed is None
