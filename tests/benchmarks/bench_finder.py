"""The finders side by side: faces found, landmarks against the truth, hard cases, processor time, jitter.

``python -m tests.benchmarks.bench_finder [FOLDER]`` with person-a.mp4 to person-g.mp4 in FOLDER. Times are those of
one thread's processor, so that other work on the machine counts less.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.faces.finding.dlib_finder import Face, FaceFinder
from faceswap.faces.finding.finder import Finder
from faceswap.faces.finding.mediapipe.mediapipe_finder import MediaPipeFinder
from faceswap.faces.pose import eye_openness, interocular, lip_gap
from faceswap.faces.tracking.search import FaceSearch
from faceswap.media.video.reading import Frame, VideoReader
from faceswap.synthetic import CAST, Pose, Scene, random_scene, render

Image = NDArray[np.uint8]
FINDERS: dict[str, Finder] = {
    "dlib, one look": FaceFinder(),
    "dlib, eight looks": FaceFinder(careful=True),
    "MediaPipe": MediaPipeFinder(),
}
TWO: dict[str, Finder] = {"dlib": FaceFinder.down_to(15), "MediaPipe": MediaPipeFinder.down_to(15)}


def footage(folder: Path, every: int = 1) -> Iterator[tuple[str, list[Frame]]]:
    """Name and frames of each video."""
    for video in sorted(folder.glob("person-?.mp4")):
        with VideoReader(video) as reader:
            yield video.stem[-1], list(reader.frames(every=every))


def tracked(folder: Path) -> None:
    """Each video followed: frames with a face, milliseconds of the processor, jitter of the inner landmarks.

    The jitter is the second difference over three frames, in thousandths of the eyes' distance: motion is smooth,
    noise is not.
    """
    print("\nfollowed through each video: frames with exactly one face, ms a frame, jitter")
    for name, frames in footage(folder):
        row = []
        for finder in ("dlib, one look", "MediaPipe"):
            search, began = FaceSearch(FINDERS[finder]), time.thread_time()
            found = [search.faces(frame) for frame in frames]
            cost = (time.thread_time() - began) / len(frames) * 1000
            points = [faces[0].landmarks[17:] for faces in found if faces]
            unit = interocular(next(faces[0].landmarks for faces in found if faces))
            shake = np.linalg.norm(np.diff(np.stack(points), 2, axis=0), axis=-1).mean() / unit * 1000
            one = sum(len(faces) == 1 for faces in found)
            row.append(f"{finder} {one}/{len(frames)}, {cost:.1f} ms, {shake:.1f}")
        print(f"  {name}: " + "; ".join(row))


def truth(count: int = 90) -> None:
    """Against rendered people: error of each feature, and how well gaps of lips and lids follow."""
    rng = np.random.default_rng(23)
    made = [render(CAST[n % len(CAST)], random_scene(rng, max_yaw=30), 320) for n in range(count)]
    parts = {
        "jaw": slice(0, 17),
        "brows": slice(17, 27),
        "nose": slice(27, 36),
        "eyes": slice(36, 48),
        "lips": slice(48, 68),
    }
    print(
        f"\nerror against the truth of {count} rendered faces, % of the eyes' distance; correlation and slope"
    )
    for name, finder in FINDERS.items():
        pairs = [(one.landmarks, faces[0].landmarks) for one in made if (faces := finder.find(one.image))]
        texts = []
        for part, index in parts.items():
            away = [np.linalg.norm(b[index] - a[index], axis=1).mean() / interocular(a) for a, b in pairs]
            texts.append(f"{part} {100 * np.mean(away):.1f}")
        for what, read in (("lips", lip_gap), ("lids", eye_openness)):
            a, b = np.array([(read(one), read(other)) for one, other in pairs]).T
            texts.append(f"{what} {np.corrcoef(a, b)[0, 1]:.3f} x{np.polyfit(a, b, 1)[0]:.2f}")
        print(f"  {name} (found {len(pairs)}): " + ", ".join(texts))


def _share(made: list[tuple[Image, NDArray[np.float64]]], finder: Finder, unit: float | None = None) -> str:
    """Found at their places, and the mean error of eyes, nose and mouth there; the unit is the eyes' distance."""
    errors = []
    for image, points in made:
        for face in finder.find(image, effort="fine"):
            away = float(np.linalg.norm(face.landmarks[27:] - points[27:], axis=1).mean())
            away /= unit or interocular(points)
            if away < 0.5:
                errors.append(away)
                break
    return f"{len(errors) / len(made):4.0%} ({100 * np.mean(errors):.0f} %)" if errors else "  0%"


def hard(count: int = 20) -> None:
    """Small, turned, dim, tilted, noisy faces: share found, and the error of eyes, nose and mouth."""
    rng = np.random.default_rng(9)
    print("\nfound (error of eyes, nose and mouth, % of the eyes' distance)")

    def people(
        change: Callable[[Image, NDArray[np.float64]], tuple[Image, NDArray[np.float64]]], yaw: float = 0
    ) -> None:
        made = []
        for number in range(count):
            scene = Scene(pose=Pose(yaw=(-1) ** number * yaw)) if yaw else random_scene(rng, max_yaw=20)
            one = render(CAST[number % len(CAST)], scene, 256)
            made.append(change(one.image, one.landmarks.astype(np.float64)))
        # in profile the eyes lie one behind the other: their distance is that of the same people from the front
        unit = (
            float(np.mean([interocular(render(one, Scene(), 256).landmarks) for one in CAST]))
            if yaw
            else None
        )
        print("    " + "; ".join(f"{name} {_share(made, finder, unit)}" for name, finder in TWO.items()))

    def at(side: int) -> Callable[[Image, NDArray[np.float64]], tuple[Image, NDArray[np.float64]]]:
        def change(image: Image, points: NDArray[np.float64]) -> tuple[Image, NDArray[np.float64]]:
            frame = np.full((720, 1280, 3), 115, np.uint8)
            frame[300 : 300 + side, 700 : 700 + side] = cv2.resize(
                image, (side, side), interpolation=cv2.INTER_AREA
            )
            return frame, (points + 0.5) * side / 256 - 0.5 + (700, 300)

        return change

    for side in (120, 84, 60, 45):
        print(f"  in 1280x720, about {round(side * 0.36)} px from brows to lower lip")
        people(at(side))
    for yaw in (30, 45, 60, 70, 80):
        print(f"  turned by {yaw}°")
        people(lambda image, points: (image, points), yaw)
    for gain in (0.3, 0.12, 0.05):
        print(f"  dimmed to {gain:.0%}, with noise")
        people(
            lambda image, points, gain=gain: (  # type: ignore[misc]
                np.clip(image * gain + np.random.default_rng(1).normal(0, 3, image.shape), 0, 255).astype(
                    np.uint8
                ),
                points,
            )
        )
    for angle in (30, 60, 90, 150):
        print(f"  tilted by {angle}°")

        def tilt(
            image: Image, points: NDArray[np.float64], angle: int = angle
        ) -> tuple[Image, NDArray[np.float64]]:
            matrix = cv2.getRotationMatrix2D((127.5, 127.5), angle, 0.8)
            return cv2.warpAffine(image, matrix, (256, 256)), points @ matrix[:, :2].T + matrix[:, 2]

        people(tilt)
    print(
        "  two faces side by side that overlap: both found, by the share of the face's width that is covered"
    )
    for covered in (0.2, 0.35, 0.5):
        counts = dict.fromkeys(TWO, 0)
        for number in range(10):
            first, second = (render(CAST[(number + k) % len(CAST)], Scene(), 256) for k in (0, 1))
            width = float(np.ptp(second.landmarks[:, 0]))
            frame = np.full((256, 512, 3), 110, np.uint8)
            frame[:, :256] = first.image
            x = round(width * (1 - covered))
            mask = second.head[..., None] > 0.5
            frame[:, x : x + 256] = np.where(mask, second.image, frame[:, x : x + 256])
            truths = [first.landmarks.astype(np.float64), second.landmarks + np.array([x, 0.0])]
            for name, finder in TWO.items():
                faces: list[Face] = finder.find(frame, effort="fine")
                counts[name] += all(
                    any(np.linalg.norm(f.landmarks - t, axis=1).mean() < 0.3 * interocular(t) for f in faces)
                    for t in truths
                )
        print(f"    {covered:.0%}: " + "; ".join(f"{name} {count}/10" for name, count in counts.items()))


if __name__ == "__main__":
    cv2.setNumThreads(1)
    truth()
    hard()
    tracked(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/faces"))
