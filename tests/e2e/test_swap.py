"""The swap command with its options, several references and the sheet."""

from pathlib import Path

import numpy as np

from faceswap import registry
from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import VideoReader, probe
from faceswap.provenance.metadata import read_provenance
from tests.e2e.conftest import Done, faceswap


def first_frames(demo: Done) -> dict[str, np.ndarray]:
    frames = {}
    for name in sorted({row.version.identity for row in registry.versions()}):
        with VideoReader(demo.out / "people" / f"{name}.mp4") as reader:
            frames[name] = next(reader.frames()).image
    return frames


def test_two_people_of_a_picture_get_each_others_faces(demo: Done, tmp_path: Path) -> None:
    frames = first_frames(demo)
    (a, of_a), (b, of_b) = frames.items()
    for name, frame in frames.items():
        write_image(tmp_path / f"{name}.png", frame)
    both = np.hstack([of_a, of_b])
    write_image(tmp_path / "both.png", both)
    out = tmp_path / "out.png"
    words = ("--reference", f"{b}:{tmp_path / a}.png", "--reference", f"{a}:{tmp_path / b}.png")
    printed = faceswap(
        demo.home, "swap", str(tmp_path / "both.png"), *words, "--out", str(out), "--protect", "eyes"
    )
    assert "pictures_faces: 2" in printed
    left, right = np.hsplit(np.abs(read_image(out).astype(int) - both).max(-1) > 15, 2)
    assert min(left.sum(), right.sum()) > 500
    origin = read_provenance(out)
    assert origin is not None
    assert origin.reference == f"{b} + {a}"
    assert origin.options["protect"] == ["eyes"]


def test_a_video_with_options_and_a_sheet(demo: Done, tmp_path: Path) -> None:
    name, other = first_frames(demo)
    target = str(demo.out / "people" / f"{other}.mp4")
    out = tmp_path / "out.mp4"
    words = ("--mask", "ellipse", "--colour", "skin", "--texture", "0.5", "--feather", "0.2", "--end", "0.6")
    printed = faceswap(demo.home, "swap", target, "--reference", name, "--out", str(out), *words)
    assert "frames_swapped: 15" in printed
    assert probe(out).frames == 15
    origin = read_provenance(out)
    assert origin is not None
    chosen = {key: origin.options[key] for key in ("mask", "colour", "texture", "feather")}
    assert chosen == {"mask": "ellipse", "colour": "skin", "texture": 0.5, "feather": 0.2}
    sheet = tmp_path / "sheet.png"
    faceswap(demo.home, "swap", target, "--reference", name, "--out", str(sheet), "--sheet")
    assert read_image(sheet).shape[0] > 5 * 200
    assert read_provenance(sheet) is not None


def test_a_wrong_option_is_told_in_words(demo: Done, tmp_path: Path) -> None:
    words = ("--reference", "ada", "--out", str(tmp_path / "o.png"), "--mask", "faceHull")
    assert "extended_hull" in faceswap(demo.home, "swap", "x.png", *words, fails=True)
