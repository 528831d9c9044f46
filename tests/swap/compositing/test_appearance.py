"""The target's light on a video: seldom measured while it is steady, at once when it changes."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap.faces.crispness import Crispness, detail_of
from faceswap.faces.geometry import Geometry
from faceswap.swap.compositing.appearance import Appearance, apply_appearance, measure_appearance
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.options import SwapOptions
from faceswap.synthetic import CAST, random_scene, render
from tests.swap.fakes import face_points, smooth_noise

SIZE = 96
GENERATED = smooth_noise(SIZE, SIZE).astype(np.float32) / 255
FACE = face_points((SIZE - 1) / 2, (SIZE - 1) / 2, SIZE / 1.5)
UNSEEN = np.zeros((1, 1, 3), np.uint8)
"""A frame that is not looked at, since no focus is matched."""
OPTIONS = SwapOptions(colour="skin", sharpen=0, match_blur=False, colour_memory=0.4)


def generated(target: NDArray[np.uint8], picture: NDArray[np.float32], scale: float = 1.0) -> GeneratedFace:
    """A face whose crop shows the frame enlarged by a factor."""
    crop = FaceCrop(FACE / scale, Geometry(SIZE, 1.5), scale * np.eye(2, 3), (SIZE, SIZE))
    return GeneratedFace(crop, target, picture)


def darker(picture: NDArray[np.float32], gain: float) -> GeneratedFace:
    """A face whose target is the generated picture, darker by a factor."""
    return generated(np.rint(picture * (255 * gain)).astype(np.uint8), picture)


def measure(
    gain: float, before: Appearance | None, time: float, options: SwapOptions = OPTIONS
) -> Appearance:
    return measure_appearance(darker(GENERATED, gain), UNSEEN, None, options, Crispness(1.0), before, time)


def brightness(appearance: Appearance) -> float:
    return float(apply_appearance(darker(GENERATED, 1.0), appearance, OPTIONS).mean())


def test_steady_light_is_measured_ten_times_a_second() -> None:
    first = measure(0.8, None, 0.0)
    assert measure(0.8, first, 0.04) is first
    assert measure(0.802, first, 0.08) is first
    assert measure(0.8, first, 0.12) is not first
    assert measure(0.8, first, -1.0) is not first  # another place of the video


def test_where_nothing_is_to_be_remembered_each_frame_is_measured() -> None:
    options = OPTIONS.model_copy(update={"colour_memory": 0.0})
    first = measure(0.8, None, 0.0, options)
    assert measure(0.8, first, 0.04, options) is not first


def test_new_light_is_followed_at_once_and_smoothly() -> None:
    first = measure(0.80, None, 0.0)
    dimmed, alone = measure(0.76, first, 0.04), measure(0.76, None, 0.0)
    share = 1 - np.exp(-0.04 / 0.4)
    expected = brightness(first) + share * (brightness(alone) - brightness(first))
    assert brightness(dimmed) == pytest.approx(expected, abs=0.002)
    dark = measure(0.4, first, 0.04)  # a lamp goes out: no smoothing
    assert brightness(dark) == pytest.approx(brightness(measure(0.4, None, 0.0)))


def test_what_is_out_of_focus_stays_so_between_two_measurements() -> None:
    options = SwapOptions(colour="none", sharpen=0)
    found = render(CAST[0], random_scene(np.random.default_rng(5), max_yaw=10, max_pitch=5), 512)
    marks, geometry = found.landmarks.astype(np.float64), Geometry(SIZE, 1.5)
    frame = cv2.GaussianBlur(found.image, (0, 0), 8.0)
    crop = FaceCrop.of(marks, geometry, frame)
    face = GeneratedFace(crop, crop.cut(frame), crop.cut(found.image).astype(np.float32) / 255)
    first = measure_appearance(face, frame, None, options, Crispness(1.0), None, 0.0)
    assert first.blur > 1
    assert measure_appearance(face, frame, None, options, Crispness(1.0), first, 0.04).blur == first.blur
    assert measure_appearance(face, found.image, None, options, Crispness(1.0)).blur == 0


PORES = cv2.GaussianBlur(
    np.random.default_rng(0).normal(0.5, 0.15, (SIZE, SIZE)).astype(np.float32), (0, 0), 1.0
)
GENTLE = np.repeat(PORES[..., None], 3, 2)
WANTED = 1.6 * detail_of(GENTLE)


def sharpened(
    gain: float,
    options: SwapOptions,
    before: Appearance | None = None,
    time: float = 0.0,
    wanted: float = WANTED,
) -> Appearance:
    return measure_appearance(
        darker(GENTLE, gain), UNSEEN, None, options, Crispness(1.0, wanted), before, time
    )


@pytest.mark.parametrize("gain", [0.85, 1.0, 1.1])
def test_a_generated_picture_is_as_crisp_in_any_light(gain: float) -> None:
    options = SwapOptions(colour="skin", match_blur=False, sharpen=1)
    appearance = sharpened(gain, options)
    assert 0 < appearance.unsharp < 1.6
    assert detail_of(apply_appearance(darker(GENTLE, 1.0), appearance, options)) == pytest.approx(
        WANTED, rel=0.05
    )


def test_sharpening_goes_with_what_the_user_asks_for() -> None:
    all_of_it = SwapOptions(match_blur=False, sharpen=1)
    none, half = (SwapOptions(match_blur=False, sharpen=share) for share in (0.0, 0.5))
    needed = sharpened(1.0, all_of_it)
    assert sharpened(1.0, half).unsharp == needed.unsharp
    details = [
        detail_of(apply_appearance(darker(GENTLE, 1.0), needed, options))
        for options in (none, half, all_of_it)
    ]
    assert details[0] < details[1] < details[2]


def test_sharpening_changes_calmly_on_a_video() -> None:
    options = SwapOptions(colour="skin", match_blur=False, colour_memory=0.0)
    first, alone = sharpened(1.0, options), sharpened(1.0, options, wanted=0.8 * WANTED)
    assert first.unsharp > alone.unsharp + 0.1
    share = 1 - np.exp(-0.04 / 0.4)
    expected = first.unsharp + share * (alone.unsharp - first.unsharp)
    later = sharpened(0.85, options, first, 0.04, 0.8 * WANTED)  # another light: measured anew
    assert later.unsharp == pytest.approx(expected, abs=0.01)
