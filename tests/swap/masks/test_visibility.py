"""What lies over a synthetic face stays; the network is the true face without it, as another person's swap is."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceswap.faces.crispness import Crispness
from faceswap.faces.finding.dlib_finder import Face, FaceFinder
from faceswap.faces.fine_detail import FineDetail
from faceswap.faces.geometry import Geometry, apply
from faceswap.faces.landmarks import EYES
from faceswap.faces.regions import Region
from faceswap.media.video.reading import VideoReader
from faceswap.model import segmentation_view
from faceswap.model.segmentation_view import SEGMENTS
from faceswap.swap.masks.visibility import Segments, Visibility, seen_in_crops, visible_face
from faceswap.swap.options import Occlusion, SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import CAST, HARD_CAST, person, random_scene, render, side_light
from tests.swap.covering import fingers, grown, hidden_in, within
from tests.swap.fakes import KnownFaces, face_points

VIEW = Geometry(96, 1.5)
SCENE = random_scene(np.random.default_rng(3))
TARGET, REFERENCE = (render(person(name), SCENE, size=256) for name in ("emeric", "bram"))
POINTS = TARGET.landmarks.astype(np.float64)
CLEAN = np.asarray(TARGET.image, np.uint8)


class Truth:
    """Draws the reference in the target's scene, as a perfect network does."""

    geometry = VIEW
    crispness = Crispness(1.0)
    fine_detail: FineDetail | None = None

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        crop = VIEW.crop(np.asarray(REFERENCE.image, np.uint8), VIEW.matrix(POINTS))
        return np.repeat(crop[None].astype(np.float32) / 255, len(crops), 0)


def bar(colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The target behind a slanting bar over its cheek and mouth, and where the bar is."""
    covered = np.zeros(CLEAN.shape[:2], np.uint8)
    mouth = POINTS[48:60].mean(0)
    ends = mouth + np.array([-60, -14]), mouth + np.array([10, 12])
    cv2.line(covered, *(tuple(np.rint(e).astype(int).tolist()) for e in ends), 1, 22)
    image = CLEAN.copy()
    image[covered > 0] = colour
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), covered > 0


def swapped(image: np.ndarray, occlusion: Occlusion) -> np.ndarray:
    options = SwapOptions(label=False, occlusion=occlusion, match_blur=False, reshape=0)
    face = Face((*POINTS.min(0), *POINTS.max(0)), POINTS, 1.0)
    return Swapper(Truth(), KnownFaces(face), options).swap(image).image


def change(picture: np.ndarray, image: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(picture.astype(int) - image)[where].mean())


@pytest.mark.parametrize("colour", [(30, 60, 160), (20, 20, 20), (60, 150, 60), (220, 220, 220)])
def test_an_occluder_stays_and_the_rest_is_swapped(colour: tuple[int, int, int]) -> None:
    image, covered = bar(colour)
    naive, result = swapped(image, "none"), swapped(image, "learned")
    touched = (naive.astype(int) != image).any(-1)
    core = touched & (cv2.erode(covered.astype(np.uint8), np.ones((5, 5))) > 0)
    assert core.sum() > 300
    assert change(result, image, core) < 0.1 * change(naive, image, core)
    rest = touched & ~grown(covered, 25)
    assert change(result, image, rest) > 0.85 * change(naive, image, rest)


def test_a_face_that_nothing_covers_is_swapped_as_before() -> None:
    naive, result = swapped(CLEAN, "none"), swapped(CLEAN, "learned")
    changed = (naive.astype(int) != CLEAN).any(-1)
    assert change(naive, result, changed) < 0.15 * change(naive, CLEAN, changed)


@pytest.mark.parametrize("name", ["person-a", "person-b", "person-c"])
def test_bare_fingers_over_a_real_face_are_found(real_faces: Path, name: str) -> None:
    with VideoReader(real_faces / f"{name}.mp4") as reader:
        frames = [frame.image for frame in reader.frames()][::25]
    finder, found, missed, false, faces = FaceFinder(), 0, 0, 0.0, 0
    for number, frame in enumerate(frames):
        points = finder.find(frame)[0].landmarks
        image, covered = fingers(frame, points, number)
        inside = within(points, frame.shape)
        # what is taken for hidden before anything is there: the frames of person-a's own glasses
        own = grown(hidden_in(frame, points), 9)
        hidden = hidden_in(image, points)
        found += int((hidden & covered & inside).sum())
        missed += int((~hidden & covered & inside).sum())
        near = grown(covered, 15)
        false += float((hidden & ~near & ~own & inside).sum() / inside.sum())
        faces += 1
    assert faces >= 6
    assert found > 0.55 * (found + missed)
    assert false / faces < 0.03


@pytest.mark.parametrize("name", ["person-b", "person-c"])
def test_hardly_anything_is_hidden_on_a_bare_real_face(real_faces: Path, name: str) -> None:
    with VideoReader(real_faces / f"{name}.mp4") as reader:
        frames = [frame.image for frame in reader.frames()][::25]
    finder = FaceFinder()
    shares = []
    for frame in frames:
        points = finder.find(frame)[0].landmarks
        inside = within(points, frame.shape)
        shares.append(float(hidden_in(frame, points)[inside].mean()))
    assert np.mean(shares) < 0.01


@pytest.mark.parametrize("name", ["greta", "hanne", "jonas", "kaia", "leni"])
def test_hair_and_glasses_over_rendered_faces_are_found(name: str) -> None:
    """People whom the network was not taught with; what shows is the renderer's truth."""
    rng = np.random.default_rng(9)
    there = {"skin": 0.0, "hidden": 0.0}
    right = dict(there)
    for _ in range(3):
        scene = replace(random_scene(rng, max_yaw=20, max_pitch=10), zoom=0.85, light=side_light(rng))
        made = render(person(name), scene, 256)
        points = made.landmarks.astype(np.float64)
        seen = visible_face(np.asarray(made.image, np.uint8), points).in_region(Region(0, 0, 256, 256)) > 0.5
        around = grown(within(points, (256, 256)), 25)
        skin = made.segments[..., 0]
        for key, where, found in (("skin", skin > 0.9, seen), ("hidden", skin < 0.1, ~seen)):
            there[key] += (where & around).sum()
            right[key] += (where & around & found).sum()
    assert right["skin"] > 0.93 * there["skin"]
    assert right["hidden"] > 0.8 * there["hidden"]


def test_a_picture_in_which_no_face_is_recognised_hides_nothing() -> None:
    wall = np.random.default_rng(0).integers(100, 140, (256, 256, 3), np.uint8)
    assert visible_face(wall, POINTS).share.min() == 1


def test_a_share_lies_where_its_crop_lies() -> None:
    """A crop of half the size whose corner is at (10, 20): its left half is hidden."""
    share = np.ones((40, 40), np.float32)
    share[:, :20] = 0
    visible = Visibility(share, np.array([[0.5, 0, -5], [0, 0.5, -10]]))
    frame = visible.in_region(Region(0, 0, 100, 120))
    # crop column 19.5, where seen and hidden meet, is frame column 2 * 19.5 + 10
    assert frame[60, 48] < 0.5 < frame[60, 50]
    part = visible.in_region(Region(30, 40, 70, 80))
    np.testing.assert_allclose(part, frame[40:80, 30:70], atol=1e-5)
    np.testing.assert_allclose(visible.in_crop(visible.matrix, 40), share, atol=1e-5)


def test_occluders_are_mixed_over_time() -> None:
    before = Visibility(np.zeros((4, 4), np.float32), np.eye(2, 3))
    now = Visibility(np.ones((4, 4), np.float32), np.eye(2, 3))
    np.testing.assert_allclose(now.mixed(before, 0.25).share, 0.25)
    np.testing.assert_array_equal(now.mixed(None, 0.25).share, now.share)


def test_a_fringe_is_told_from_the_forehead_in_a_face_set() -> None:
    """The renderer knows what each pixel shows; greta has a fringe, hanne has none."""
    scene = random_scene(np.random.default_rng(5), max_yaw=10)
    stored = Geometry(304, 2.6, -0.25)
    crops, marks, hair = [], [], []
    for name in ("greta", "emeric"):
        found = render(person(name), scene, size=512)
        matrix = stored.matrix(found.landmarks.astype(np.float64))
        crops.append(stored.crop(np.asarray(found.image, np.uint8), matrix))
        marks.append(apply(matrix, found.landmarks.astype(np.float64)))
        hair.append(
            stored.crop(np.rint(found.segments[..., :3] * 255).astype(np.uint8), matrix)[..., 1] > 127
        )
    seen = seen_in_crops(np.stack(crops), np.stack(marks))
    assert seen.shape == (2, 304, 304)
    for share, points, over in zip(seen, marks, hair, strict=True):
        brows = points[17:27]
        forehead = np.zeros(share.shape, np.uint8)
        outline = np.rint(np.vstack([brows, brows[::-1] - (0, 0.35 * stored.unit)]))
        cv2.fillConvexPoly(forehead, outline.astype(np.int32), 1)
        assert share[(forehead > 0) & ~over].mean() > 0.8
        fringe = (forehead > 0) & over
        assert fringe.sum() < 100 or share[fringe].mean() < 0.5
    fringes = [(share < 0.5) & over for share, over in zip(seen, hair, strict=True)]
    assert all(fringe.sum() > 1000 for fringe in fringes), "hair is found around every face"


def test_glasses_stay_whole_and_nobody_without_them_has_any() -> None:
    """All of both casts, turned a little; what each pixel shows is the renderer's."""
    worn, bare = [], []
    for number, who in enumerate((*CAST, *HARD_CAST)):
        found = render(
            who, random_scene(np.random.default_rng([9, number]), max_yaw=15, max_pitch=8), size=320
        )
        points = found.landmarks.astype(np.float64)
        seen = visible_face(np.asarray(found.image, np.uint8), points).in_region(Region(0, 0, 320, 320))
        glasses = found.segments[..., 2] > 0.6
        eyes = np.zeros(glasses.shape, np.uint8)
        for part in EYES:
            cv2.fillConvexPoly(eyes, np.rint(points[part]).astype(np.int32), 1)
        if glasses.sum() > 50:
            worn.append(float((seen < 0.5)[glasses].mean()))
        elif not (found.segments[..., 1] > 0.1)[eyes > 0].any():
            bare.append(float((seen < 0.5)[eyes > 0].mean()))
    assert len(worn) > 1
    # where thin rims lie along a brow, they give way to the generated brow: two brows look worse
    assert max(worn) > 0.9
    assert min(worn) > 0.6
    assert max(bare) < 0.02


def test_the_deep_shade_of_a_frown_hides_no_eye() -> None:
    """Where the network is half sure of thin glasses, a rim counts, and an eye and its lids don't."""
    view, landmarks = segmentation_view.VIEW, face_points(200, 200, 150)
    matrix = view.matrix(landmarks)
    points = apply(matrix, landmarks)
    shares = np.zeros((view.size, view.size, 4), np.float32)
    glasses = np.zeros((view.size, view.size), np.uint8)
    eye = np.rint(points[36:42]).astype(np.int32)
    cv2.fillConvexPoly(glasses, eye, 1)
    below = round(points[36:48, 1].max() + 5)
    left, right = round(points[36, 0]), round(points[45, 0])
    glasses[below : below + 6, left:right] = 1
    shares[..., SEGMENTS.index("glasses")] = 0.6 * glasses
    shares[..., SEGMENTS.index("skin")] = 1 - 0.6 * glasses
    segments = Segments(shares, matrix, landmarks)
    assert segments.glasses_worn == 1
    assert segments.thin == 1
    visible = segments.visible().share
    assert visible[eye[:, 1].min() : eye[:, 1].max() + 1, eye[:, 0].min() : eye[:, 0].max() + 1].min() > 0.9
    assert visible[below + 2 : below + 4, left + 2 : right - 2].max() < 0.1


def test_creases_between_the_brows_and_around_the_eyes_are_no_glasses() -> None:
    """Of the same size, sure pixels below or beside the eyes are rims or arms, those of a frown are not."""
    view, landmarks = segmentation_view.VIEW, face_points(200, 200, 150)
    matrix = view.matrix(landmarks)
    points = apply(matrix, landmarks)
    frown, rims, arms = (np.zeros((view.size, view.size), np.uint8) for _ in range(3))
    brows = np.rint(points[17:27]).astype(np.int32)
    cv2.fillConvexPoly(frown, cv2.convexHull(brows), 1)
    top, bottom = brows[:, 1].min(), round(points[36:48, 1].mean())
    frown[top:bottom, brows[4, 0] : brows[5, 0]] = 1
    below = round(points[36:48, 1].max() + 5)
    rims[below : below + 5, round(points[36, 0]) : round(points[45, 0])] = 1
    level = round(points[36:48, 1].mean())
    arms[level - 3 : level + 4, round(points[0, 0]) - 3 : round(points[36, 0]) - 8] = 1
    arms[level - 3 : level + 4, round(points[45, 0]) + 9 : round(points[16, 0]) + 4] = 1

    def worn(where: np.ndarray) -> float:
        shares = np.zeros((view.size, view.size, 4), np.float32)
        shares[..., SEGMENTS.index("glasses")] = 0.6 * where
        shares[..., SEGMENTS.index("skin")] = 1 - 0.6 * where
        return Segments(shares, matrix, landmarks).glasses_worn

    pushed_up = np.zeros_like(frown)
    pushed_up[int(brows[:, 1].min()) - 14 : int(brows[:, 1].min()) - 6, brows[0, 0] : brows[-1, 0]] = 1
    assert frown.sum() > rims.sum()
    assert worn(frown) == 0
    assert worn(pushed_up) == 1
    assert worn(rims) == 1
    assert worn(arms) > 0.5


@pytest.mark.parametrize(("sure", "whole"), [(0.6, False), (0.85, True)])
def test_thin_upper_rims_give_way_to_a_brow_and_dark_ones_stay(sure: float, whole: bool) -> None:
    """A rim along the lower edge of a brow, and one below the eyes."""
    view, landmarks = segmentation_view.VIEW, face_points(200, 200, 150)
    matrix = view.matrix(landmarks)
    points = apply(matrix, landmarks)
    unit = float(np.linalg.norm(points[36] - points[45]))
    rims = np.zeros((view.size, view.size), np.uint8)
    upper = np.rint((points[17:22] + np.array([0, 0.06 * unit])) * 16).astype(np.int32)
    cv2.polylines(rims, [upper], False, 1, 2, shift=4)
    below = round(points[36:48, 1].max() + 6)
    rims[below : below + 6, round(points[36, 0]) : round(points[45, 0])] = 1
    shares = np.zeros((view.size, view.size, 4), np.float32)
    shares[..., SEGMENTS.index("glasses")] = sure * rims
    shares[..., SEGMENTS.index("skin")] = 1 - sure * rims
    seen = Segments(shares, matrix, landmarks).visible().share
    x, y = np.rint(points[19] + np.array([0, 0.06 * unit])).astype(int)
    assert bool(seen[y, x] < 0.3) == whole
    assert seen[below + 2 : below + 4, x].max() < 0.1
