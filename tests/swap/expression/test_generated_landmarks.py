"""Where the generated face ends, against the renderer's own landmarks and against closed forms."""

import numpy as np
import pytest

from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.geometry import Geometry, Points, apply
from faceswap.faces.regions import Region, depth_in, face_height, hull_of
from faceswap.swap.expression.generated_landmarks import (
    LandmarkOffsets,
    LandmarkPair,
    detect_landmarks,
    track_generated_landmarks,
)
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.masks.face_mask import face_mask
from faceswap.swap.options import SwapOptions
from faceswap.synthetic import clip, person, render
from tests.swap.fakes import face_points

GEOMETRY = Geometry(96, 1.5)
HARD = SwapOptions(feather=0, erosion=0)
FACE = face_points(200, 200, 150)
MATRIX = Geometry(128, 1.5).matrix(FACE)


def widened(points: Points, by: float) -> Points:
    """The jaw pushed away from the middle, the inner face as it is."""
    result = points.copy()
    result[:17] = (result[:17] - points[30]) * by + points[30]
    return result


def mask_of(generated: Points | None, options: SwapOptions = HARD) -> np.ndarray:
    return face_mask(
        Region(0, 0, 400, 400),
        FaceCrop(FACE, Geometry(128, 1.5), MATRIX, (400, 400)),
        options,
        generated=generated,
    )


@pytest.mark.parametrize("who", ["bram", "emeric", "dalia"])
def test_landmarks_read_in_a_drawing_are_the_renderers(who: str) -> None:
    for scene in list(clip(4, 2.0, 25))[::12]:
        shot = render(person(who), scene, size=256)
        truth = shot.landmarks.astype(np.float64)
        matrix = GEOMETRY.matrix(truth)
        generated = GEOMETRY.crop(np.asarray(shot.image, np.uint8), matrix).astype(np.float32) / 255
        found = detect_landmarks(FaceFinder(), generated, GEOMETRY)
        error = np.linalg.norm(found - apply(matrix, truth), axis=1).mean()
        assert error < 0.07 * GEOMETRY.size / GEOMETRY.coverage


def test_a_drawn_face_that_is_narrower_ends_the_mask() -> None:
    generated = widened(FACE, 0.8)
    axis = np.arange(400.0)
    unit = face_height(Geometry(128, 1.5), MATRIX)
    inside = depth_in(hull_of(generated, MATRIX, HARD.forehead * unit), axis, axis)
    below = round(FACE[36:48, 1].max() + 0.2 * unit)  # the brows are covered, wherever they are
    assert mask_of(generated)[below:][inside[below:] < -2].max() == 0
    assert mask_of(None)[below:][inside[below:] < -2].max() == 1


def test_a_drawn_face_that_is_wider_reaches_a_twentieth_beyond_the_targets() -> None:
    axis = np.arange(400.0)
    unit = face_height(Geometry(128, 1.5), MATRIX)
    own = depth_in(hull_of(FACE, MATRIX, HARD.forehead * unit), axis, axis)
    result = mask_of(widened(FACE, 1.3))
    cheek = (slice(150, 260), slice(None))  # far from the crop's own soft edge
    assert result[cheek][own[cheek] < -0.05 * unit - 2].max() == 0
    assert result[cheek][own[cheek] > -0.05 * unit + 2].min() > 0.99


def test_a_drawn_face_like_the_targets_changes_nothing() -> None:
    assert np.array_equal(mask_of(FACE), mask_of(None))


def test_a_network_that_returns_its_input_has_the_targets_landmarks() -> None:
    """Whatever the detector is wrong by."""
    shot = render(person("dalia"), list(clip(4, 2.0, 25))[8], size=256)
    matrix = GEOMETRY.matrix(shot.landmarks.astype(np.float64))
    crop = GEOMETRY.crop(np.asarray(shot.image, np.uint8), matrix)
    target = apply(matrix, shot.landmarks.astype(np.float64))
    echo = crop.astype(np.float32) / 255
    found, _ = track_generated_landmarks(LandmarkPair(FaceFinder(), echo, crop, GEOMETRY), target, None, 0.0)
    assert np.array_equal(found, target)


@pytest.mark.parametrize("mask", ["ellipse", "rect"])
def test_masks_that_are_no_hulls_do_not_go_by_it(mask: str) -> None:
    options = HARD.model_copy(update={"mask": mask})
    assert np.array_equal(mask_of(widened(FACE, 0.5), options), mask_of(None, options))


TARGET = np.full((96, 96, 3), 255, np.uint8)


class Script:
    """Detects the mean face, in what is generated (black) its jaw as wide as it is told; counts those."""

    def __init__(self) -> None:
        self.width, self.detections = 1.0, 0

    def landmarks(self, frame: np.ndarray, box: tuple[float, float, float, float]) -> Points:
        side, generated = len(frame), not frame.any()
        self.detections += generated
        points = face_points((side - 1) / 2, (side - 1) / 2, side / 1.5)
        return widened(points, self.width) if generated else points


def test_on_video_the_outline_is_detected_ten_times_a_second_and_follows_smoothly() -> None:
    detector, picture = Script(), np.zeros((96, 96, 3), np.float32)
    target = face_points(47.5, 47.5, 64)
    before: LandmarkOffsets | None = None
    widths = []
    for frame in range(75):
        detector.width = 1.0 if frame < 25 else 1.2
        # the target moves: the generated face with it
        moved = target + np.array((np.sin(frame), 0.0))
        generated, before = track_generated_landmarks(
            LandmarkPair(detector, picture, TARGET, GEOMETRY, frame), moved, before, frame / 25
        )
        widths.append(np.ptp((generated - moved + target)[:17, 0]) / np.ptp(target[:17, 0]))
    assert detector.detections / 2 == pytest.approx(30, abs=5)  # two detections each
    assert widths[24] == pytest.approx(1, abs=0.04)
    assert max(np.abs(np.diff(widths))) < 0.08
    assert widths[-1] == pytest.approx(1.2, abs=0.03)


def test_a_single_picture_is_detected_as_it_is() -> None:
    detector = Script()
    detector.width = 1.2
    target = face_points(47.5, 47.5, 64)
    pair = LandmarkPair(detector, np.zeros((96, 96, 3), np.float32), TARGET, GEOMETRY)
    generated, _ = track_generated_landmarks(pair, target, None, 0.0)
    assert np.allclose(generated, widened(target, 1.2), atol=0.02)
