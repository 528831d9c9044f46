"""What lies over a face on a video is seen in time, though the network does not look at each frame."""

import cv2
import numpy as np
import pytest

from faceswap.faces.geometry import Geometry, Image, Points
from faceswap.faces.regions import Region
from faceswap.model.segmentation_view import VIEW
from faceswap.swap.masks.seen_face import SeenFace
from faceswap.swap.masks.visibility import Segments
from faceswap.synthetic import person, random_scene, render
from tests.swap.covering import grown, within

GEOMETRY = Geometry(144, 2.25, -0.25)
SHOT = render(person("emeric"), random_scene(np.random.default_rng(3)), size=256)
POINTS = SHOT.landmarks.astype(np.float64)
CLEAN = np.asarray(SHOT.image, np.uint8)
WHOLE = Region(0, 0, 256, 256)
STEP = 0.04


def covered(width: int) -> tuple[np.ndarray, np.ndarray]:
    """The face behind a slanting dark bar of so many px, and where that is."""
    there = np.zeros((256, 256), np.uint8)
    mouth = POINTS[48:60].mean(0)
    ends = (tuple(np.rint(mouth + way).astype(int).tolist()) for way in ((-60, -14), (10, 12)))
    cv2.line(there, *ends, 1, width)
    image = CLEAN.copy()
    image[there > 0] = 20
    return image, there > 0


def seen(before: SeenFace | None, image: np.ndarray, frame: int, points: np.ndarray = POINTS) -> SeenFace:
    target = GEOMETRY.crop(image, GEOMETRY.matrix(points))
    return SeenFace.after(before, image, points, target, with_glasses=False, time=frame * STEP)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one at each look of the network."""
    found: list[int] = []
    look = Segments.of

    def counted(image: Image, landmarks: Points) -> Segments:
        found.append(1)
        return look(image, landmarks)

    monkeypatch.setattr(Segments, "of", counted)
    return found


def hidden_share(now: SeenFace, where: np.ndarray) -> float:
    inside = where & within(POINTS, (256, 256))
    return float((now.found.in_region(WHOLE) < 0.5)[inside].mean())


def test_a_calm_face_is_looked_at_in_every_other_frame(looks: list[int]) -> None:
    now = None
    for frame in range(10):
        now = seen(now, CLEAN, frame)
    assert len(looks) == 5


def test_what_covers_much_of_a_face_is_seen_in_the_very_frame(looks: list[int]) -> None:
    image, bar = covered(40)
    before = seen(None, CLEAN, 0)
    now = seen(before, image, 1)
    assert len(looks) == 2
    assert hidden_share(now, cv2.erode(bar.astype(np.uint8), np.ones((5, 5))) > 0) > 0.8


@pytest.mark.parametrize("first", [0, 1])
def test_what_covers_little_is_seen_within_two_frames(first: int, looks: list[int]) -> None:
    """Whichever of two frames the network looks at."""
    there = np.zeros((256, 256), np.uint8)
    cheek = (POINTS[3] + POINTS[31]) / 2
    cv2.circle(there, tuple(np.rint(cheek).astype(int).tolist()), 12, 1, -1)
    image = CLEAN.copy()
    image[there > 0] = (30, 60, 160)
    now = None
    for frame in range(first + 1):
        now = seen(now, CLEAN, frame)
    for frame in (first + 1, first + 2):
        now = seen(now, image, frame)
    assert len(looks) == 2  # as often as on a calm face
    assert now is not None
    assert hidden_share(now, there > 0) > 0.8


def test_what_was_seen_moves_with_the_face() -> None:
    image, bar = covered(24)
    before = seen(None, image, 0)
    moved = np.float64([[1, 0, 9], [0, 1, -6]])
    there = cv2.warpAffine(image, moved, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    now = seen(before, there, 1, POINTS + np.array([9, -6]))
    assert now.looked == 0  # carried, not looked at
    old, new = (one.visible.in_region(WHOLE) for one in (before, now))
    expected = cv2.warpAffine(old, moved, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    near = grown(bar, 9)
    assert np.abs(new - expected)[20:-20, 20:-20][near[20:-20, 20:-20]].max() < 0.05


def test_a_video_that_is_rewound_begins_anew() -> None:
    image, _ = covered(40)
    before = seen(seen(None, CLEAN, 5), CLEAN, 6)
    now = seen(before, image, 0)
    assert now.looked == 0
    assert now.visible is now.found


@pytest.mark.parametrize(("seconds", "hidden"), [(0.5, False), (30.0, True)])
def test_what_passes_for_glasses_counts_once_it_stays(
    seconds: float, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = np.zeros((64, 64, 4), np.float32)
    shares[..., 0] = 1
    bare = shares.copy()
    shares[20:24] = (0.5, 0, 0.5, 0)
    now = None
    for frame in range(2 + int(seconds / STEP)):
        found = bare if frame == 0 else shares
        monkeypatch.setattr(
            Segments, "of", lambda image, points, found=found: Segments(found, VIEW.matrix(points), points)
        )
        now = seen(now, CLEAN, frame)
    assert now is not None
    assert (float(now.visible.share[21:23].mean()) < 0.5) is hidden
