"""Hair over the face, glasses, make-up, side light: who wears them, and what the renderer says of each pixel."""

from dataclasses import replace
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest

from faceswap.synthetic import (
    CAST,
    HARD_CAST,
    SEGMENTS,
    Person,
    Scene,
    Styling,
    person,
    random_person,
    random_scene,
    render,
    side_light,
)
from faceswap.synthetic.shoots import scenes_of

SKIN, HAIR, GLASSES, OTHER = range(len(SEGMENTS))
STORED = Path(__file__).parents[1] / "fixtures" / "cast.npz"


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_the_cast_and_random_people_look_as_they_always_did() -> None:
    """Priors, face sets and true swaps of before were made of them: thumbnails and landmarks of 2026-11-26."""
    stored = np.load(STORED)
    for number, who in enumerate([*CAST, random_person(20003), random_person(8)]):
        made = render(who, random_scene(np.random.default_rng([3, number])), 160)
        small = cv2.resize(made.image, (40, 40), interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(int) - stored["thumbnails"][number]).mean() < 0.3
        np.testing.assert_allclose(made.landmarks, stored["landmarks"][number], atol=0.01)


@pytest.mark.parametrize("hair", ["bangs", "curtains", "swept", "long"])
def test_segments_are_what_the_colours_say(hair: str) -> None:
    """Hair as green and frames as blue as nothing else in the picture."""
    who = Person(
        75062, "", Styling(hair=hair, hair_color=(0, 255, 0), glasses="dark", frames=(0, 0, 255), fringe=0.2)
    )
    made = render(who, random_scene(np.random.default_rng(4), max_yaw=20), 256)
    red, green, blue = np.moveaxis(made.image.astype(int), -1, 0)
    np.testing.assert_allclose(made.segments.sum(-1), 1, atol=1e-5)
    brows = made.landmarks[17:27].astype(int)
    around = np.ones(green.shape, bool)  # brows have the hair's colour and are skin
    around[brows[:, 1].min() - 6 : brows[:, 1].max() + 8, brows[:, 0].min() : brows[:, 0].max()] = False
    assert (
        iou((green > 1.6 * np.maximum(red, blue)) & around, (made.segments[..., HAIR] > 0.5) & around) > 0.93
    )
    assert iou(blue > 1.5 * np.maximum(red, green), made.segments[..., GLASSES] > 0.5) > 0.85
    assert made.person[made.segments[..., OTHER] < 0.1].min() > 0.8


def test_a_swap_keeps_the_hair_and_the_glasses_of_the_target() -> None:
    target, reference = person("greta"), person("irma")
    scene = Scene()
    there, truth, own = (render(who, scene, 256) for who in (target, reference.wearing(target), reference))
    for segment, least in ((HAIR, 0.85), (GLASSES, 0.6)):
        worn = there.segments[..., segment] > 0.5
        assert iou(worn, truth.segments[..., segment] > 0.5) > least
        assert iou(worn, own.segments[..., segment] > 0.5) < 0.5 * least
    np.testing.assert_array_equal(truth.landmarks, own.landmarks)
    lips = own.landmarks[48:60].mean(0).astype(int)
    patch = np.s_[lips[1] - 3 : lips[1] + 4, lips[0] - 8 : lips[0] + 9]
    assert np.abs(truth.image[patch].astype(int) - own.image[patch]).mean() < 8
    assert reference.wearing(reference) is reference


def test_the_hard_cast_has_what_makes_swaps_hard() -> None:
    covered, red, ratio = {}, {}, {}
    for who in HARD_CAST:
        made = render(who, Scene(), 256)
        brows = np.rint(made.landmarks[17:27]).astype(int)
        covered[who.name] = float(made.segments[brows[:, 1], brows[:, 0], HAIR].mean())
        lab = cv2.cvtColor(made.image, cv2.COLOR_RGB2LAB).astype(int)
        (x, y), (u, v) = (made.landmarks[part].mean(0).astype(int) for part in ([51, 62], [33, 51]))
        red[who.name] = lab[y, x, 1] - lab[v, u, 1]
        scene = scenes_of(who.name, "video", 0.1, 0, 0)[0]
        lit = render(who, replace(Scene(), light=scene.light), 256)
        left, right = (lit.landmarks[[side, 30]].mean(0).astype(int) for side in (2, 14))
        sides = [lit.image[b - 4 : b + 5, a - 4 : a + 5].mean() for a, b in (left, right)]
        ratio[who.name] = max(sides) / min(sides)
    assert len(HARD_CAST) == 6 and not {who.name for who in HARD_CAST} & {who.name for who in CAST}
    assert sum(share > 0.2 for share in covered.values()) >= 2, covered
    assert red["irma"] > 15, red
    assert np.median(list(ratio.values())) > 1.3, ratio
    styles = {who.traits.style for who in HARD_CAST}
    assert {"bangs", "curtains", "swept"} <= styles
    assert sum(who.traits.glasses for who in HARD_CAST) >= 2


def test_dlib_finds_the_hard_cast() -> None:
    detector = dlib.get_frontal_face_detector()
    found = []
    for number, who in enumerate(HARD_CAST):
        rng = np.random.default_rng([22, number])
        for index in range(4):
            scene = random_scene(rng, max_yaw=20, max_pitch=10)
            scene = replace(scene, light=side_light(rng)) if index % 2 else scene
            found.append(bool(detector(render(who, scene, 256).image, 0)))
    assert np.mean(found) >= 0.95
