"""What the app does with pictures."""

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faceswap.errors import (
    FaceError,
    MediaError,
    MediaTooLarge,
    NoFaceFound,
    SettingsError,
    UnreadableMedia,
)
from faceswap.media.images import read_image, write_image
from faceswap.provenance.metadata import read_provenance
from faceswap.settings import settings
from faceswap.swap.options import SwapOptions
from serving.guard.limits import Limits
from serving.work import Workshop
from tests.serving.fakes import MemoryRegistry, video, workshop
from tests.swap.fakes import KnownFaces, face_at, smooth_noise

Pixels = NDArray[np.uint8]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "target.png"
    write_image(path, smooth_noise(200, 320))
    return path


def changed(before: Path, after: Path, x: int, y: int) -> bool:
    where = np.s_[y - 5 : y + 5, x - 5 : x + 5]
    difference = read_image(before)[where].astype(float) - read_image(after)[where].astype(float)
    return bool(np.abs(difference).mean() > 10)


def test_a_picture_is_swapped_labelled_and_says_where_it_comes_from(shop: Workshop, picture: Path) -> None:
    swapped = shop.picture(picture, "ada")
    assert swapped.result.suffix == ".jpg"
    assert changed(picture, swapped.result, 80, 100)
    assert changed(picture, swapped.result, 230, 100)
    assert changed(picture, swapped.result, 20, 193), "the visible label"
    origin = read_provenance(swapped.result)
    assert origin is not None
    assert (origin.reference, origin.model, origin.version, origin.run_id) == (
        "ada",
        "face-ada",
        "1",
        "run-1",
    )
    assert origin.options["label"] is True


def test_a_swap_has_options_of_its_own_and_says_so(shop: Workshop, picture: Path) -> None:
    swapped = shop.picture(picture, "ada", options=SwapOptions(colour="none", mask="rect"))
    origin = read_provenance(swapped.result)
    assert origin is not None
    assert (origin.options["mask"], origin.options["colour"]) == ("rect", "none")
    plain = read_provenance(shop.picture(picture, "ada").result)
    assert plain is not None
    assert plain.options["mask"] == shop.options.mask
    with pytest.raises(FaceError, match="too small"):
        shop.picture(picture, "ada", options=SwapOptions(min_face=1000))


def test_only_the_chosen_face_is_swapped(shop: Workshop, picture: Path) -> None:
    swapped = shop.picture(picture, "ada", face=2, suffix="png")
    assert not changed(picture, swapped.result, 80, 100)
    assert changed(picture, swapped.result, 230, 100)
    assert len(swapped.faces) == 1


@pytest.mark.parametrize("face", [-1, 3])
def test_a_face_that_is_not_there(shop: Workshop, picture: Path, face: int) -> None:
    with pytest.raises(FaceError, match="2 were found"):
        shop.picture(picture, "ada", face=face)


def test_each_version_gives_its_own_face(shop: Workshop, picture: Path) -> None:
    one, two = (shop.picture(picture, "ada", choice, suffix="png") for choice in ("production", "2"))
    assert not np.array_equal(read_image(one.result), read_image(two.result))
    assert read_provenance(two.result).version == "2"  # type: ignore[union-attr]


def test_faces_are_found_once_per_file(shop: Workshop, picture: Path) -> None:
    shop.faces_of_picture(picture)
    shop.picture(picture, "ada")
    shop.picture(picture, "ada", "2")
    assert len(shop.finder.hints) == 1  # type: ignore[attr-defined]
    write_image(picture, smooth_noise(200, 320, seed=1))
    shop.picture(picture, "ada")
    assert len(shop.finder.hints) == 2, "a new file of the same name is looked at anew"  # type: ignore[attr-defined]


def test_portraits_show_the_faces(shop: Workshop, picture: Path) -> None:
    found = shop.faces_of_picture(picture)
    assert [p.shape for p in found.portraits(96)] == [(96, 96, 3)] * 2


def test_measures_of_an_unchanged_expression_are_zero(shop: Workshop, picture: Path) -> None:
    measured = shop.measure(shop.picture(picture, "ada"))
    assert measured.frames == 2
    assert measured.detected == 1
    assert measured.lip_gap_error == pytest.approx(0)
    assert measured.pose_error_degrees == pytest.approx(0)
    # the finder's embedding is the face's place: (x / 100, 0, …), and the reference's is 0
    assert measured.identity_distance == pytest.approx((0.8 + 2.3) / 2, abs=0.05)


def test_no_face_and_a_face_too_small_are_told(
    registry: MemoryRegistry, tmp_path: Path, picture: Path
) -> None:
    with pytest.raises(NoFaceFound, match=r"No face was found in target\.png"):
        workshop(registry, KnownFaces(), tmp_path / "a").picture(picture, "ada")
    with pytest.raises(FaceError, match=f"too small: below {SwapOptions().min_face} pixels"):
        workshop(registry, KnownFaces(face_at(80, 100, 12)), tmp_path / "b").picture(picture, "ada")


def test_what_can_not_be_used_is_refused_with_the_reason(shop: Workshop, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(b"\xff\xd8\xff\xe0 nothing")
    cut = tmp_path / "cut.png"
    write_image(tmp_path / "whole.png", smooth_noise(200, 320))
    cut.write_bytes((tmp_path / "whole.png").read_bytes()[:4000])
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.txt").write_text("hello")
    for path in (damaged, cut, tmp_path / "empty.png", tmp_path / "gone.png"):
        with pytest.raises(UnreadableMedia):
            shop.picture(path, "ada")
    for nothing in (None, tmp_path / "notes.txt"):
        with pytest.raises(MediaError):
            shop.picture(nothing, "ada")


def test_limits_name_the_setting(tmp_path: Path) -> None:
    wide = tmp_path / "wide.png"
    Image.new("RGB", (3000, 1000)).save(wide)
    with pytest.raises(MediaTooLarge, match="FACESWAP_APP_MAX_PIXELS"):
        Limits(10, 2_000_000, 5).check_picture(wide)
    heavy = tmp_path / "heavy.png"
    write_image(heavy, np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8))
    with pytest.raises(MediaTooLarge, match="FACESWAP_APP_MAX_MB"):
        Limits(1, 2_000_000, 5).check_picture(heavy)
    assert Limits(10, 2_000_000, 5).check_picture(heavy) == heavy


def test_it_says_what_it_does(shop: Workshop, picture: Path) -> None:
    shop.catalogue.refresh()
    told: list[str] = []
    shop.picture(picture, "ada", tell=told.append)
    assert told == ["looking for faces", "loading ada/1, which is new here: some seconds", "swapping"]
    shop.picture(picture, "ada", tell=told.append)
    assert told[4] == "taking ada/1", "it is loaded by now"


def test_many_users_at_once(shop: Workshop, tmp_path: Path) -> None:
    targets = []
    for number in range(8):
        targets.append(tmp_path / f"{number}.png")
        write_image(targets[-1], smooth_noise(200, 320, seed=number))
    alone = {t: read_image(shop.picture(t, "ada", suffix="png").result) for t in targets}
    made: dict[Path, np.ndarray] = {}

    def user(target: Path) -> None:
        made[target] = read_image(shop.picture(target, "ada", suffix="png").result)

    threads = [threading.Thread(target=user, args=(t,)) for t in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(alone[t], made[t]) for t in targets)


def test_where_a_team_asks_for_it_nothing_is_shown_without_a_name_of_who_allows_it(
    shop: Workshop, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACESWAP_REQUIRE_TARGET_CONSENT", "true")
    settings.cache_clear()
    clip, frame = video(tmp_path / "clip.mp4", 10), smooth_noise(200, 320)
    for use in (
        lambda by: shop.picture(picture, "ada", target_consent=by).result,
        lambda by: shop.video(clip, "ada", target_consent=by).result,
        lambda by: shop.preview(clip, "ada", target_consent=by)[1],
        lambda by: shop.live(frame, "ada", target_consent=by)[0],
    ):
        with pytest.raises(SettingsError, match="Nobody is named"):
            use(" ")
        made = use("Mia, by mail")
        if isinstance(made, bytes):
            made = tmp_path / "live.jpg"
            made.write_bytes(use("Mia, by mail"))  # type: ignore[arg-type]
        assert read_provenance(made).target_consent == "Mia, by mail"  # type: ignore[union-attr]
