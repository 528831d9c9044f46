"""Drawn occluders against what they say of themselves."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from faceswap.synthetic import occluders, person, random_scene, render

FACE = render(person("emeric"), random_scene(np.random.default_rng(3)), 192)
PICTURE = FACE.image.astype(np.float32) / 255
POINTS = FACE.landmarks.astype(np.float64)
KINDS = [occluders.hand, occluders.glasses, occluders.strands, occluders.thing, occluders.face_mask]


def drawn(kind: Callable[..., occluders.Painted], seed: int) -> occluders.Painted:
    return kind(PICTURE, POINTS, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", [*KINDS, occluders.occlude])
def test_pictures_and_shares_stay_within_0_and_1_and_repeat(kind: Callable[..., occluders.Painted]) -> None:
    covered = 0.0
    for seed in range(12):
        picture, hidden = drawn(kind, seed)
        assert picture.shape == PICTURE.shape and hidden.shape == PICTURE.shape[:2]
        for values in (picture, hidden):
            assert values.dtype == np.float32 and values.min() >= 0 and values.max() <= 1
        again = drawn(kind, seed)
        np.testing.assert_array_equal(again[0], picture)
        np.testing.assert_array_equal(again[1], hidden)
        covered += float(hidden.mean())
    assert covered > 0
    np.testing.assert_array_equal(PICTURE, FACE.image.astype(np.float32) / 255)


@pytest.mark.parametrize("kind", KINDS)
def test_what_hides_replaces_the_face_and_what_does_not_only_shades_it(
    kind: Callable[..., occluders.Painted],
) -> None:
    """Behind what is opaque nothing of the face is left: two faces look the same there."""
    other = np.clip(PICTURE[:, ::-1] * 0.9, 0, 1)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        hidden = kind(PICTURE, POINTS, rng)[1]
        picture = kind(PICTURE, POINTS, np.random.default_rng(seed))[0]
        # a hand takes the face's own colours: these must not tell the two apart
        away = cv2.dilate((hidden > 0).astype(np.uint8), np.ones((61, 61))) == 0
        if kind is not occluders.glasses and kind is not occluders.thing and away.any():
            assert np.abs(picture - PICTURE)[away].max() < 0.25
        if kind is occluders.face_mask:
            opaque = hidden > 0.999
            replaced = kind(other, POINTS, np.random.default_rng(seed))[0]
            np.testing.assert_allclose(picture[opaque], replaced[opaque], atol=2e-3)


def test_glasses_sit_around_the_eyes_and_clear_lenses_hide_nothing() -> None:
    clear = 0
    for seed in range(20):
        hidden = drawn(occluders.glasses, seed)[1]
        eyes = np.rint([POINTS[36:42].mean(0), POINTS[42:48].mean(0)]).astype(int)
        at_pupils = hidden[eyes[:, 1], eyes[:, 0]]
        assert at_pupils.max() < 0.5 or at_pupils.min() > 0.5
        if at_pupils.max() > 0.5:
            continue
        clear += 1
        rows, columns = np.nonzero(hidden > 0.5)
        apart = np.linalg.norm(eyes[1] - eyes[0])
        # nothing above the brows or below the nose's tip
        assert abs(rows.mean() - eyes[:, 1].mean()) < 0.5 * apart
        assert columns.min() < eyes[0, 0] and columns.max() > eyes[1, 0]
    assert 8 <= clear <= 19


def test_most_hands_have_the_faces_own_skin() -> None:
    skin = np.median(PICTURE[np.asarray(FACE.mask) > 0.9], axis=0)
    near = 0
    for seed in range(20):
        picture, hidden = drawn(occluders.hand, seed)
        if (hidden > 0.99).sum() < 50:
            near += 1
            continue
        colour = np.median(picture[hidden > 0.99], axis=0)
        tint, own = colour / colour.sum(), skin / skin.sum()
        near += bool(np.abs(tint - own).max() < 0.05)
    assert near >= 12


def test_wrinkles_darken_lines_and_shine_spots_but_leave_most_of_the_face() -> None:
    changed = [
        np.abs(occluders.wrinkle(PICTURE, POINTS, np.random.default_rng(seed)) - PICTURE)
        for seed in range(10)
    ]
    assert max(c.max() for c in changed) > 0.05
    assert np.median([c.mean() for c in changed]) < 0.03


def test_a_rendered_head_tells_its_skin_from_hair_glasses_and_background() -> None:
    head, mask = np.asarray(FACE.head), np.asarray(FACE.mask)
    assert head.min() >= 0 and head.max() <= 1
    # the face that a swap replaces is part of it, the forehead and more of the head come to it
    assert head[mask > 0.9].mean() > 0.95
    assert (head > 0.5).sum() > 1.1 * (mask > 0.5).sum()
    assert head[:4].max() == 0
