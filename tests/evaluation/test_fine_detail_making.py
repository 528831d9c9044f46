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
from faceswap.faces.geometry import Geometry
from faceswap.synthetic import CAST, Person, person, random_scene, render
from tests.swap.fakes import Echo

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


def test_small_photos_are_not_enlarged(faces: Any) -> None:
    small = Stored(2, Geometry(150, 2.3))
    detail = fine_detail_of(Smooth(), small)  # type: ignore[arg-type]
    assert detail is not None
    assert detail.missing.shape[1] == round(150 / 2.3 * 2.0)


def test_photos_out_of_focus_are_left_out_and_different_ones_kept(
    faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    def left_half(crops: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> NDArray[np.float32]:
        seen = np.zeros(crops.shape[:3], np.float32)
        seen[:, :, : crops.shape[2] // 2] = 1
        return seen

    monkeypatch.setattr(fine_detail_making, "seen_in_crops", left_half)
    detail = fine_detail_of(Smooth(), faces)
    assert detail is not None
    assert not detail.missing[:, :, 143:].any()
    assert detail.missing[:, 80:180, 65:110].std() > 1


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


def test_no_face_no_detail() -> None:
    assert fine_detail_of(Smooth(), Stored(0)) is None  # type: ignore[arg-type]
