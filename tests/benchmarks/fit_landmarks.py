"""Fits where iBUG's 68 landmarks lie on MediaPipe's mesh, and writes ``faceswap/faces/mediapipe/landmarks68.json``.

``python -m tests.benchmarks.fit_landmarks [FOLDER]`` with person-a.mp4 to person-g.mp4 in FOLDER: jaw, brows and nose
become a mean of a vertex and its four neighbours that lies where dlib's landmarks lie on average; the lips keep their
vertices, all moved by one share of the face's height, so that their gap stays as the mesh has it. Right and left are
fitted as one. Prints the errors of each person when fitted to the others.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

import faceswap.faces.finding.mediapipe
from faceswap.faces.finding.dlib_finder import FaceFinder
from faceswap.faces.finding.mediapipe.mesh import find_mesh
from faceswap.faces.finding.square import Square
from faceswap.media.video.reading import VideoReader

Array = NDArray[np.float64]
_JAW = [127, 234, 93, 132, 58, 172, 150, 149, 152, 378, 379, 397, 288, 361, 323, 454, 356]
_BROWS = [70, 63, 105, 66, 107, 336, 296, 334, 293, 300]
_NOSE = [168, 197, 5, 4, 75, 97, 2, 326, 305]
_EYES = [33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380]
_OUTER = [61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181]
_INNER = [78, 82, 13, 312, 308, 317, 14, 87]
_VERTICES = _JAW + _BROWS + _NOSE + _EYES + _OUTER + _INNER
"""The vertex of the mesh that is nearest in meaning to each landmark."""
_OTHER_SIDE = [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31]
"""The landmark on the other side of the face, of jaw, brows and nose."""
_FITTED, _LIPS = range(36), range(48, 68)
_TOP, _CHIN = 168, 152
_NEIGHBOURS, _RIDGE = 4, 1e-3
Weights = dict[int, dict[int, float]]


def _pairs(video: Path) -> Iterator[tuple[Array, Array]]:
    """Mesh (468, 2) and dlib's landmarks (68, 2) of every fourth frame, in units of the eyes' distance, upright."""
    dlib = FaceFinder(careful=True)
    with VideoReader(video) as reader:
        for frame in reader.frames(every=4):
            for face in dlib.find(frame.image)[:1]:
                left, top, right, bottom = face.box
                part = Square((left + right) / 2, (top + bottom) / 2, 1.64 * face.size)
                for _ in range(2):
                    mesh = find_mesh(frame.image, part)
                    part = mesh.square
                eyes = mesh.points[[33, 133]].mean(0), mesh.points[[263, 362]].mean(0)
                across = (eyes[1] - eyes[0]) / np.sum((eyes[1] - eyes[0]) ** 2)
                axes, middle = np.array([across, (-across[1], across[0])]).T, (eyes[0] + eyes[1]) / 2
                yield (mesh.points - middle) @ axes, (face.landmarks - middle) @ axes


def _fit(people: list[tuple[Array, Array]]) -> Weights:
    shape = np.mean([meshes.mean(0) for meshes, _ in people], axis=0)
    mirror = linear_sum_assignment(np.sum(((shape * (-1, 1))[:, None] - shape) ** 2, axis=-1))[1]
    weights: Weights = {}
    for landmark in _FITTED:
        partner, vertex = _OTHER_SIDE[landmark], _VERTICES[landmark]
        if partner < landmark:
            continue
        near = np.argsort(np.linalg.norm(shape - shape[vertex], axis=1))[1 : 1 + _NEIGHBOURS]
        a, b = np.zeros((_NEIGHBOURS, _NEIGHBOURS)), np.zeros(_NEIGHBOURS)
        for meshes, landmarks in people:
            for home, others, point in ((vertex, near, landmark), (mirror[vertex], mirror[near], partner)):
                x = (meshes[:, others] - meshes[:, [home]]).transpose(0, 2, 1).reshape(-1, _NEIGHBOURS)
                y = (landmarks[:, point] - meshes[:, home]).ravel()
                a += x.T @ x / len(meshes)
                b += x.T @ y / len(meshes)
        shares = np.linalg.solve(a + _RIDGE * 2 * len(people) * np.eye(_NEIGHBOURS), b)
        for point, home, others in ((landmark, vertex, near), (partner, mirror[vertex], mirror[near])):
            weights[point] = {int(home): 1 - shares.sum(), **dict(zip(others.tolist(), shares, strict=True))}
    down = np.mean(
        [
            (landmarks[:, _LIPS] - meshes[:, [_VERTICES[i] for i in _LIPS]])[..., 1].mean()
            / (meshes[:, _CHIN] - meshes[:, _TOP])[:, 1].mean()
            for meshes, landmarks in people
        ]
    )
    for landmark in _LIPS:
        weights[landmark] = {_VERTICES[landmark]: 1.0, _CHIN: down, _TOP: -down}
    return dict(sorted(weights.items()))


def _errors(weights: Weights, meshes: Array, landmarks: Array) -> str:
    parts = {"jaw": range(17), "brows": range(17, 27), "nose": range(27, 36), "lips": range(48, 68)}
    texts = []
    for name, part in parts.items():
        away = np.stack(
            [sum(w * meshes[:, v] for v, w in weights[i].items()) - landmarks[:, i] for i in part], axis=1
        )
        texts.append(
            f"{name} {np.linalg.norm(away, axis=-1).mean():.3f} ({np.linalg.norm(away.mean(0), axis=-1).mean():.3f})"
        )
    return ", ".join(texts)


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/faces")
    found = []
    for video in sorted(folder.glob("person-?.mp4")):
        meshes, landmarks = zip(*_pairs(video), strict=True)
        found.append((np.stack(meshes), np.stack(landmarks)))
    plain: Weights = {i: {v: 1.0} for i, v in enumerate(_VERTICES)}
    print("distance to dlib's landmarks (of which the mean), in distances of the eyes")
    for number, (meshes_of_one, landmarks_of_one) in enumerate(found):
        others = _fit(found[:number] + found[number + 1 :])
        print(f"{'abcdefg'[number]}: single vertices {_errors(plain, meshes_of_one, landmarks_of_one)}")
        print(f"   fitted to the others {_errors(others, meshes_of_one, landmarks_of_one)}")
    out = Path(faceswap.faces.finding.mediapipe.__file__).with_name("landmarks68.json")
    rounded = {i: {v: round(w, 4) for v, w in entry.items()} for i, entry in _fit(found).items()}
    out.write_text("{\n" + ",\n".join(f'"{i}": {json.dumps(e)}' for i, e in rounded.items()) + "\n}\n")
