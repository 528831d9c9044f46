"""Frames with a face that the tests of videos know, and a swapper that paints it red."""

from collections.abc import Callable, Iterator

import numpy as np

from faceswap.faces.finding.dlib_finder import Box, Face, SearchEffort
from faceswap.faces.geometry import Geometry
from faceswap.provenance.metadata import Provenance
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from tests.swap.fakes import KnownFaces, Paint, face_at

MADE = Provenance(reference="ada", model="face-ada", version="3", run_id="r")
OPTIONS = SwapOptions(
    label=False, occlusion="none", colour="none", sharpen=0, turn="0"
)  # these frames have no upper edge
WIDTH, HEIGHT, FPS, FRAMES = 320, 240, 25, 30


class Blinking(KnownFaces):
    """Sees its face only in frames that are bright in the corner; the face moves with the frame's number."""

    def find(
        self, frame: np.ndarray, hint: Box | None = None, effort: SearchEffort = "until_found"
    ) -> list[Face]:
        return super().find(frame, hint) if frame[:20, -20:].mean() > 60 else []


def frames(count: int = FRAMES) -> Iterator[np.ndarray]:
    for i in range(count):
        image = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
        # as light as the rest: on frames without colour, a red face would be grey
        image[60:140].reshape(80, WIDTH // 64, 64, 3)[:, :, :32] = (60, 130, 65)
        image[:20, -20:] = 20 if i % 3 == 2 else 200
        image[-40:] = 4 * i
        yield image


def swapper(*faces: Face, **more: object) -> Swapper:
    return Swapper(
        Paint(Geometry(64, 1.5), (255, 0, 0)), Blinking(*(faces or (face_at(160, 100, 60),))), OPTIONS, **more
    )


def red(image: np.ndarray, x: int = 160) -> bool:
    return bool(image[100, x, 0] > 200 and image[100, x, 1] < 60)


def stop_after(count: int) -> Callable[[], bool]:
    asked = iter([False] * (count - 1) + [True])
    return lambda: next(asked)
