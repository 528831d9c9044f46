"""A face that talks and turns, with known landmarks: the swap must be as calm as the target, and must not blink."""

from itertools import pairwise

import numpy as np
import pytest

from faceswap.evaluation.protocol import face_area
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.geometry import Geometry
from faceswap.media.video.reading import Frame
from faceswap.swap.options import SwapOptions
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.chunks import Tally
from faceswap.swap.video.video_swapper import VideoSwapper
from faceswap.synthetic import clip, person, render
from tests.swap.fakes import Echo, KnownFaces, Paint, face_at, smooth_noise

FPS, SIZE = 25, 192
SHOTS = [render(person("bram"), scene, size=SIZE) for scene in list(clip(4, 2.0, FPS))[:30]]
FRAMES = [np.asarray(shot.image, np.uint8) for shot in SHOTS]
POINTS = [shot.landmarks.astype(np.float64) for shot in SHOTS]
JITTER = 0.006 * SIZE
"""Standard deviation of a detector's error, px: about what dlib's landmarks have."""


def seen(points: np.ndarray) -> Face:
    return Face((*points.min(0), *points.max(0)), points, 1.0)


def swapped(video: VideoSwapper, frame: Frame, faces: list[Face]) -> np.ndarray:
    """All stages but the search."""
    generated = video.generate([video.track(frame, faces)])
    (one,) = video.reshape(video.transfer_expression(generated))
    return video.composite(*one)


def swaps(options: SwapOptions, lost: frozenset[int] = frozenset()) -> list[np.ndarray]:
    """All frames swapped; the detector is noisy and misses the face in some."""
    rng = np.random.default_rng(0)
    network = Echo(Geometry(96, 1.5))
    video = VideoSwapper(Swapper(network, KnownFaces(), options), Tally())
    results = []
    for i, (image, points) in enumerate(zip(FRAMES, POINTS, strict=True)):
        faces = [] if i in lost else [seen(points + rng.normal(0, JITTER, points.shape))]
        results.append(swapped(video, Frame(i, i / FPS, image), faces))
    return results


def change(frames: list[np.ndarray]) -> float:
    """Mean absolute change of the face from frame to frame, grey levels."""
    areas = [face_area(points, SIZE) for points in POINTS]
    both = [a & b for a, b in pairwise(areas)]
    steps = zip(frames, frames[1:], both, strict=False)
    return float(np.mean([np.abs(a.astype(int) - b)[where].mean() for a, b, where in steps]))


@pytest.mark.parametrize("colour", ["light", "skin"])
def test_the_swap_changes_at_most_1_3_times_as_much_as_the_target(colour: str) -> None:
    result = swaps(SwapOptions(label=False, colour=colour))
    assert change(result) < 1.3 * change(FRAMES)


def test_a_frame_without_detection_does_not_flash() -> None:
    lost = frozenset({10, 11, 17})
    options = SwapOptions(
        label=False, watermark=False, occlusion="none", colour="none", sharpen=0, match_blur=False, texture=0
    )
    network = Paint(Geometry(64, 1.5), (255, 0, 0))
    video = VideoSwapper(Swapper(network, KnownFaces(), options), Tally())
    for i, (image, points) in enumerate(zip(FRAMES, POINTS, strict=True)):
        picture = swapped(video, Frame(i, i / FPS, image), [] if i in lost else [seen(points)])
        x, y = np.rint(points[30]).astype(int)
        assert tuple(picture[y, x]) == (255, 0, 0)
    assert (video.tally.bridged, video.tally.swapped, video.tally.without_face) == (3, len(FRAMES), 0)


def test_two_people_who_cross_keep_their_references() -> None:
    """They meet in the middle, one hides the other for some frames, and each goes on."""
    left, right = Paint(Geometry(64, 1.5), (255, 0, 0)), Paint(Geometry(64, 1.5), (0, 0, 255))
    options = SwapOptions(
        label=False, watermark=False, occlusion="none", colour="none", sharpen=0, match_blur=False, texture=0
    )

    class Named(KnownFaces):
        """Tells people by their size: an embedding that does not depend on the place."""

        def embed(self, frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
            self.embedded += 1
            embedding = np.zeros(128)
            embedding[0] = np.ptp(landmarks[17:, 1]) / 20
            return embedding

    finder = Named()
    a0, b0 = face_at(60, 100, 60), face_at(340, 100, 72)
    embeddings = [finder.embed(np.zeros((9, 9, 3)), face.landmarks) for face in (a0, b0)]
    from faceswap.swap.assignment import Reference

    swapper = Swapper(left, finder, options, match=embeddings[0], others=[Reference(right, embeddings[1])])
    video = VideoSwapper(swapper, Tally())
    frame = smooth_noise(200, 400)
    for i in range(40):
        x, other = 60 + 7 * i, 340 - 7 * i
        faces = [face_at(x, 100, 60), face_at(other, 100, 72)]
        hidden = abs(x - other) < 40
        shown = [faces[1]] if hidden else faces if i % 2 else faces[::-1]
        picture = swapped(video, Frame(i, i / FPS, frame), shown)
        if not hidden:
            assert tuple(picture[100, x]) == (255, 0, 0)
        if abs(x - other) > 60 or hidden:
            assert tuple(picture[100, other]) == (0, 0, 255)
    assert finder.embedded < 20
