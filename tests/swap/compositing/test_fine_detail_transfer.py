"""A photo's fine detail on a generated face: at its place, in its light, and nowhere else."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.fine_detail import STEP, FineDetail, coarse_part, level_of
from faceswap.faces.geometry import Geometry
from faceswap.swap.compositing.fine_detail_transfer import find_detail, placed_detail

SIZE, FINE = 144, 288
GEOMETRY = Geometry(SIZE, 2.2)
Floats = NDArray[np.float32]


def blobs(size: int, sigma: float, seed: int) -> Floats:
    """Noise of mean 0 and deviation 1, blurred by ``sigma`` px of 144."""
    noise = np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigma * size / SIZE)
    return np.asarray((noise - noise.mean()) / noise.std())


def face(seed: int) -> Floats:
    """(SIZE, SIZE) what a network generates: smooth, grey, 0..1."""
    return np.clip(0.5 + 0.12 * blobs(SIZE, 4.0, seed), 0, 1)


def pores(seed: int) -> Floats:
    """(FINE, FINE) in shares of the grey level."""
    fine = blobs(FINE, 0.7, seed)
    return 0.05 * (fine - coarse_part(fine, FINE / GEOMETRY.coverage))


def detail_of(*seeds: int) -> FineDetail:
    generated = np.stack([np.rint(face(seed) * 255) for seed in seeds]).astype(np.uint8)
    missing = np.stack([np.rint(pores(seed) / STEP) for seed in seeds]).astype(np.int8)
    return FineDetail(generated, missing, np.ones(generated.shape, bool), np.zeros(generated.shape, bool))


def in_colour(grey: Floats) -> Floats:
    return np.clip(cv2.merge([grey * 1.15, grey * 0.97, grey * 0.8]), 0, 1)


def bent(picture: Floats, amount: float) -> Floats:
    """Pixels moved smoothly by up to ``amount`` shares of the side, none at the border."""
    size = len(picture)
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    arch = np.sin(np.pi * rows / size) * np.sin(np.pi * columns / size)
    return cv2.remap(
        picture,
        columns + amount * size * arch,
        rows - 0.6 * amount * size * arch,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )


def middle(picture: Floats) -> Floats:
    edge = len(picture) // 6
    return picture[edge:-edge, edge:-edge]


def correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(middle(a).ravel(), middle(b).ravel())[0, 1])


def test_the_photo_that_is_most_like_gives_all_its_detail() -> None:
    found = find_detail(detail_of(1, 2, 3), in_colour(face(2)), GEOMETRY)
    assert found.photo == 1
    assert middle(found.share).mean() > 0.95
    assert correlation(found.gain, pores(2)) > 0.97
    assert found.gain.std() == pytest.approx(pores(2).std(), rel=0.1)


@pytest.mark.parametrize("light", [0.6, 1.3])
def test_it_follows_another_expression_in_another_light(light: float) -> None:
    """The truth is the photo's detail, bent as its generated face is."""
    found = find_detail(detail_of(1, 2), in_colour(bent(face(2), 0.02) * light), GEOMETRY)
    truth = bent(pores(2), 0.02)
    assert correlation(found.gain, truth) > 0.8 > 3 * abs(correlation(found.gain, pores(2)))
    assert middle(found.share).mean() > 0.75


def test_where_the_faces_differ_there_is_none() -> None:
    picture = face(2)
    picture[50:90, 50:90] = face(7)[50:90, 50:90]
    found = find_detail(detail_of(2), in_colour(picture), GEOMETRY)
    assert found.share[58:82, 58:82].mean() < 0.35
    assert found.share[110:130, 20:130].mean() > 0.9
    inside, beside = found.gain[116:164, 116:164], found.gain[220:260, 40:260]
    assert inside.std() < 0.4 * beside.std()


def test_none_where_something_is_painted_over_and_a_part_where_asked_for() -> None:
    where = np.ones((SIZE, SIZE), np.float32)
    where[:, : SIZE // 2] = 0
    found = find_detail(detail_of(2), in_colour(face(2)), GEOMETRY, 0.5, where)
    assert np.abs(found.gain[:, : FINE // 2 - 2]).max() == 0
    right = found.gain[60:-60, FINE // 2 + 20 : -60]
    assert right.std() == pytest.approx(0.5 * pores(2)[60:-60, FINE // 2 + 20 : -60].std(), rel=0.1)


def test_without_the_photos_glasses_where_they_shall_go() -> None:
    detail = detail_of(2)
    detail.glasses[0, 60:64, 30:110] = True
    kept, bare = (find_detail(detail, in_colour(face(2)), GEOMETRY, bare=bare) for bare in (False, True))
    rims = (slice(122, 126), slice(64, 216))
    assert not bare.gain[rims].any()
    assert kept.gain[rims].std() == pytest.approx(pores(2)[rims].std(), rel=0.2)
    np.testing.assert_array_equal(bare.gain[150:], kept.gain[150:])


def test_where_something_lay_over_the_photos_face_the_picture_is_sharpened_instead() -> None:
    detail = detail_of(2)
    detail.seen[0, :, :72] = False
    detail.missing[0, :, :144] = 0
    found = find_detail(detail, in_colour(face(2)), GEOMETRY)
    assert found.share[:, :66].max() < 0.05
    assert middle(found.share[:, 78:]).mean() > 0.95


def test_another_reference_on_the_same_face_begins_anew() -> None:
    """Two people change places on a video; their networks differ in size."""
    small = FineDetail(
        *(one[:, ::2, ::2].copy() for one in (detail_of(1).generated, detail_of(1).missing)),
        np.ones((1, 72, 72), bool),
        np.zeros((1, 72, 72), bool),
    )
    first = find_detail(small, in_colour(face(1))[::2, ::2].copy(), GEOMETRY.at(72), time=0.0)
    for time in (0.04, 0.08):
        second = find_detail(detail_of(1, 2), in_colour(face(2)), GEOMETRY, before=first, time=time)
        assert (second.photo, second.share.shape) == (1, (SIZE, SIZE))
        assert correlation(second.gain, pores(2)) > 0.97


def test_between_two_looks_the_detail_stays() -> None:
    detail = detail_of(1, 2)
    first = find_detail(detail, in_colour(face(1)), GEOMETRY, time=0.0)
    assert find_detail(detail, in_colour(face(2)), GEOMETRY, before=first, time=0.04) is first
    assert find_detail(detail, in_colour(face(2)), GEOMETRY, before=first, time=0.08) is not first


def test_on_a_small_face_detail_fades_and_does_not_alias() -> None:
    """The truth is the detail averaged by area."""
    found = find_detail(detail_of(2), in_colour(face(2)), GEOMETRY)
    crop = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    for side in (48, 96):
        scale = side / SIZE
        to_region = np.array([[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5]])
        added = placed_detail(found, crop, GEOMETRY, to_region, (side, side))
        truth = 255 * 0.55 * cv2.resize(found.gain, (side, side), interpolation=cv2.INTER_AREA)
        assert middle(added).std() == pytest.approx(middle(truth).std(), rel=0.25)
        assert correlation(added, truth) > 0.8


def test_on_a_video_a_photo_stays_until_another_is_clearly_more_like() -> None:
    detail = detail_of(1, 2)
    mixed = [in_colour((1 - w) * face(1) + w * face(2)) for w in (0.0, 0.52, 0.8)]
    first = find_detail(detail, mixed[0], GEOMETRY, time=0.0)
    second = find_detail(detail, mixed[1], GEOMETRY, before=first, time=0.08)
    third = find_detail(detail, mixed[2], GEOMETRY, before=second, time=0.16)
    assert (first.photo, second.photo, third.photo) == (0, 0, 1)
    assert find_detail(detail, mixed[1], GEOMETRY).photo == 1, "a single picture gets the nearest"


def test_on_a_video_one_photo_fades_to_the_next() -> None:
    detail = detail_of(1, 2)
    before = find_detail(detail, in_colour(face(1)), GEOMETRY, time=0.0)
    steps = [before]
    for frame in range(1, 12):
        steps.append(find_detail(detail, in_colour(face(2)), GEOMETRY, before=steps[-1], time=frame / 16))
    likeness = [correlation(step.gain, pores(2)) for step in steps]
    assert likeness == sorted(likeness)
    assert likeness[1] < 0.85
    assert likeness[-1] > 0.95
    again = find_detail(detail, in_colour(face(2)), GEOMETRY, before=before, time=-1.0)
    assert correlation(again.gain, pores(2)) > 0.97, "anew where the time goes back"


def test_it_is_added_in_shares_of_the_level() -> None:
    found = find_detail(detail_of(2), in_colour(face(2)), GEOMETRY)
    crop = np.broadcast_to(np.linspace(0.2, 0.6, SIZE, dtype=np.float32)[None, :, None], (SIZE, SIZE, 3))
    to_region = np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])
    added = placed_detail(found, np.ascontiguousarray(crop), GEOMETRY, to_region, (FINE, FINE))
    grey = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY)
    expected = 255 * found.gain * cv2.resize(level_of(grey, GEOMETRY.unit), (FINE, FINE))
    assert correlation(added, expected) > 0.95
    dark, bright = (np.std(added[60:-60, columns]) for columns in (slice(50, 90), slice(-90, -50)))
    assert bright / dark == pytest.approx(0.53 / 0.33, rel=0.15)


def test_a_target_out_of_focus_gets_none() -> None:
    found = find_detail(detail_of(2), in_colour(face(2)), GEOMETRY)
    crop = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    to_region = np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])
    sharp, soft = (placed_detail(found, crop, GEOMETRY, to_region, (FINE, FINE), blur) for blur in (0.0, 2.0))
    assert sharp.std() > 3
    assert soft.std() < 0.3 * sharp.std()
