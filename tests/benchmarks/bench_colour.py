"""How near colours, light and border of a swap come to the truth, on fictional people in different lights.

``python -m tests.benchmarks.bench_colour [--lights NAME …] [--pairs N] [--sheet FILE]``: for ordered pairs of the cast,
a network's perfect output is the reference rendered in its own, even light with the target's pose and expression. It is
composited with each colour transfer and each way of blending. Two truths are known: the reference in the target's light
(the true swap), and the same with the target's skin tone, which is what a swap can look like beside the target's neck
and ears. Printed are means over pairs and lights: CIEDE2000 to the latter on the skin and on a band inside of the
mask's border, SSIM to it, CIEDE2000 in the eyes, CIEDE2000 on the skin to the true swap, seam, milliseconds.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.evaluation.colour_difference import ciede2000, lab_of
from faceswap.evaluation.metrics import ssim
from faceswap.evaluation.rendering.sheets import Tile, sheet
from faceswap.evaluation.seam import seam
from faceswap.faces.geometry import apply, compose, invert
from faceswap.faces.landmarks import EYES, OUTER_LIPS
from faceswap.faces.regions import convex
from faceswap.media.images import write_image
from faceswap.model.presets import preset
from faceswap.swap.compositing.composite import composite
from faceswap.swap.face_crop import FaceCrop
from faceswap.swap.generated_face import GeneratedFace
from faceswap.swap.options import SwapOptions
from faceswap.synthetic import CAST, Background, Expression, Light, Person, Pose, Scene, render
from faceswap.synthetic.scene import lamp_direction

Image = NDArray[np.uint8]

SIZE = 256
"""Of the frames, px."""
OWN = Light()
"""Of all references."""
LIGHTS = {
    "even": (Light(lamp_direction(0, 10), 0.9, 0.65), Pose(5, 0, 0), Expression(open=0.2, smile=0.4)),
    "left": (Light(lamp_direction(-70, 15), 1.3, 0.25), Pose(-8, 3, 4), Expression()),
    "right": (
        Light(lamp_direction(75, 30), 1.4, 0.2, (1, 0.95, 0.9)),
        Pose(15, -3, -6),
        Expression(open=0.5, smile=0.6),
    ),
    "warm": (
        Light(lamp_direction(-20, 30), 1.1, 0.45, (1, 0.8, 0.55)),
        Pose(-18, 0, 0),
        Expression(smile=0.8),
    ),
    "dim": (Light(lamp_direction(30, 20), 0.35, 0.2, (0.95, 1, 1)), Pose(0, 5, 0), Expression(open=0.3)),
    "cool": (
        Light(lamp_direction(0, 70), 1.0, 0.35, (0.85, 0.95, 1.1)),
        Pose(8, 4, 3),
        Expression(smile=0.5),
    ),
}
"""Name -> the target's light, pose and expression."""
PLAIN = SwapOptions(sharpen=0, match_blur=False, texture=0, reshape=0)
"""Colours and border only."""


@dataclass(frozen=True)
class Case:
    """A face to composite, and what is true of the result (in the frame, laid on by the same mask)."""

    light: str
    target: Image
    face: GeneratedFace
    truth: Image
    in_targets_skin: Image
    mask: NDArray[np.float32]


def main() -> None:
    """Print a line for each way to composite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lights", nargs="+", choices=tuple(LIGHTS), default=tuple(LIGHTS))
    parser.add_argument("--pairs", type=int, default=30, help="so many, evenly spaced")
    parser.add_argument("--sheet", type=Path, help="picture of one case a light")
    options = parser.parse_args()
    everyone = list(permutations(CAST, 2))
    pairs = everyone[:: max(1, len(everyone) // options.pairs)]
    found = [case for light in options.lights for case in cases(pairs, light)]
    say = sys.stdout.write
    say(f"{'':18}dE skin dE border   SSIM dE eyes dE true   seam     ms   ({len(found)} cases)\n")
    rows: dict[str, list[Tile]] = {light: [] for light in options.lights}
    for name, way in WAYS.items():
        values = []
        for number, case in enumerate(found):
            start = time.perf_counter()
            result = way(case)
            taken = time.perf_counter() - start
            values.append([*measured(case, result), taken * 1e3])
            if number % len(pairs) == 0:
                rows[case.light] += [Tile(result, name)]
        say(f"{name:18}" + " ".join(f"{value:7.2f}" for value in np.nanmean(values, axis=0)) + "\n")
    if options.sheet:
        for case in found[:: len(pairs)]:
            ends = Tile(case.target, case.light), Tile(case.in_targets_skin, "truth in the target's skin")
            rows[case.light] = [*ends, *rows[case.light]]
        write_image(options.sheet, sheet(list(rows.values()), 200))


def cases(pairs: list[tuple[Person, Person]], light: str) -> Iterator[Case]:
    """One for each (reference, target)."""
    lamp, pose, expression = LIGHTS[light]
    scene = Scene(expression, pose, lamp, Background(seed=list(LIGHTS).index(light)))
    geometry = preset("lite").geometry
    for reference, other in pairs:
        frame = render(other, scene, SIZE)
        crop = FaceCrop.of(frame.landmarks.astype(np.float64), geometry, frame.image)
        pictures = [
            render(reference, replace(scene, light=OWN), SIZE),
            render(reference, scene, SIZE),
            render(_in_the_skin_of(reference, other), scene, SIZE),
        ]
        matrix = geometry.matrix(pictures[0].landmarks.astype(np.float64))
        crops = [geometry.crop(one.image, matrix).astype(np.float32) / 255 for one in pictures]
        landmarks = apply(compose(invert(crop.matrix), matrix), pictures[0].landmarks.astype(np.float64))
        # as soft as a network's
        soft = cv2.GaussianBlur(crops[0], (0, 0), 0.7)
        face = GeneratedFace(crop, crop.cut(frame.image), soft, landmarks)
        mask = np.zeros((SIZE, SIZE), np.float32)
        as_they_are = PLAIN.model_copy(update={"colour": "none"})
        truths = []
        for picture in crops[1:]:
            image = frame.image.copy()
            composite(image, replace(face, picture=picture), as_they_are, covered=mask)
            truths.append(image)
        yield Case(light, frame.image, face, *truths, mask)


def _in_the_skin_of(person: Person, other: Person) -> Person:
    """The same person with the skin tone of another one; the lips differ from it by the same factors."""
    own, skin = person.traits, other.traits.skin
    changed = replace(person, name=f"{person.name} in {other.name}'s skin")
    lips = np.clip(own.lips * (skin / own.skin), 0, 1).astype(np.float32)
    # a cached property
    changed.__dict__["traits"] = replace(own, skin=skin, lips=lips)
    return changed


def composited(colour: str) -> Callable[[Case], Image]:
    """The converter with a colour transfer."""
    options = SwapOptions.model_validate({**PLAIN.model_dump(), "colour": colour})

    def way(case: Case) -> Image:
        image = case.target.copy()
        composite(image, case.face, options)
        return image

    return way


def multi_band(case: Case) -> Image:
    """``light``, blended band by band: Burt & Adelson, "A multiresolution spline" (1983), four octaves."""
    over = _whole(case)
    bands = [_pyramid(picture) for picture in (over, case.target.astype(np.float32))]
    masks = [case.mask]
    for _ in bands[0][1:]:
        masks.append(cv2.pyrDown(masks[-1]))
    mixed = [m[..., None] * a + (1 - m[..., None]) * b for a, b, m in zip(*bands, masks, strict=True)]
    result = mixed[-1]
    for band in mixed[-2::-1]:
        result = cv2.pyrUp(result, dstsize=band.shape[1::-1]) + band
    return np.clip(np.rint(result), 0, 255).astype(np.uint8)


def membrane(case: Case) -> Image:
    """``light``, and what still differs on the border, where both show skin, spread inwards (a membrane's way)."""
    over, mask = _whole(case), case.mask
    band = ((mask > 0.02) & (mask < 0.9)).astype(np.float32)
    off = case.target.astype(np.float32) - over
    band *= (np.abs(off).max(axis=-1) < 40).astype(np.float32)  # hair on one side only
    total, weight = np.zeros_like(off), np.full(mask.shape, 1e-3, np.float32)
    for octave in range(5):
        near = cv2.GaussianBlur(band, (0, 0), 2.0 * 2**octave) / 8**octave
        total += cv2.GaussianBlur(off * band[..., None], (0, 0), 2.0 * 2**octave) / 8**octave
        weight += near
    over = over + total / weight[..., None]
    mixed = mask[..., None] * over + (1 - mask[..., None]) * case.target
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _whole(case: Case) -> NDArray[np.float32]:
    """The frame with the fitted swap wherever the crop is, without a soft edge."""
    image = case.target.copy()
    options = PLAIN.model_copy(
        update={"colour": "light", "mask": "rect", "outline": "target", "feather": 0.0}
    )
    composite(image, case.face, options)
    return image.astype(np.float32)


def _pyramid(picture: NDArray[np.float32], octaves: int = 4) -> list[NDArray[np.float32]]:
    bands = []
    for _ in range(octaves):
        smaller = cv2.pyrDown(picture)
        bands.append(picture - cv2.pyrUp(smaller, dstsize=picture.shape[1::-1]))
        picture = smaller
    return [*bands, picture]


WAYS: dict[str, Callable[[Case], Image]] = {
    **{colour: composited(colour) for colour in ("none", "skin", "light")},
    "light, multi-band": multi_band,
    "light, membrane": membrane,
}


def measured(case: Case, result: Image) -> tuple[float, ...]:
    """The numbers of one result; see the head of this file."""
    crop, points = case.face.crop, case.face.landmarks
    assert points is not None
    eyes, lips = np.zeros((SIZE, SIZE), np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    for part in EYES:
        cv2.fillConvexPoly(eyes, np.rint(convex(points[part])).astype(np.int32), 1)
    cv2.fillConvexPoly(lips, np.rint(convex(points[OUTER_LIPS])).astype(np.int32), 1)
    lips = cv2.dilate(lips, np.ones((3, 3), np.uint8))
    inside = case.mask > 0.5
    deep = cv2.erode(inside.astype(np.uint8), np.ones((3, 3)), iterations=round(0.08 * crop.height)) > 0
    skin, lab = inside & (lips == 0), lab_of(result)
    off = ciede2000(lab, lab_of(case.in_targets_skin))
    return (
        float(off[skin].mean()),
        float(off[inside & ~deep].mean()),
        ssim(result, case.in_targets_skin, skin),
        float(off[eyes > 0].mean()),
        float(ciede2000(lab, lab_of(case.truth))[inside].mean()),
        seam(result, case.target, case.mask, crop.landmarks, case.in_targets_skin),
    )


if __name__ == "__main__":
    main()
