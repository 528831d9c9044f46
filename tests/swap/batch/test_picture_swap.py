"""Pictures with more than pixels, from file to file, and what the report says of them."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faceswap.errors import MediaError
from faceswap.media.images import read_image, write_image
from faceswap.media.pictures import read_picture
from faceswap.provenance.label import covered
from faceswap.provenance.metadata import read_provenance
from faceswap.swap.batch.media_swap import swap_media
from faceswap.swap.batch.output_paths import plan
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.swap.batch.test_media_swap import MADE, SWAPPER
from tests.swap.fakes import smooth_noise


def test_an_animation_and_pages_are_swapped_one_by_one(tmp_path: Path) -> None:
    frames = [Image.fromarray(smooth_noise(160, 160, seed=seed)) for seed in range(3)]
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.gif", "b.tif"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:], duration=100)
    report = swap_media(folder, tmp_path / "out", SWAPPER, MADE)
    assert [path.name for path in report.written] == ["a.webp", "b.tif"]
    assert [item.faces for item in report.items] == [3, 3]
    for item in report.items:
        path = item.out
        assert path is not None
        stills = read_picture(path).stills
        assert len(stills) == 3
        assert all(np.abs(still.image[80, 80].astype(int) - (255, 0, 0)).max() < 30 for still in stills)
        assert read_provenance(path) == MADE.about_target(item.source)
    assert report.remarks == []


def test_the_label_is_seen_where_all_is_transparent(tmp_path: Path) -> None:
    clear = np.dstack([smooth_noise(160, 160), np.zeros((160, 160), np.uint8)])
    clear[40:120, 40:120, 3] = 255
    Image.fromarray(clear).save(tmp_path / "a.png")
    labelled = Swapper(SWAPPER.network, SWAPPER.finder, SwapOptions(colour="none", sharpen=0))
    assert swap_media(tmp_path / "a.png", tmp_path / "r.png", labelled, MADE).remarks == []
    with Image.open(tmp_path / "r.png") as image:
        alpha = np.array(image)[..., 3]
    plate = covered(160, 160, labelled.options.label_text)
    assert (alpha[plate] == 255).all()
    assert alpha[:30].max() == 0


def test_what_could_not_be_kept_and_what_was_passed_over_stand_in_the_report(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_image(folder / "a.png", smooth_noise(160, 160))
    Image.fromarray(smooth_noise(160, 160)).convert("CMYK").save(folder / "print.jpg")
    (folder / "notes.txt").touch()
    report = swap_media(folder, tmp_path / "out", SWAPPER, MADE)
    assert (report.numbers()["written"], report.numbers()["passed_over"]) == (2, 1)
    assert any("print.jpg" in remark and "CMYK" in remark for remark in report.remarks)
    assert "passed over: other files (.txt): 1" in report.remarks


def test_names_that_are_no_utf8_are_swapped(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_image(folder / "a.png", smooth_noise(160, 160))
    for name in (b"caf\xe9.png", b"bad\xe9.png"):
        shutil.copy(folder / "a.png", os.fsencode(folder) + b"/" + name)
    (folder / os.fsdecode(b"bad\xe9.png")).write_bytes(b"no picture")
    report = swap_media(folder, tmp_path / "out", SWAPPER, MADE)
    assert sorted(path.name for path in report.written) == ["a.png", "caf%E9.png"]
    assert "bad%E9.png" in (report.skipped[0].reason or "")
    for remark in (*report.remarks, report.skipped[0].reason or ""):
        remark.encode()


def test_names_near_the_limit_work_or_are_refused_before_any_work(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in ("n" * 251 + ".png", "n" * 251 + ".bmp", "ü" * 125 + ".heic"):
        folder.mkdir(exist_ok=True)
        (folder / name).touch()
    for name in ("v" * 251 + ".avi", "w" * 251 + ".mp4"):
        (folder / name).touch()
    places = [place for _, place in plan(folder, tmp_path / "out")]
    assert len(set(places)) == 5
    for place in places:
        beside = 8 if place.suffix == ".mp4" else 0
        assert len(os.fsencode(place.name)) + beside <= 255
    with pytest.raises(MediaError, match="300 bytes, 255 fit"):
        plan(folder / ("n" * 251 + ".png"), tmp_path / ("x" * 296 + ".png"))
    with pytest.raises(MediaError, match="255 bytes, 247 fit"):
        plan(folder / ("w" * 251 + ".mp4"), tmp_path / ("x" * 251 + ".mp4"))


def test_a_cut_jpeg_is_swapped_with_a_remark(tmp_path: Path) -> None:
    Image.fromarray(smooth_noise(160, 160)).save(tmp_path / "a.jpg", quality=95)
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[:-200])
    report = swap_media(tmp_path / "a.jpg", tmp_path / "r.jpg", SWAPPER, MADE)
    assert "the end of the file is missing" in report.remarks[0]
    assert np.abs(read_image(tmp_path / "r.jpg")[80, 80].astype(int) - (255, 0, 0)).max() < 10
