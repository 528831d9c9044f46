"""Lips that are moved, against closed forms, the renderer's truth and a network that is always wrong alike."""

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.geometry import Geometry, Points
from faceswap.faces.pose import interocular, lip_gap
from faceswap.swap.expression.generated_landmarks import DETECTION_SIDE, detect_landmarks
from faceswap.swap.expression.lips import LipGapChange, change_lip_gap, lip_gap_change, moved_landmarks
from faceswap.swap.expression.transfer import transfer_expression
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import clip, person, render
from tests.swap.fakes import Echo, face_points

GEOMETRY = Geometry(96, 1.5)
SIZE = 192


def parted(gap: float) -> Points:
    """The mean face with its inner lips so many distances of the eyes apart."""
    points = face_points((SIZE - 1) / 2, (SIZE - 1) / 2, SIZE / 1.5)
    middle, half = points[60:68, 1].mean(), gap * interocular(points) / 2
    points[[60, 64], 1] = middle
    points[61:64, 1], points[65:68, 1] = middle - half, middle + half
    points[49:54, 1], points[55:60, 1] = middle - half - 8, middle + half + 8
    return points


def picture_of(points: Points) -> NDArray[np.float32]:
    """Grey, white between the inner lips."""
    picture = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    rows = np.arange(SIZE)[:, None]
    columns = np.arange(SIZE)
    upper = np.interp(columns, points[60:65, 0], points[60:65, 1])
    lower = np.interp(columns, points[[60, 67, 66, 65, 64], 0], points[[60, 67, 66, 65, 64], 1])
    picture[(rows >= upper) & (rows <= lower)] = 1
    return picture


def white_rows(picture: NDArray[np.float32], points: Points) -> float:
    """Mean height of the white at the three places where a gap is measured, px."""
    columns = np.rint(points[61:64, 0]).astype(int)
    return float(((picture[:, columns, 0] - 0.5) / 0.5).sum(axis=0).mean())


@pytest.mark.parametrize("change", [0.1, 0.05, -0.05, -0.1])
def test_lips_move_by_what_is_asked(change: float) -> None:
    points = parted(0.2)
    before = picture_of(points)
    after = change_lip_gap(before, points, change)
    moved = (white_rows(after, points) - white_rows(before, points)) / interocular(points)
    assert moved == pytest.approx(change, rel=0.15)


def test_wide_open_lips_are_round() -> None:
    """Half way to a corner an ellipse is open by 0.87 of its height, a parabola by 0.75."""
    points = parted(0.0)
    moved = moved_landmarks(points, 0.3)
    left, right = points[[60, 64], 0]
    after = change_lip_gap(picture_of(parted(0.02)), parted(0.02), 0.3)
    gaps = [
        float(((after[:, round(left + share * (right - left)), 0] - 0.5) / 0.5).sum())
        for share in (0.25, 0.5)
    ]
    assert 0.8 < gaps[0] / gaps[1] < 0.9
    assert moved[66, 1] > points[66, 1]


@pytest.mark.parametrize("change", [0.1, -0.1])
def test_landmarks_follow_the_lips(change: float) -> None:
    points = parted(0.2)
    after = moved_landmarks(points, change)
    assert lip_gap(after) == pytest.approx(0.2 + change, abs=0.01)
    height = float((after[[67, 66, 65], 1] - after[[61, 62, 63], 1]).mean())
    shown = white_rows(change_lip_gap(picture_of(points), points, change), points)
    assert height == pytest.approx(shown, abs=1.5)
    still = np.r_[:48, 48, 54, 60, 64]
    np.testing.assert_array_equal(after[still], points[still])


def test_nothing_else_moves() -> None:
    points = parted(0.2)
    rng = np.random.default_rng(0)
    before = rng.uniform(0, 1, (SIZE, SIZE, 3)).astype(np.float32)
    after = change_lip_gap(before, points, 0.1)
    still = np.ones((SIZE, SIZE), bool)
    left, right = int(points[48, 0]), int(points[54, 0]) + 1
    still[int(points[33, 1]) - 3 : int(points[8, 1]) + 4, left : right + 1] = False
    assert np.array_equal(before[still], after[still])
    assert not np.array_equal(before, after)
    assert np.array_equal(change_lip_gap(before, points, 0.0), before)


def test_lips_that_meet_stay_shut() -> None:
    points = parted(0.1)
    after = change_lip_gap(picture_of(points), points, -0.5)
    assert 0 <= white_rows(after, points) < 2
    assert after.min() >= 0
    assert after.max() <= 1


def test_what_is_read_between_shut_lips_is_nobodys_expression() -> None:
    assert lip_gap_change(parted(0.02), parted(0.06)) == 0
    assert lip_gap_change(parted(0.06), parted(0.02)) == 0
    assert lip_gap_change(parted(0.1), parted(0.15)) > 0 > lip_gap_change(parted(0.15), parted(0.02))


class Mumbler(Echo):
    """Draws what it sees with the lips nearer to each other than they are."""

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        generated_crops = super().__call__(crops)
        return np.stack(
            [
                change_lip_gap(one, detect_landmarks(FaceFinder(), one, self.geometry), -0.12)
                for one in generated_crops
            ]
        )


def test_a_network_that_mumbles_is_made_to_speak_up() -> None:
    scenes = [scene for scene in clip(4, 4.0, 25) if scene.expression.open > 0.5][::6][:4]
    assert len(scenes) >= 2
    gaps: dict[float, list[float]] = {0.0: [], 1.0: []}
    for scene in scenes:
        shot = render(person("dalia"), scene, size=320)
        image, landmarks = np.asarray(shot.image, np.uint8), shot.landmarks.astype(np.float64)
        for lips, found in gaps.items():
            swapper = Swapper(Mumbler(GEOMETRY), FaceFinder(), SwapOptions(lips=lips, colour="none"))
            swap = swapper.swap_face(image, landmarks)
            matrix = GEOMETRY.matrix(landmarks)
            seen, after = (
                detect_landmarks(FaceFinder(), GEOMETRY.crop(i, matrix).astype(np.float32) / 255, GEOMETRY)
                for i in (image, swap)
            )
            found.append(abs(lip_gap(after) - lip_gap(seen)))
    assert np.mean(gaps[1.0]) < 0.6 * np.mean(gaps[0.0])


def test_a_network_that_returns_its_input_changes_nothing_of_the_lips() -> None:
    shot = render(person("dalia"), list(clip(4, 2.0, 25))[8], size=320)
    image, landmarks = np.asarray(shot.image, np.uint8), shot.landmarks.astype(np.float64)
    results = [
        Swapper(Echo(GEOMETRY), FaceFinder(), SwapOptions(lips=lips)).swap_face(image, landmarks)
        for lips in (0.0, 1.0)
    ]
    assert np.array_equal(*results)


def test_on_a_video_the_change_follows_smoothly() -> None:
    """A first-order filter of 44 ms; a time that goes back starts anew."""
    change = LipGapChange.after(None, 0.1, 2.0)
    assert change.amount == 0.1
    change = LipGapChange.after(change, 0.0, 2.044)
    assert change.amount == pytest.approx(0.1 / np.e)
    assert LipGapChange.after(change, 0.07, 1.0).amount == 0.07


class Opening:
    """Detects lips as far apart as the generated white is high, and of the target what it is told."""

    def __init__(self, target: float) -> None:
        self.target, self.boxes = target, list[tuple[float, ...]]()

    def landmarks(self, frame: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Points:
        self.boxes.append(box)
        points = parted(0.2) * (DETECTION_SIDE / SIZE)
        if frame[..., 1].max() > frame[..., 0].max():  # green: the target's crop
            gap = self.target
        else:
            gap = white_rows(frame.astype(np.float32) / 255, points) / interocular(points)
        return parted(gap) * (DETECTION_SIDE / SIZE)


def generated(points: Points, geometry: Geometry, target: NDArray[np.uint8]) -> GeneratedFace:
    return GeneratedFace(FaceCrop(points, geometry, np.eye(2, 3), (SIZE, SIZE)), target, picture_of(points))


@pytest.mark.parametrize("target", [0.12, 0.28])
def test_lips_are_detected_again_and_moved_by_what_is_left(target: float) -> None:
    """This detector sees all of what is there: one move alone would leave three tenths of the difference."""
    geometry = Geometry(SIZE, 1.5)
    points = parted(0.2)
    crop = np.zeros((SIZE, SIZE, 3), np.uint8)
    crop[..., 1] = 200
    face = generated(points, geometry, crop)
    result = transfer_expression(face, Opening(target), SwapOptions(hairline=0, lids=0)).picture
    error = abs(white_rows(result, points) / interocular(points) - target)
    assert error < 0.2 * abs(0.2 - target)


def test_half_the_strength_moves_half_as_far() -> None:
    """The second detection must not make up for what was not asked for."""
    points, crop = parted(0.2), np.zeros((SIZE, SIZE, 3), np.uint8)
    crop[..., 1] = 200
    face = generated(points, Geometry(SIZE, 1.5), crop)
    before = white_rows(picture_of(points), points)
    moved = [
        white_rows(transfer_expression(face, Opening(0.28), options).picture, points) - before
        for options in (SwapOptions(hairline=0, lids=0), SwapOptions(hairline=0, lids=0, lips=0.5))
    ]
    assert moved[1] == pytest.approx(moved[0] / 2, rel=0.15)


def test_a_picture_gets_all_detections_and_a_frame_of_a_video_every_other_half() -> None:
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    boxes = []
    for frame in (None, 0, 1, 2):
        detector = Opening(0.1)
        detect_landmarks(detector, picture, Geometry(SIZE, 1.5), frame)
        boxes.append(detector.boxes)
    everything, first, second, third = boxes
    assert len(set(everything)) == 4
    assert [*first, *second] == everything
    assert third == first
    assert np.allclose(np.mean(everything, axis=0), np.mean(first, axis=0), atol=0.03 * DETECTION_SIDE)
