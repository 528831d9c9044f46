"""The contract on real footage, with the real detector."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from faceswap.faces.crispness import Crispness
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.geometry import Geometry
from faceswap.faces.regions import Region
from faceswap.media.images import read_image
from faceswap.media.video.reading import VideoReader
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.masks.face_mask import face_mask
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import swap_video
from tests.swap.fakes import Echo

PLAIN = SwapOptions(label=False, sharpen=0, hairline=0)  # glasses reach beyond the mask of a face


@pytest.mark.parametrize("person", ["person-a", "person-b", "person-c"])
def test_a_network_that_returns_its_input_gives_the_frame_back(real_faces: Path, person: str) -> None:
    with VideoReader(real_faces / f"{person}.mp4") as reader:
        frame = next(iter(reader.frames())).image
    network = Echo(Geometry(256, 1.5))
    network.crispness = Crispness(0.0)  # its pictures are the photo
    swapper = Swapper(network, FaceFinder(), PLAIN)
    result = swapper.swap(frame)
    assert result.swapped == 1
    face = result.faces[0]
    assert face.matrix is not None
    crop = FaceCrop(face.face.landmarks, swapper.network.geometry, face.matrix, (512, 512))
    mask = face_mask(Region(0, 0, 512, 512), crop, PLAIN)
    error = np.abs(result.image.astype(int) - frame).mean(-1)
    assert error[mask > 0].mean() < 2
    assert error[mask == 0].max() == 0


def test_both_faces_of_a_picture_are_swapped(real_faces: Path) -> None:
    picture = read_image(real_faces / "two-people.jpg")
    network = Echo(Geometry(64, 1.5))
    result = Swapper(network, FaceFinder(), PLAIN).swap(picture)
    assert result.swapped == 2
    assert [len(crops) for crops in network.calls] == [2]


def test_a_real_video_is_swapped_in_every_frame_with_its_sound(real_faces: Path, tmp_path: Path) -> None:
    swapper = Swapper(Echo(Geometry(128, 1.5)), FaceFinder(), SwapOptions(sharpen=0))
    report = swap_video(real_faces / "person-b.mp4", tmp_path / "out.mp4", swapper, None, end=1.0)
    assert (report.frames, report.swapped) == (25, 25)
    with VideoReader(real_faces / "person-b.mp4") as old, VideoReader(tmp_path / "out.mp4") as new:
        assert new.info.has_audio
        for a, b in islice(zip(old.frames(), new.frames(), strict=False), 0, 25, 8):
            assert np.abs(a.image.astype(int) - b.image)[:400].mean() < 3
