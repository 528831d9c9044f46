"""What the fictional people are worth: `python -m tests.benchmarks.bench_synthetic [renders per person]`."""

import sys
import time
from dataclasses import dataclass, field

import cv2
import dlib
import face_recognition
import face_recognition_models
import numpy as np

from faceswap.synthetic import CAST, Person, random_scene, render
from faceswap.synthetic.scene import Scene

EYE_CORNERS = (36, 39, 42, 45)
REGIONS = {
    "jaw": range(17),
    "brows": range(17, 27),
    "nose": range(27, 36),
    "eyes": range(36, 48),
    "mouth": range(48, 68),
}


def interocular(points):
    """Distance between the middles of the eyes."""
    return float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))


def lip_gap(points):
    """Height of the mouth's opening in inter-ocular distances."""
    gaps = [np.linalg.norm(points[a] - points[b]) for a, b in ((61, 67), (62, 66), (63, 65))]
    return float(np.mean(gaps)) / interocular(points)


def eye_openness(points):
    """Height of the eyes' opening in inter-ocular distances."""
    gaps = [np.linalg.norm(points[a] - points[b]) for a, b in ((37, 41), (38, 40), (43, 47), (44, 46))]
    return float(np.mean(gaps)) / interocular(points)


@dataclass
class Measured:
    """What was found on the renders of one person."""

    renders: int = 0
    found_by_dlib: int = 0
    found_by_face_recognition: int = 0
    embeddings: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    gaps: list = field(default_factory=list)
    openness: list = field(default_factory=list)


class Judge:
    """dlib's detector, landmarks and embedding."""

    def __init__(self):
        self.detector = dlib.get_frontal_face_detector()
        self.predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())
        self.encoder = dlib.face_recognition_model_v1(
            face_recognition_models.face_recognition_model_location()
        )

    def measure(
        self, person: Person, scenes: list[Scene], size: int = 256, upsampled: bool = True
    ) -> Measured:
        """Render a person in scenes and compare what dlib finds with the truth."""
        measured = Measured()
        for scene in scenes:
            made = render(person, scene, size)
            measured.renders += 1
            boxes = self.detector(made.image, 0)
            found = len(boxes) > 0
            measured.found_by_dlib += found
            # face_recognition.face_locations looks again at twice the size.
            if upsampled:
                measured.found_by_face_recognition += len(face_recognition.face_locations(made.image)) > 0
            if not found:
                continue
            shape = self.predictor(made.image, boxes[0])
            measured.embeddings.append(np.array(self.encoder.compute_face_descriptor(made.image, shape)))
            points = np.array([(p.x, p.y) for p in shape.parts()])
            distances = np.linalg.norm(points - made.landmarks, axis=1) / interocular(made.landmarks)
            measured.errors.append(distances)
            measured.gaps.append((lip_gap(made.landmarks), lip_gap(points)))
            measured.openness.append((eye_openness(made.landmarks), eye_openness(points)))
        return measured


def spread(embeddings):
    """Mean distance between two embeddings of one person."""
    distances = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=-1)
    return float(distances[np.triu_indices(len(embeddings), 1)].mean())


def milliseconds(size: int, repeats: int = 4) -> float:
    """Mean time of a render, all that is constant of a person being known."""
    rng = np.random.default_rng(0)
    scenes = [random_scene(rng) for _ in range(repeats)]
    for person in CAST:
        render(person, scenes[0], size)
    start = time.process_time()
    for person in CAST:
        for scene in scenes:
            render(person, scene, size)
    return 1000 * (time.process_time() - start) / (repeats * len(CAST))


def main(renders: int = 30) -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    for size in (64, 128, 256, 512):
        print(f"{size:5d} px: {milliseconds(size):6.1f} ms an image")
    judge = Judge()
    results = {}
    print(f"\n{'person':10s} {'dlib':>6s} {'face_rec':>9s} {'within':>7s}")
    for number, person in enumerate(CAST):
        rng = np.random.default_rng([7, number])
        scenes = [random_scene(rng, max_yaw=25) for _ in range(renders)]
        found = results[person.name] = judge.measure(person, scenes)
        within = spread(np.array(found.embeddings))
        dlib_rate = found.found_by_dlib / found.renders
        rate = found.found_by_face_recognition / found.renders
        print(f"{person.name:10s} {dlib_rate:6.1%} {rate:9.1%} {within:7.3f}", flush=True)
    total = sum(one.renders for one in results.values())
    print(f"{'all':10s} {sum(one.found_by_dlib for one in results.values()) / total:6.1%} ", end="")
    print(f"{sum(one.found_by_face_recognition for one in results.values()) / total:9.1%}")

    errors = np.concatenate([one.errors for one in results.values()])
    print("\nlandmark error, inter-ocular distances")
    for region, points in REGIONS.items():
        print(f"{region:10s} {errors[:, list(points)].mean():.3f}")
    base = errors[:, 31:36].mean()
    print(f"{'nose base':10s} {base:.3f}")
    for label in ("gaps", "openness"):
        pairs = np.concatenate([getattr(one, label) for one in results.values()])
        print(f"correlation of {label}, true against dlib's: {np.corrcoef(pairs.T)[0, 1]:.3f}")
        for name, one in results.items():
            print(f"   {name:10s} {np.corrcoef(np.array(getattr(one, label)).T)[0, 1]:.3f}")

    names = list(results)
    stacks = [np.array(results[name].embeddings) for name in names]
    means = np.array([stack.mean(0) for stack in stacks])
    between = [
        np.linalg.norm(a[:, None] - b[None], axis=-1).mean()
        for index, a in enumerate(stacks)
        for b in stacks[:index]
    ]
    print(f"\nembedding distance within {np.mean([spread(one) for one in stacks]):.3f}, ", end="")
    print(f"between {np.mean(between):.3f} (least pair {min(between):.3f})")
    table = np.linalg.norm(means[:, None] - means[None], axis=-1)
    print("distance of mean embeddings (least pair ", end="")
    print(f"{table[np.triu_indices(len(names), 1)].min():.3f})")
    for name, row in zip(names, table, strict=True):
        print(f"{name:10s}", " ".join(f"{value:.3f}" for value in row))
    right = [
        (np.linalg.norm(stack[:, None] - means[None], axis=-1).argmin(1) == index).mean()
        for index, stack in enumerate(stacks)
    ]
    print("nearest mean embedding is the right one:", " ".join(f"{share:.1%}" for share in right))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
