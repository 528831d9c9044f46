"""Pictures that lie: what is found in them, and that results lie as they do."""

import numpy as np
import pytest

from faceswap.faces.finding.dlib_finder import Box, Face, FaceFinder, SearchEffort
from faceswap.faces.finding.turn import Turn
from faceswap.faces.finding.turning import Upright, find_upright, turned
from faceswap.faces.geometry import Geometry
from faceswap.faces.tracking.tracks import Tracker
from faceswap.media.video.reading import Frame
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.chunks import Tally
from faceswap.swap.video.video_swapper import VideoSwapper
from faceswap.synthetic import CAST, Scene, render
from tests.swap.fakes import KnownFaces, Paint, face_at, smooth_noise

RED = (255, 0, 0)


def mark(image: np.ndarray) -> np.ndarray:
    """A picture whose upper edge is white: that is how :class:`Standing` knows it stands."""
    marked = np.minimum(image, 200)
    marked[:4] = 255
    return marked


class Standing(KnownFaces):
    """Finds its faces only in pictures that stand upright; counts its searches."""

    searches = 0

    def find(
        self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        self.searches += 1
        return super().find(frame, hint) if frame[:4].min() == 255 else []


UPRIGHT = mark(smooth_noise(160, 200))
FACE = face_at(120, 90, 50)


def swapper(finder: KnownFaces, turn: Turn = "auto", label: bool = False) -> Swapper:
    options = SwapOptions(label=label, watermark=False, colour="none", sharpen=0, turn=turn)
    return Swapper(Paint(Geometry(64, 1.5), RED), finder, options)


@pytest.mark.parametrize("lying", [0, 90, 180, 270])
def test_a_swap_lies_as_the_target_does(lying: int) -> None:
    expected = swapper(Standing(FACE)).swap(UPRIGHT).image
    assert (expected[90, 120] == RED).all()
    result = swapper(Standing(FACE)).swap(turned(UPRIGHT, lying))
    np.testing.assert_array_equal(turned(result.image, -lying), expected)
    assert result.turn == -lying % 360


def test_turned_is_clockwise_and_its_own_inverse() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert turned(image, 90)[..., 0].tolist() == [[3, 0], [4, 1], [5, 2]]
    for degrees in (-90, 0, 90, 180, 270, 360):
        np.testing.assert_array_equal(turned(turned(image, degrees), -degrees), image)


def test_a_turn_that_is_given_is_the_only_one_tried() -> None:
    finder = Standing(FACE)
    assert find_upright(finder, turned(UPRIGHT, 90), "0") == (0, [])
    assert find_upright(finder, turned(UPRIGHT, 90), "270")[0] == 270
    assert finder.searches == 2
    assert find_upright(finder, UPRIGHT) == (0, [FACE])
    assert finder.searches == 3, "who stands costs one search"


def test_the_label_is_upright_in_the_result() -> None:
    lying = turned(UPRIGHT, 90)
    with_label = swapper(Standing(FACE), label=True).swap(lying).image
    without = swapper(Standing(FACE)).swap(lying).image
    rows, columns = np.nonzero((with_label != without).any(axis=2))
    assert rows.min() > 0.8 * len(lying)
    assert np.ptp(columns) > 3 * np.ptp(rows)


def frames(*images: np.ndarray) -> list[Frame]:
    return [Frame(i, i / 10, image) for i, image in enumerate(images)]


def test_a_video_that_lies_is_turned_and_its_result_lies() -> None:
    lying, nobody = turned(UPRIGHT, 90), turned(np.full_like(UPRIGHT, 90), 90)
    video = VideoSwapper(swapper(Standing(FACE)), Tally())
    tracked = video.find(frames(*[nobody] * 12, *[lying] * 12, *[UPRIGHT] * 12))
    results = [
        video.composite(*one) for one in video.reshape(video.transfer_expression(video.generate(tracked)))
    ]
    assert [image.shape for image in results] == [lying.shape] * 24 + [UPRIGHT.shape] * 12
    expected = swapper(Standing(FACE)).swap(UPRIGHT).image
    np.testing.assert_array_equal(turned(results[23], -90), expected)
    np.testing.assert_array_equal(results[-1], expected)
    assert video.tally.frames == 36


def test_a_video_without_faces_is_searched_the_other_ways_once_a_second() -> None:
    finder = Standing(FACE)
    upright = Upright(finder)
    assert not any(upright.changes(frame, []) for frame in frames(*[np.full_like(UPRIGHT, 90)] * 25))
    assert finder.searches == 3 * 3


@pytest.mark.parametrize("video", [False, True])
def test_extraction_sees_the_faces_of_what_lies(video: bool) -> None:
    tracker = Tracker(Standing(FACE), video)
    for frame in frames(turned(UPRIGHT, 180), turned(UPRIGHT, 180)):
        (one,) = tracker.track(frame)
        assert one.turn == 180
        np.testing.assert_allclose(one.face.landmarks, FACE.landmarks)


@pytest.mark.parametrize("lying", [90, 180, 270])
def test_a_drawn_face_that_lies_is_found(lying: int) -> None:
    image = np.asarray(render(CAST[0], Scene(), 256).image, np.uint8)
    degrees, (face,) = find_upright(FaceFinder(), turned(image, lying))
    assert degrees == 360 - lying
    (upright,) = FaceFinder().find(image)
    np.testing.assert_allclose(face.landmarks, upright.landmarks, atol=0.5)
