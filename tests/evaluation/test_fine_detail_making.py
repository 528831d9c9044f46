"""What photos show beyond a network's pictures, of a network whose pictures are known."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.evaluation import fine_detail_making
from faceswap.evaluation.fine_detail_making import fine_detail_of
from faceswap.faces.fine_detail import STEP, coarse_part, level_of
from faceswap.faces.geometry import Geometry, apply
from faceswap.swap.masks.visibility import Segments, Visibility
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.synthetic import CAST, Person, person, random_scene, render
from tests.swap.fakes import Echo, KnownFaces, face_at

NETWORK = Geometry(96, 2.0)
STORED = Geometry(288, 2.3)


class Stored:
    """Rendered pictures as a face set whose crops are cut out of the frame with a margin."""

    def __init__(self, count: int, geometry: Geometry = STORED, who: Person = CAST[1]) -> None:
        rng = np.random.default_rng(4)
        self.geometry = geometry
        found = [render(who, random_scene(rng, max_yaw=8, max_pitch=4), 512) for _ in range(count)]
        matrices = [geometry.matrix(one.landmarks) for one in found]
        self.pictures = [
            geometry.crop(one.image, matrix) for one, matrix in zip(found, matrices, strict=True)
        ]
        self.points = np.array(
            [one.landmarks @ m[:, :2].T + m[:, 2] for one, m in zip(found, matrices, strict=True)]
        )

    def images(self, split: str, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        return np.stack(self.pictures)[rows]

    def landmarks(self, split: str) -> NDArray[np.float64]:
        return self.points


class Smooth(Echo):
    """Generates the face that it sees, smoothed."""

    def __init__(self, sigma: float = 1.5) -> None:
        super().__init__(NETWORK)
        self.sigma = sigma

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.stack([cv2.GaussianBlur(c, (0, 0), self.sigma) for c in crops]).astype(np.float32) / 255


def grey_of(picture: NDArray[np.uint8], geometry: Geometry, points: NDArray[np.float64]) -> Any:
    crop = geometry.crop(picture, geometry.matrix(points))
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255


@pytest.fixture(scope="module")
def faces() -> Any:
    return Stored(5)


def test_generated_and_missing_make_the_photo(faces: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The photo's own fine part, computed here from the picture, is what both together give."""
    monkeypatch.setattr(fine_detail_making, "TUNING", fine_detail_making.MakingTuning(crisp=0.0))
    detail = fine_detail_of(Smooth(), faces)
    assert detail is not None
    assert detail.generated.shape == (5, 96, 96)
    assert detail.missing.shape == (5, 250, 250), "as fine as the photos, at most three times the network"
    fine = NETWORK.at(250)
    inner = slice(80, 180)
    for picture, points in zip(faces.pictures, faces.points, strict=True):
        photo = grey_of(picture, fine, points)
        errors = []
        for made, missing in zip(detail.generated, detail.missing, strict=True):
            large = cv2.resize(made.astype(np.float32) / 255, (250, 250), interpolation=cv2.INTER_LANCZOS4)
            whole = large + missing.astype(np.float32) * STEP * level_of(large, fine.unit)
            off = photo - whole
            errors.append(np.abs(off - coarse_part(off, fine.unit))[inner, inner].mean())
            if errors[-1] == min(errors):
                soft = photo - large
                without = np.abs(soft - coarse_part(soft, fine.unit))[inner, inner].mean()
        assert min(errors) < 0.2 * without


def test_small_photos_are_not_enlarged() -> None:
    small = Stored(2, Geometry(150, 2.3))
    detail = fine_detail_of(Smooth(), small)  # type: ignore[arg-type]
    assert detail is not None
    assert detail.missing.shape[1] == round(150 / 2.3 * 2.0)


def test_photos_out_of_focus_are_left_out_and_different_ones_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    blurred = Stored(5)
    blurred.pictures[0] = cv2.GaussianBlur(blurred.pictures[0], (0, 0), 4)
    blurred.pictures[4], blurred.points[4] = blurred.pictures[3], blurred.points[3]  # the same twice
    monkeypatch.setattr(fine_detail_making, "TUNING", fine_detail_making.MakingTuning(kept=3, candidates=240))
    detail = fine_detail_of(Smooth(), blurred)  # type: ignore[arg-type]
    assert detail is not None
    assert len(detail.generated) == 3
    kept = {
        int(
            np.argmin(
                [
                    np.abs(grey_of(p, NETWORK, q) * 255 - one).mean()
                    for p, q in zip(blurred.pictures, blurred.points, strict=True)
                ]
            )
        )
        for one in detail.generated
    }
    assert len(kept) == 3
    assert 0 not in kept


def test_what_lies_over_a_face_is_left_out(monkeypatch: pytest.MonkeyPatch, faces: Any) -> None:
    original = Segments.visible

    def left_half(self: Segments, with_glasses: bool = False, worn: float | None = None) -> Visibility:
        visible = original(self, with_glasses, worn)
        middle = apply(visible.matrix, self.landmarks)[:, 0].mean()
        visible.share[:, round(middle) :] = 0
        return visible

    monkeypatch.setattr(Segments, "visible", left_half)
    detail = fine_detail_of(Smooth(), faces)
    assert detail is not None
    assert not detail.missing[:, :, 143:].any()
    assert detail.missing[:, 80:180, 65:110].std() > 1
    assert not detail.seen[:, :, 55:].any()
    assert detail.seen[:, 30:70, 25:42].mean() > 0.9


def test_glasses_are_known_where_the_network_generates_them() -> None:
    """The truth is the renderer's own person without them."""
    who = person("greta")
    bare = replace(who, styling=replace(who.styling, glasses="none"))
    detail, without = (fine_detail_of(Smooth(), Stored(2, who=one)) for one in (who, bare))  # type: ignore[arg-type]
    assert detail is not None
    assert without is not None
    assert not without.glasses.any()
    for worn, made, plain in zip(detail.glasses, detail.generated, without.generated, strict=True):
        rims = np.abs(made.astype(int) - plain) > 40
        assert rims.sum() > 50
        assert worn[rims].mean() > 0.7
        assert worn.mean() < 0.15


@pytest.mark.parametrize("roll", [0.0, 0.4])
def test_a_swap_gets_it_where_it_belongs(roll: float) -> None:
    """A network that smooths, and the photo itself as the target: its detail gives the photo back."""
    rng = np.random.default_rng(1)
    frame = cv2.GaussianBlur(rng.integers(60, 200, (700, 800, 3), np.uint8), (0, 0), 12)
    frame = np.clip((frame.astype(np.float32) - 130) * 6 + 130, 40, 215)
    pores = cv2.GaussianBlur(rng.normal(0, 1, (700, 800)).astype(np.float32), (0, 0), 1.5)
    frame = np.rint(frame * (1 + 0.12 * pores / pores.std())[..., None]).clip(0, 255).astype(np.uint8)
    face = face_at(460, 330, 150, roll)
    photo = Stored(0)
    matrix = STORED.matrix(face.landmarks)
    photo.pictures, photo.points = [STORED.crop(frame, matrix)], apply(matrix, face.landmarks)[None]
    network = Smooth()
    network.fine_detail = fine_detail_of(network, photo)  # type: ignore[arg-type]
    error = {}
    for amount in (0.0, 1.0):
        options = SwapOptions(
            detail=amount,
            label=False,
            watermark=False,
            sharpen=0,
            texture=0,
            match_blur=False,
            colour="none",
            outline="target",
            reshape=0,
            lips=0,
            lids=0,
            eyes=0,
            teeth=0,
        )
        swap = Swapper(network, KnownFaces(face), options).swap_face_masked(frame, face.landmarks)
        error[amount] = np.abs(swap.image.astype(float) - frame)[swap.mask > 0.99].mean()
    assert error[0.0] > 5
    assert error[1.0] < 0.5 * error[0.0]


def test_no_face_no_detail() -> None:
    assert fine_detail_of(Smooth(), Stored(0)) is None  # type: ignore[arg-type]
