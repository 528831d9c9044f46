"""The target's eyeballs between the lids of a network that always stares, on rendered people whose gaze is known."""

from dataclasses import replace

import numpy as np
import pytest

from faceswap.faces.eyes import gaze
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.finding.mediapipe.mesh import Eye
from faceswap.faces.landmarks import EYES, OUTER_LIPS
from faceswap.model.presets import preset
from faceswap.swap.openings.axes import Axis, Window
from faceswap.swap.openings.eye_opening import EyeOpening, ReadEye
from faceswap.swap.openings.eyeballs import EyeMemory
from faceswap.swap.openings.iris_colour import IrisGain
from faceswap.swap.openings.sclera import white_shows
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import Expression
from tests.swap.openings.staring import GEOMETRY, Staring, target

PLAIN = {"label": False, "lids": 0, "lips": 0, "teeth": 0, "outline": "target", "occlusion": "none"}


def swapper(eyes: float, **options: object) -> Swapper:
    return Swapper(Staring(), FaceFinder(), SwapOptions(**{**PLAIN, "eyes": eyes, **options}))  # type: ignore[arg-type]


@pytest.mark.parametrize("axis", ["gaze_x", "gaze_y"])
def test_a_network_that_stares_looks_where_the_target_looks(axis: str) -> None:
    asked, seen = [], {0.0: [], 1.0: []}  # type: ignore[var-annotated]
    number = ("gaze_x", "gaze_y").index(axis)
    for value in (-0.6, -0.3, 0.0, 0.3, 0.6):
        image, points = target(Expression(**{axis: value}))
        asked.append(gaze(image, points)[number])
        for share, found in seen.items():
            found.append(gaze(swapper(share).swap_face(image, points), points)[number])
    slopes = [float(np.polyfit(asked, found, 1)[0]) for found in seen.values()]
    assert abs(slopes[0]) < 0.2
    assert 0.6 < slopes[1] < 1.1
    assert np.corrcoef(asked, seen[1.0])[0, 1] > 0.9


def test_nothing_but_the_eyes_changes() -> None:
    image, points = target(Expression(gaze_x=0.5))
    without, with_eyes = (swapper(share).swap_face(image, points).astype(int) for share in (0, 1))
    changed = np.abs(with_eyes - without).max(axis=-1) > 1
    around = np.zeros(changed.shape, bool)
    for eye in EYES:
        window = Window.around(Axis.between(points[eye][0], points[eye][3]), 1.6, changed.shape)
        around[window.part] = True
    assert changed[around].sum() > 100
    assert not changed[~around].any()
    assert not changed[int(points[OUTER_LIPS][:, 1].min()) :].any()


@pytest.mark.parametrize("closed", [0.0, 1.0])
def test_an_eye_that_is_shut_shows_nothing_of_itself(closed: float) -> None:
    image, points = target(Expression(gaze_x=0.5, close_left=closed, close_right=closed))
    without, with_eyes = (swapper(share).swap_face(image, points).astype(int) for share in (0, 1))
    assert bool((without != with_eyes).any()) == (closed == 0)


def test_a_face_too_small_for_its_eyes_stays_as_it_is() -> None:
    image, points = target(Expression(gaze_x=0.5))
    small = image[::10, ::10].copy()
    without, with_eyes = (
        swapper(share, min_face=4, erosion=0).swap_face(small, points / 10) for share in (0, 1)
    )
    np.testing.assert_array_equal(without, with_eyes)


def drawn(iris: tuple[int, int, int]) -> np.ndarray:  # type: ignore[type-arg]
    """(60, 100, 3) uint8: skin, a white almond and a round iris with a catch-light."""
    rows, columns = np.mgrid[:60, :100]
    picture = np.full((60, 100, 3), (200, 150, 130), np.uint8)
    picture[np.abs(rows - 30) < 18 * (1 - ((columns - 50) / 40) ** 2)] = (230, 225, 220)
    picture[np.hypot(rows - 30, columns - 50) < 14] = iris
    picture[np.hypot(rows - 26, columns - 54) < 2.5] = 255
    return picture


def opening() -> EyeOpening:
    """The true reading of a drawn eye."""
    along = np.linspace(-1, 1, 9)
    lower = np.stack([50 + 40 * along, 30 + 18 * (1 - along**2)], axis=-1)
    upper = np.stack([50 + 40 * along, 30 - 18 * (1 - along**2)], axis=-1)[1:-1]
    iris = np.array([(50, 30), (64, 30), (50, 16), (36, 30), (50, 44)], float)
    marks = np.array([(10, 30), (37, 14), (63, 14), (90, 30), (63, 46), (37, 46)], float)
    eye = Eye(np.concatenate([lower, upper]), iris)
    return EyeOpening(Axis.between(marks[0], marks[3]), eye, marks)


def test_the_reading_of_a_drawn_eye_is_its_closed_form() -> None:
    eye = opening()
    assert eye.openness == pytest.approx(36 / 80, rel=0.1)
    assert eye.doubt == pytest.approx(0, abs=1e-9)
    upper, lower = eye.lids(np.array([-1.0, 0.0, 0.5]))
    np.testing.assert_allclose(lower, [0, 18 / 40, 18 / 40 * 0.75], atol=0.01)
    np.testing.assert_allclose(upper, -lower, atol=0.01)


@pytest.mark.parametrize("goal", [(60, 100, 130), (90, 120, 70)])
def test_an_iris_takes_the_references_colour_and_its_catch_light_stays(goal: tuple[int, int, int]) -> None:
    over, under, eye = drawn(goal), drawn((110, 75, 50)), opening()
    gain = IrisGain.after(None, over, under, [(eye, eye)], 0.0)
    assert gain is not None
    rows, columns = np.mgrid[:60, :100]
    away = np.hypot(rows - 30, columns - 50) / 14
    result = gain.coloured(under.astype(np.float32), away)
    np.testing.assert_allclose(result[38, 50], goal, atol=8)
    np.testing.assert_allclose(result[26, 54], 255, atol=1)
    np.testing.assert_array_equal(result[30, 80], under[30, 80])


def test_coloured_noise_of_a_dark_iris_does_not_come_along() -> None:
    goal, eye = (60, 100, 130), opening()
    under = drawn((30, 20, 12)).astype(int)
    rows, columns = np.mgrid[:60, :100]
    away = np.hypot(rows - 30, columns - 50) / 14
    inside = (away > 0.3) & (away < 0.85) & (np.hypot(rows - 26, columns - 54) > 4)
    noise = np.random.default_rng(0).integers(-8, 9, under.shape)
    noise -= np.rint(noise @ (0.299, 0.587, 0.114)).astype(int)[..., None]  # of colour alone
    noisy = np.clip(under + inside[..., None] * noise, 0, 255).astype(np.uint8)
    gain = IrisGain.after(None, drawn(goal), noisy, [(eye, eye)], 0.0)
    assert gain is not None
    result = gain.coloured(noisy.astype(np.float32), away)
    tint = result[inside] - result[inside].mean(axis=-1, keepdims=True)
    assert (
        tint.std(axis=0).max()
        < 0.5 * (noisy[inside].astype(float) - noisy[inside].mean(-1, keepdims=True)).std(axis=0).max()
    )


def test_on_a_video_nobodys_irises_change_at_once() -> None:
    under, eye = drawn((110, 75, 50)), opening()
    first = IrisGain.after(None, drawn((60, 110, 150)), under, [(eye, eye)], 0.0)
    later = IrisGain.after(first, drawn((150, 110, 60)), under, [(eye, eye)], 0.12)
    hidden = IrisGain.after(later, under, under, [], 0.24)
    assert first is not None
    assert later is not None
    assert 0 < np.abs(later.gain - first.gain).max() < 0.3
    assert IrisGain.after(first, under, under, [(eye, eye)], 0.04) is first
    assert hidden is later


def doubted() -> EyeOpening:
    """The same eye, whose landmarks see its corners elsewhere."""
    eye = opening()
    marks = eye.marks.copy()
    marks[[0, 3], 0] = (22, 78)
    return replace(eye, marks=marks)


def shut() -> EyeOpening:
    eye = opening()
    flat = [(points - (0, 30)) * (1, 0.05) + (0, 30) for points in (eye.eye.contour, eye.marks)]
    return replace(eye, eye=Eye(flat[0], eye.eye.iris), marks=flat[1])


def trust(*frames: EyeOpening) -> list[float]:
    """Of the target's eyes in consecutive frames of a video."""
    memory, result = None, []
    for number, eye in enumerate(frames):
        memory = EyeMemory.after(memory, [(opening(), eye)] * 2, number / 25)
        result.append(memory.trust)
    return result


def test_eyes_read_badly_for_a_frame_are_not_given_up_and_a_lucky_frame_is_not_believed() -> None:
    assert trust(opening()) == [1]
    assert trust(doubted()) == [0]
    assert trust(*[opening()] * 5, doubted(), opening())[-2] > 0.8
    assert trust(*[doubted()] * 5, opening(), doubted())[-2] < 0.2
    changed = trust(opening(), *[doubted()] * 25)
    assert changed == sorted(changed, reverse=True)
    assert changed[-1] < 0.05


def test_a_blink_changes_no_trust() -> None:
    assert trust(opening(), *[shut()] * 6)[-1] == 1
    assert trust(doubted(), *[shut()] * 6)[-1] == 0


def test_the_geometry_of_these_tests_is_that_of_the_smallest_preset() -> None:
    assert preset("lite").geometry.size == GEOMETRY.size


def test_on_a_video_an_eye_is_read_every_other_frame_unless_it_moves() -> None:
    eye, reads = opening(), 0

    def read() -> Eye:
        nonlocal reads
        reads += 1
        return eye.eye

    first = ReadEye.after(None, eye.axis, eye.marks, 0.0, read)
    moved = Axis.between(*(eye.marks[[0, 3]] * 1.5 + 7))
    second = ReadEye.after(first, moved, eye.marks * 1.5 + 7, 0.04, read)
    assert reads == 1
    # it moves and grows with the face
    np.testing.assert_allclose(second.placed(moved).iris, eye.eye.iris * 1.5 + 7)
    blinking = eye.marks.copy()
    blinking[[1, 2], 1] += 0.1 * eye.axis.half
    ReadEye.after(first, eye.axis, blinking, 0.04, read)
    assert reads == 2
    ReadEye.after(second, eye.axis, eye.marks, 0.08, read)
    ReadEye.after(first, eye.axis, eye.marks, -1.0, read)
    assert reads == 4


def test_the_white_of_an_eye_shows_unless_it_looks_like_skin() -> None:
    picture, eye = drawn((110, 75, 50)), opening()
    assert white_shows(picture, eye) == 1
    mirroring = picture.copy()
    mirroring[np.all(picture == (230, 225, 220), axis=-1)] = (185, 135, 130)
    assert white_shows(mirroring, eye) < 0.01
    assert white_shows(picture[:3, :3], eye) == 0


@pytest.mark.parametrize(("white", "trusted"), [(0.0, 0.0), (1.0, 1.0)])
def test_a_far_eye_whose_corner_lies_too_far_out_is_trusted_where_its_white_shows(
    white: float, trusted: float
) -> None:
    eye = opening()
    marks = eye.marks.copy()
    marks[3, 0] += 0.3 * eye.axis.half  # as dlib has it on faces that are turned away
    doubtful = replace(eye, axis=Axis.between(marks[0], marks[3]), marks=marks, white=white)
    assert 0.24 < doubtful.doubt < 0.4
    assert EyeMemory.after(None, [(eye, eye), (eye, doubtful)], 0.0).trust == trusted


def test_where_dlibs_corner_lies_too_far_out_the_networks_corners_count() -> None:
    eye = opening()
    marks = eye.marks.copy()
    marks[3, 0] += 0.3 * eye.axis.half
    far = replace(eye, axis=Axis.between(marks[0], marks[3]), marks=marks)
    np.testing.assert_allclose(far.by_network(0).axis.middle, far.axis.middle, atol=1e-9)
    assert far.by_network(0.5).axis.half == pytest.approx((far.axis.half + eye.axis.half) / 2)
    found = far.by_network(1)
    np.testing.assert_allclose(found.axis.middle, eye.axis.middle, atol=1e-9)
    assert found.axis.half == pytest.approx(eye.axis.half)
    assert found.axis.along[0] == pytest.approx(1)
