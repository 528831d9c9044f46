import os
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faceswap.errors import FaceError, MediaError, MediaTooLarge, NoFaceFound, UnreadableMedia
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import VideoWriter, probe
from faceswap.provenance.metadata import read_provenance
from faceswap.swap.options import SwapOptions
from serving.guard.limits import Limits
from serving.work import Workshop
from tests.serving.fakes import MemoryRegistry, listed, workshop
from tests.swap.fakes import KnownFaces, face_at, smooth_noise

Pixels = NDArray[np.uint8]
RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture
def registry() -> MemoryRegistry:
    rows = MemoryRegistry(listed("ada", 2, "challenger"), listed("ada", 1, "production"))
    rows.colours = {rows.rows[1].version: RED, rows.rows[0].version: BLUE}
    return rows


@pytest.fixture
def shop(registry: MemoryRegistry, tmp_path: Path) -> Workshop:
    finder = KnownFaces(face_at(80, 100, 90), face_at(230, 100, 60))
    return workshop(registry, finder, tmp_path / "out")


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


def video(path: Path, frames: int = 30) -> Path:
    with VideoWriter(path, width=320, height=200, fps=10) as writer:
        for number in range(frames):
            writer.write(smooth_noise(200, 320, seed=number // 10))
    return path


def test_a_video_within_the_limit_is_swapped_and_a_longer_one_refused(
    shop: Workshop, registry: MemoryRegistry, tmp_path: Path
) -> None:
    target = video(tmp_path / "clip.mp4")
    told: list[int] = []
    swapped = shop.video(target, "ada", progress=lambda done, *_: told.append(done))
    assert told[-1] == 30
    assert probe(swapped.result).frames == 30
    assert read_provenance(swapped.result).version == "1"  # type: ignore[union-attr]
    assert shop.measure(swapped).frames == 5
    assert shop.still(swapped.result).shape == (200, 320, 3)
    short = workshop(registry, shop.finder, tmp_path / "short", Limits(10, 2_000_000, 2.0))
    with pytest.raises(MediaTooLarge, match=r"3 s long.*FACESWAP_APP_MAX_SECONDS|3 s long"):
        short.video(target, "ada")


def test_one_person_of_a_video(shop: Workshop, tmp_path: Path) -> None:
    target = video(tmp_path / "clip.mp4", 10)
    swapped = shop.video(target, "ada", face=2)
    assert swapped.match is not None
    before, after = shop.still(target), shop.still(swapped.result)
    moved = np.abs(before.astype(float) - after.astype(float)).mean(2)
    assert moved[95:105, 225:235].mean() > 20 > moved[95:105, 75:85].mean()


def test_a_video_has_options_of_its_own_which_its_preview_shows(shop: Workshop, tmp_path: Path) -> None:
    target = video(tmp_path / "clip.mp4", 10)
    options = SwapOptions(mask="rect", colour="none", max_faces=1)
    before, plain = shop.preview(target, "ada")
    same, after = shop.preview(target, "ada", options=options)
    assert np.array_equal(before, same)

    def moved(image: Pixels, x: int) -> float:
        where = np.s_[95:105, x - 5 : x + 5]
        return float(np.abs(image[where].astype(float) - before[where].astype(float)).mean())

    assert min(moved(plain, 80), moved(plain, 230), moved(after, 80)) > 10
    assert moved(after, 230) < 3, "the second face is one too many: but for the mark nothing changes"
    assert moved(plain, 20) < 3
    assert not np.array_equal(after[185:, :60], before[185:, :60]), "the visible label"
    swapped = shop.video(target, "ada", options=options)
    origin = read_provenance(swapped.result)
    assert origin is not None
    assert (origin.options["mask"], origin.options["max_faces"]) == ("rect", 1)
    assert swapped.options == options
    with pytest.raises(FaceError, match="too small"):
        shop.preview(target, "ada", options=SwapOptions(min_face=1000))


def test_a_frame_is_found_once_per_video(shop: Workshop, tmp_path: Path) -> None:
    target = video(tmp_path / "clip.mp4", 10)
    finder = shop.finder
    assert isinstance(finder, KnownFaces)
    shop.preview(target, "ada")
    looks = len(finder.hints)
    shop.preview(target, "ada", options=SwapOptions(mask="rect"))
    assert len(finder.hints) == looks
    os.utime(target, (1, 1))  # another file of the same name
    shop.preview(target, "ada")
    assert len(finder.hints) > looks


def test_a_video_that_was_stopped_or_failed_leaves_nothing(
    shop: Workshop, registry: MemoryRegistry, tmp_path: Path
) -> None:
    target = video(tmp_path / "clip.mp4")
    asked = iter([False] * 10 + [True])
    swapped = shop.video(target, "ada", cancelled=lambda: next(asked))
    assert swapped.video is not None
    assert swapped.video.cancelled
    assert swapped.video.swapped == 11, "there was something to keep"
    blind = workshop(registry, KnownFaces(), tmp_path / "out")
    with pytest.raises(NoFaceFound):
        blind.video(target, "ada")
    assert list((tmp_path / "out").iterdir()) == []


def test_no_face_in_a_video_is_told_truly(registry: MemoryRegistry, tmp_path: Path) -> None:
    with pytest.raises(NoFaceFound, match=r"in the frames of clip\.mp4 that were looked at"):
        workshop(registry, KnownFaces(), tmp_path / "a").faces_of_video(video(tmp_path / "clip.mp4", 3))


def test_the_faces_of_a_chosen_frame(registry: MemoryRegistry, tmp_path: Path) -> None:
    target = video(tmp_path / "clip.mp4", 30)

    class Late(KnownFaces):
        """Sees the second face in the third second only."""

        def find(
            self, frame: Pixels, hint: Box | None = None, effort: SearchEffort = "until_found"
        ) -> list[Face]:
            late = np.abs(frame.astype(float) - smooth_noise(200, 320, seed=2)).mean() < 10
            return super().find(frame)[: 2 if late else 1]

    shop = workshop(registry, Late(face_at(80, 100, 90), face_at(230, 100, 60)), tmp_path / "out")
    early, late = shop.faces_of_video(target, 0.0), shop.faces_of_video(target, 2.5)
    assert (early.second, len(early.faces)) == (0.0, 1)
    assert (late.second, len(late.faces)) == (2.5, 2)
    assert shop.faces_of_video(target, 2.5) is late, "found once"
    before, _ = shop.preview(target, "ada", second=2.5)
    assert np.array_equal(before, late.image)
    with pytest.raises(FaceError, match="There is no face 2: 1 were found"):
        shop.preview(target, "ada", face=2, second=0.0)
    assert shop.seconds_of(target) == pytest.approx(3, abs=0.1)
    with pytest.raises(NoFaceFound, match=r"clip\.mp4 at 1\.0 s"):
        workshop(registry, KnownFaces(), tmp_path / "a").faces_of_video(target, 1.0)


def test_it_says_what_it_does(shop: Workshop, picture: Path) -> None:
    shop.catalogue.refresh()
    told: list[str] = []
    shop.picture(picture, "ada", tell=told.append)
    assert told == ["looking for faces", "loading ada/1, which is new here: some seconds", "swapping"]
    shop.picture(picture, "ada", tell=told.append)
    assert told[4] == "taking ada/1", "it is loaded by now"


def test_a_still_of_a_video_that_ends_early_is_its_first_frame(shop: Workshop, tmp_path: Path) -> None:
    whole, cut, header = (tmp_path / name for name in ("whole.mp4", "cut.mp4", "header.mp4"))
    with VideoWriter(whole, width=320, height=200, fps=10) as writer:
        for number in range(60):
            writer.write(smooth_noise(200, 320, seed=number))
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 5])
    assert probe(cut).duration == pytest.approx(6, abs=0.1), "so says its header"
    assert np.abs(shop.still(cut).astype(float) - smooth_noise(200, 320)).mean() < 10
    assert np.abs(shop.still(whole).astype(float) - smooth_noise(200, 320, seed=20)).mean() < 10
    header.write_bytes(whole.read_bytes()[:3000])
    with pytest.raises(UnreadableMedia, match=r"header\.mp4"):
        shop.still(header)


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
