from dataclasses import replace

import numpy as np
import pytest

from faceswap.errors import FaceError
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.geometry import Geometry
from faceswap.faces.regions import Region
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.masks.face_mask import face_mask
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.swap.fakes import Echo, KnownFaces, Paint, face_at, face_points, smooth_noise

PLAIN = SwapOptions(
    label=False, sharpen=0, texture=0, occlusion="none", hairline=0
)  # noise and plain colours hold no hair
GEOMETRY = Geometry(64, 1.5)
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.mark.parametrize(("size", "height"), [(64, 42), (128, 85), (256, 170), (256, 250)])
def test_a_network_that_returns_its_input_gives_the_frame_back(size: int, height: int) -> None:
    frame = smooth_noise(500, 500)
    face = face_at(250, 240, height, roll=0.2)
    swapper = Swapper(Echo(Geometry(size, 1.5)), KnownFaces(face), PLAIN)
    result = swapper.swap(frame)
    matrix = result.faces[0].matrix
    assert matrix is not None
    crop = FaceCrop(face.landmarks, swapper.network.geometry, matrix, (500, 500))
    mask = face_mask(Region(0, 0, 500, 500), crop, PLAIN)
    error = np.abs(result.image.astype(int) - frame).mean(-1)
    assert error[mask > 0].mean() < 1.5
    assert error[mask == 0].max() == 0
    assert result.faces[0].area == pytest.approx(mask.sum(), rel=0.02)


def test_no_face_gives_the_frame_back() -> None:
    frame = smooth_noise(100, 120)
    result = Swapper(Echo(GEOMETRY), KnownFaces(), SwapOptions()).swap(frame)
    assert (result.image == frame).all()
    assert (result.faces, result.swapped) == ([], 0)


def test_all_faces_survive_in_one_call_of_the_network() -> None:
    frame = smooth_noise(200, 600)
    faces = [face_at(x, 100, 60) for x in (100, 300, 500)]
    network = Paint(GEOMETRY, RED)
    echo = Echo(GEOMETRY)
    Swapper(echo, KnownFaces(*faces), PLAIN).swap(frame)
    assert [len(crops) for crops in echo.calls] == [3]
    result = Swapper(network, KnownFaces(*faces), PLAIN.model_copy(update={"colour": "none"})).swap(frame)
    assert result.swapped == 3
    for x in (100, 300, 500):
        assert tuple(result.image[100, x]) == RED


def test_targets_are_reshaped_before_anything_is_composited_and_in_a_new_frame() -> None:
    frame = smooth_noise(300, 600)
    kept = frame.copy()
    faces = [face_at(x, 150, 80) for x in (150, 450)]
    swapper = Swapper(Echo(GEOMETRY), KnownFaces(*faces), PLAIN)
    first, second = swapper.generate(frame, faces)
    assert first.generated is not None
    wide = first.generated.crop.landmarks.copy()
    wide[:17, 0] += 0.15 * (wide[:17, 0] - 150)  # only the jaw differs, and only of one face
    image, shaped = swapper.reshape(
        frame, [replace(first, generated=replace(first.generated, landmarks=wide)), second]
    )
    assert (frame == kept).all()
    changed = np.abs(image.astype(int) - frame).max(-1) > 0
    assert changed[:, :300].any() and not changed[:, 330:].any()
    face, other = (one.generated for one in shaped)
    assert face is not None and face.reshaped_target is not None
    assert np.ptp(face.reshaped_target[:17, 0]) > 1.1 * np.ptp(face.crop.landmarks[:17, 0])
    assert other is not None and other.reshaped_target is None
    nobody, nothing = swapper.reshape(frame, [])
    assert nobody is frame and nothing == []


def test_overlapping_faces_are_composited_over_each_other() -> None:
    class Two(Paint):
        def __call__(self, crops: np.ndarray) -> np.ndarray:
            return np.stack([np.full(crops.shape[1:], c, np.float32) for c in ((1, 0, 0), (0, 0, 1))])

    options = PLAIN.model_copy(update={"colour": "none"})
    faces = KnownFaces(face_at(100, 100, 60), face_at(150, 100, 60))
    image = Swapper(Two(GEOMETRY, RED), faces, options).swap(smooth_noise(200, 250)).image
    assert tuple(image[100, 80]) == RED
    assert tuple(image[100, 150]) == BLUE
    assert 0 < image[100, 120, 0] < 255  # the seam mixes the two, no trace of the frame's green
    assert image[100, 120, 1] < 60


def test_the_network_sees_rgb() -> None:
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[..., 0], frame[..., 2] = 200, 30
    echo = Echo(GEOMETRY)
    result = Swapper(echo, KnownFaces(face_at(100, 100, 60)), PLAIN).swap(frame)
    assert echo.calls[0].mean((0, 1, 2)).tolist() == [200, 0, 30]
    # the frame is of one hue, whose colours go by whole grey levels, of which red has 64
    assert np.abs(result.image[100, 100].astype(int) - (200, 0, 30)).max() <= 4


def test_only_the_chosen_person_is_swapped() -> None:
    frame, faces = smooth_noise(200, 400), (face_at(100, 100, 60), face_at(300, 100, 60))
    finder = KnownFaces(*faces)
    me = finder.embed(frame, faces[1].landmarks)
    result = Swapper(Paint(GEOMETRY, RED), finder, PLAIN, match=me).swap(frame)
    assert [face.skipped for face in result.faces] == ["another person", None]
    assert (result.image[:, :200] == frame[:, :200]).all()
    stranger = Swapper(Paint(GEOMETRY, RED), finder, PLAIN, match=me + 1).swap(frame)
    assert stranger.swapped == 0
    assert (stranger.image == frame).all()


def test_faces_that_can_not_be_swapped_are_counted_with_a_reason() -> None:
    broken = Face(box=(0, 0, 9, 9), landmarks=np.full((68, 2), 5.0), score=1.0)
    nan = Face(box=(0, 0, 9, 9), landmarks=np.full((68, 2), np.nan), score=1.0)
    finder = KnownFaces(
        broken, nan, face_at(100, 100, 5), face_at(-900, 90, 60), face_at(100, 100, 60), face_at(250, 100, 50)
    )
    options = PLAIN.model_copy(update={"max_faces": 1})
    result = Swapper(Echo(GEOMETRY), finder, options).swap(smooth_noise(200, 400))
    assert [face.skipped for face in result.faces] == [
        "broken landmarks",
        "broken landmarks",
        "too small",
        "outside the frame",
        None,
        "too many",
    ]


@pytest.mark.parametrize("place", [(0, 0), (399, 199), (5, 100), (200, -20)])
def test_faces_at_the_border_of_the_frame(place: tuple[int, int]) -> None:
    frame = smooth_noise(200, 400)
    result = Swapper(Paint(GEOMETRY, GREEN), KnownFaces(face_at(*place, 80)), PLAIN).swap(frame)
    assert result.image.shape == frame.shape
    assert result.swapped == 1
    assert (result.image != frame).any()


def test_the_label_is_there_only_on_what_was_swapped() -> None:
    frame = smooth_noise(300, 300)
    labelled = Swapper(Echo(GEOMETRY), KnownFaces(face_at(150, 130, 60)), SwapOptions()).swap(frame).image
    plain = Swapper(Echo(GEOMETRY), KnownFaces(face_at(150, 130, 60)), PLAIN).swap(frame).image
    assert (labelled != plain).any()
    assert (Swapper(Echo(GEOMETRY), KnownFaces(), SwapOptions()).swap(frame).image == frame).all()


def test_swap_face_needs_no_detector_and_leaves_its_input_alone() -> None:
    frame = smooth_noise(300, 300)
    before = frame.copy()
    swapper = Swapper(Paint(GEOMETRY, RED), KnownFaces(), SwapOptions(colour="none", texture=0))
    out = swapper.swap_face(frame, face_points(150, 150, 80))
    assert tuple(out[150, 150]) == RED
    assert (frame == before).all()
    with pytest.raises(FaceError):
        swapper.swap_face(frame, np.zeros((68, 2)))


def test_swap_face_leaves_a_frame_alone_that_does_not_show_the_face() -> None:
    frame = smooth_noise(300, 300)
    swapper = Swapper(Paint(GEOMETRY, RED), KnownFaces(), SwapOptions(protect=("eyes",)))
    assert (swapper.swap_face(frame, face_points(900, 900, 80)) == frame).all()


def test_only_the_face_of_a_large_frame_is_touched() -> None:
    frame = np.full((2160, 3840, 3), 90, np.uint8)
    options = PLAIN.model_copy(update={"colour": "none"})
    out = Swapper(Paint(GEOMETRY, RED), KnownFaces(face_at(1000, 900, 100)), options).swap(frame).image
    rows, columns = np.nonzero((out != frame).any(-1))
    assert rows.min() > 820
    assert rows.max() < 980
    assert columns.min() > 920
    assert columns.max() < 1080
