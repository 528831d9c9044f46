"""What the app does with videos."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.errors import (
    FaceError,
    MediaTooLarge,
    NoFaceFound,
    UnreadableMedia,
)
from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.jobs.verify_job import verify_file
from faceswap.media.images import read_image
from faceswap.media.video.reading import VideoWriter, probe
from faceswap.provenance.metadata import read_provenance
from faceswap.provenance.verify import Finding
from faceswap.swap.options import SwapOptions
from serving.guard.limits import Limits
from serving.work import Workshop
from tests.serving.fakes import MemoryRegistry, video, workshop
from tests.swap.fakes import KnownFaces, face_at, smooth_noise

Pixels = NDArray[np.uint8]


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
    before, after = shop.stills(swapped)
    assert before.shape == read_image(after).shape == (200, 320, 3)
    assert verify_file(after).finding is Finding.SIGNED
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
    before, file = shop.preview(target, "ada")
    assert verify_file(file).finding is Finding.SIGNED
    plain = read_image(file)
    same, file = shop.preview(target, "ada", options=options)
    after = read_image(file)
    assert np.array_equal(before, same)

    def moved(image: Pixels, x: int) -> float:
        where = np.s_[95:105, x - 5 : x + 5]
        return float(np.abs(image[where].astype(float) - before[where].astype(float)).mean())

    assert min(moved(plain, 80), moved(plain, 230), moved(after, 80)) > 10
    assert moved(after, 230) < 6, "the second face is one too many: but for the mark and JPEG nothing changes"
    assert moved(plain, 20) < 6
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
