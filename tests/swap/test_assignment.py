import numpy as np
import pytest

from faceswap.faces.geometry import Geometry
from faceswap.swap.assignment import Reference, assign
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.swap.fakes import Echo, KnownFaces, Paint, face_at, smooth_noise

RED, BLUE = (255, 0, 0), (0, 0, 255)
PLAIN = SwapOptions(label=False, colour="none", sharpen=0, match_blur=False, texture=0)
NETWORK = Echo(Geometry(64, 1.5))
NAN = float("nan")


def person(x: float) -> np.ndarray:
    """The embedding that ``KnownFaces`` gives a face at x."""
    embedding = np.zeros(128)
    embedding[0] = x / 100
    return embedding


def references(*matches: float | None) -> list[Reference]:
    return [Reference(NETWORK, None if x is None else person(x)) for x in matches]


def test_the_sum_of_distances_decides_not_the_first_face() -> None:
    # The first face is nearer to both; alone it would take role 1 and leave the second face nothing allowed.
    distances = [np.array([0.30, 0.20]), np.array([0.70, 0.35])]
    assert assign(distances, references(100, 200), 0.6) == [0, 1]


def test_a_person_is_one_face_and_strangers_are_left_alone_or_get_the_role_for_everybody() -> None:
    distances = [np.array([0.5]), np.array([0.3]), np.array([0.9])]
    assert assign(distances, references(100), 0.6) == ["another person", 0, "another person"]
    with_all = [np.array([NAN, d[0]]) for d in distances]
    assert assign(with_all, references(None, 100), 0.6) == [0, 1, 0]
    assert assign([], references(100), 0.6) == []


def test_two_faces_get_two_references() -> None:
    frame = smooth_noise(200, 400)
    left, right = face_at(100, 100, 60), face_at(300, 100, 60)
    finder = KnownFaces(left, right)
    x = {side: finder.embed(frame, face.landmarks) for side, face in (("left", left), ("right", right))}
    # networks of different sizes, named against the order of the faces
    blue = Reference(Paint(Geometry(96, 1.5), BLUE), x["left"])
    swapper = Swapper(Paint(Geometry(64, 1.5), RED), finder, PLAIN, match=x["right"], others=[blue])
    result = swapper.swap(frame)
    assert result.swapped == 2
    assert [face.reference for face in result.faces] == [1, 0]
    assert tuple(result.image[100, 100]) == BLUE
    assert tuple(result.image[100, 300]) == RED


def test_the_rest_gets_the_reference_without_a_photo() -> None:
    frame = smooth_noise(200, 600)
    faces = [face_at(x, 100, 60) for x in (100, 300, 500)]
    finder = KnownFaces(*faces)
    special = Reference(Paint(Geometry(64, 1.5), BLUE), finder.embed(frame, faces[1].landmarks))
    image = Swapper(Paint(Geometry(64, 1.5), RED), finder, PLAIN, others=[special]).swap(frame).image
    assert [tuple(image[100, x]) for x in (100, 300, 500)] == [RED, BLUE, RED]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"min_face": 80}, "too small"), ({"min_score": 2}, "uncertain"), ({"max_yaw": 20}, "too turned")],
)
def test_faces_are_left_alone_for_a_reason(changes: dict[str, float], reason: str) -> None:
    frame = smooth_noise(200, 200)
    face = face_at(100, 100, 60)
    # turned: the far half of the face is narrower
    turned = face.landmarks.copy()
    turned[:, 0] = np.where(turned[:, 0] > 100, 100 + 0.35 * (turned[:, 0] - 100), turned[:, 0])
    if reason == "too turned":
        face = type(face)(face.box, turned, face.score)
    options = SwapOptions.model_validate({**PLAIN.model_dump(), **changes})
    result = Swapper(NETWORK, KnownFaces(face), options).swap(frame)
    assert [f.skipped for f in result.faces] == [reason]
    assert (result.image == frame).all()
    lax = Swapper(NETWORK, KnownFaces(face), PLAIN.model_copy(update={"max_yaw": 90.0})).swap(frame)
    assert lax.swapped == 1
