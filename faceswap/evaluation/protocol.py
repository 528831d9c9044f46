"""How a swap is evaluated: on held-out frames of the target, detected and recognised anew."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from faceswap.errors import FaceSetError
from faceswap.evaluation import metrics
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.seam import seam
from faceswap.faces.eyes import gaze
from faceswap.faces.faceset import FaceSet
from faceswap.faces.finding.dlib_finder import Face
from faceswap.faces.finding.finder import Finder
from faceswap.faces.geometry import Geometry, Points, scale_of
from faceswap.faces.pose import eye_openness, head_pose, lip_gap
from faceswap.faces.regions import depth_in, hull_of
from faceswap.swap.face_network import FaceNetwork
from faceswap.swap.result import MaskedSwap

Image = NDArray[np.uint8]
SwapFace = Callable[[Image, Points], Image | MaskedSwap]
"""(frame, (68, 2) landmarks) -> the swapped frame without a label, with its mask where that is known: without it there
is no seam to measure. ``Swapper.swap_face_masked``."""
Progress = Callable[[int, int | None, str], None]
Truth = Callable[[int], Image]
"""Frame index in the target's source -> the true swap as a whole frame."""

UNDETECTED_DISTANCE = 1.0
"""What a swap without a detectable face counts as: strangers lie at 0.7 to 1.0."""
__all__ = [
    "PairResult",
    "evaluate_flicker",
    "evaluate_pair",
    "face_area",
    "face_at",
    "shown",
    "spaced",
    "state_of",
    "usual_openness",
]

_LIP_NOISE, _EYE_NOISE = 0.01, 0.015
"""Openings that vary less than this (standard deviation) over the target's frames can't be told from the
detector's noise: two detections on the same real faces without a blink (deviation 0.005 to 0.01) correlate at 0.3."""
_GAZE, _GAZE_TARGET = ["gaze_x", "gaze_y"], ["gaze_x_target", "gaze_y_target"]
_UNIT = Geometry(size=256, coverage=1.0)
"""The crop by which a face height is told in pixels."""
_GREY = 32
"""Grey level of what lies outside of the frame."""


def evaluate_pair(
    swap_face: SwapFace,
    target: FaceSet,
    reference: FaceSet,
    identities: Mapping[str, NDArray[np.float64]],
    finder: Finder,
    reconstruct: FaceNetwork | None = None,
    limit: int = 40,
    progress: Progress | None = None,
    truth: Truth | None = None,
) -> PairResult:
    """Evaluate one reference's likeness on one target.

    The target's held-out crops have a margin and serve as frames. Each is swapped; in the swap the face is
    detected and embedded anew (about 0.15 s). Expression and pose are compared with those detected in the crop
    itself, so that both sides have the same detector at the same resolution.

    Where no face is found at its place, the frame counts as a miss for identity (top-1 false, distance 1.0) and
    in ``detection_rate``; it has no expression or pose to compare.

    Args:
        swap_face: puts the reference on a frame.
        target, reference: face sets; evenly spaced held-out frames, in time order.
        identities: identity -> (128,) mean embedding, for all identities of the run.
        finder: detects and embeds.
        reconstruct: the network with the reference's decoder, for the reference's own held-out faces; without
            it the reconstruction's measures are NaN.
        limit: at most so many frames.
        progress: told after each frame.
        truth: for synthetic targets.

    Raises:
        FaceSetError: no held-out faces, or the reference is not among the identities.
    """
    if reference.identity not in identities:
        raise FaceSetError(
            f"The identities of the run lack the reference {reference.identity!r}",
            "pass every identity's mean embedding",
        )
    rows, images, landmarks = _sample(target, limit)
    _, real_images, real_landmarks = _sample(reference, limit)
    seen = target.in_frame("heldout")[rows]
    truths = _true_swaps(truth, target, rows) if truth else np.empty((0, 0, 0, 3), np.uint8)
    swaps: list[Image] = []
    records: list[dict[str, Any]] = []
    for done, (row, image, points) in enumerate(zip(rows, images, landmarks, strict=True)):
        made = swap_face(image, points)
        swap = made.image if isinstance(made, MaskedSwap) else made
        swaps.append(swap)
        own = face_at(finder.find(image), points)
        seen_at = points if own is None else own.landmarks
        before = {**state_of(seen_at), **_look(image, seen_at)}
        after = _measure(swap, points, reference, identities, finder)
        if isinstance(made, MaskedSwap):
            true_swap = truths[done] if len(truths) else None
            after["seam"] = seam(swap, image, made.mask, points, true_swap, seen[done])
        records.append(
            {"row": int(row), **after, **{f"{key}_target": value for key, value in before.items()}}
        )
        if progress is not None:
            progress(done + 1, len(rows), f"{reference.identity} on {target.identity}")
    table = pd.DataFrame.from_records(records)
    lips, eyes = (_both(table, key) for key in ("lip_gap", "eye"))
    real = [metrics.laplacian_variance(i, p) for i, p in zip(real_images, real_landmarks, strict=True)]
    against_truth = _against_truth(truths, images, swaps, landmarks) if truth else {}
    return PairResult(
        reference=reference.identity,
        target=target.identity,
        frames=len(rows),
        detection_rate=float(table["detected"].mean()),
        identity_distance=float(table["identity_distance"].mean()),
        identity_top1=float((table["nearest"] == reference.identity).mean()),
        lip_gap_correlation=metrics.correlation(*lips, _LIP_NOISE),
        lip_gap_error=metrics.mean_error(*lips),
        eye_correlation=metrics.correlation(*eyes, _EYE_NOISE),
        eye_openness_error=metrics.mean_error(
            eyes[0] / usual_openness(target), eyes[1] / usual_openness(reference)
        ),
        gaze_error=metrics.mean_distance(table[_GAZE].to_numpy(float), table[_GAZE_TARGET].to_numpy(float)),
        pose_error_degrees=metrics.pose_error_degrees(
            table[["yaw", "pitch", "roll"]].to_numpy(float),
            table[["yaw_target", "pitch_target", "roll_target"]].to_numpy(float),
        ),
        sharpness=metrics.sharpness_ratio(table["sharpness"].tolist(), real),
        seam=float(table["seam"].mean()),
        **_reconstruction(reconstruct, real_images, real_landmarks),
        **against_truth,
        table=table,
        originals=shown(images, seen),
        swaps=shown(np.stack(swaps), seen),
        truths=shown(truths, seen) if truth else truths,
    )


def evaluate_flicker(swap_face: SwapFace, target: FaceSet, frames: int = 25) -> float:
    """Flicker over the first held-out faces in a row (see :func:`metrics.flicker`); NaN for fewer than two.

    It means something only for a face set of one video, of which every frame was kept.
    """
    rows = np.arange(min(frames, target.count("heldout")))
    images, landmarks = target.images("heldout", rows), target.landmarks("heldout")[rows]
    made = [swap_face(image, points) for image, points in zip(images, landmarks, strict=True)]
    swaps = [one.image if isinstance(one, MaskedSwap) else one for one in made]
    return metrics.flicker(list(images), swaps, [face_area(p, target.geometry.size) for p in landmarks])


def shown(images: NDArray[np.uint8], seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pictures (n, S, S, 3) to look at: grey where they show nothing of the frame, rather than its border's streaks."""
    return np.where(seen[..., None], images, np.uint8(_GREY))


def spaced(count: int, limit: int) -> NDArray[np.intp]:
    """At most ``limit`` whole numbers from 0 to count - 1, evenly spaced, rising."""
    if count <= limit:
        return np.arange(count)
    return np.round(np.linspace(0, count - 1, limit)).astype(np.intp)


def face_area(landmarks: Points, size: int) -> NDArray[np.bool_]:
    """(size, size): the inside of the hull of (68, 2) landmarks, a strip of forehead included."""
    matrix = _UNIT.matrix(landmarks)
    lift = 0.12 * _UNIT.size / scale_of(matrix)
    grid = np.arange(size, dtype=np.float64)
    return depth_in(hull_of(landmarks, matrix, lift), grid, grid) > 0


def _sample(faces: FaceSet, limit: int) -> tuple[NDArray[np.intp], NDArray[np.uint8], Points]:
    """Evenly spaced held-out faces: their numbers, crops and landmarks."""
    count = faces.count("heldout")
    if not count:
        raise FaceSetError(
            f"The face set of {faces.identity!r} has no held-out faces", "preprocess more pictures or video"
        )
    rows = spaced(count, limit)
    return rows, faces.images("heldout", rows), faces.landmarks("heldout")[rows]


def _measure(
    swap: Image,
    points: Points,
    reference: FaceSet,
    identities: Mapping[str, NDArray[np.float64]],
    finder: Finder,
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "detected": False,
        "identity_distance": UNDETECTED_DISTANCE,
        "nearest": None,
        "sharpness": metrics.laplacian_variance(swap, points),
        "seam": np.nan,
        **dict.fromkeys(("lip_gap", "eye", "gaze_x", "gaze_y", "yaw", "pitch", "roll"), np.nan),
    }
    face = face_at(finder.find(swap), points)
    if face is None:
        return record
    embedding = finder.embed(swap, face.landmarks)
    distance = metrics.identity_distances(embedding, reference.mean_embedding)[0]
    return {
        **record,
        "detected": True,
        "identity_distance": float(distance),
        "nearest": metrics.nearest_identities(embedding, identities)[0],
        **state_of(face.landmarks),
        **_look(swap, face.landmarks),
    }


def _look(image: Image, points: Points) -> dict[str, float]:
    """Where a face looks: gaze_x, gaze_y (halves of the eyes' width)."""
    return dict(zip(("gaze_x", "gaze_y"), gaze(image, points), strict=True))


def state_of(points: Points) -> dict[str, float]:
    """Expression and pose of (68, 2) landmarks: lip_gap, eye (over the eyes' distance); yaw, pitch, roll (degrees)."""
    yaw, pitch, roll = head_pose(points)
    return {
        "lip_gap": float(lip_gap(points)),
        "eye": float(eye_openness(points)),
        "yaw": float(yaw),
        "pitch": float(pitch),
        "roll": float(roll),
    }


def usual_openness(faces: FaceSet) -> float:
    """How far a person's eyes are usually open, over their distance: the median of all faces of the set."""
    return float(np.median([eye_openness(points) for points in faces.landmarks()]))


def face_at(found: Sequence[Face], points: Points) -> Face | None:
    """The face that lies where the swap was made, within half a face height."""
    height = _UNIT.size / scale_of(_UNIT.matrix(points))
    near = [
        (float(np.linalg.norm(face.landmarks.mean(0) - points.mean(0))), i) for i, face in enumerate(found)
    ]
    if not near or min(near)[0] > 0.5 * height:
        return None
    return found[min(near)[1]]


def _both(table: pd.DataFrame, key: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The target's series and the swap's."""
    return table[f"{key}_target"].to_numpy(float), table[key].to_numpy(float)


def _reconstruction(
    network: FaceNetwork | None, images: NDArray[np.uint8], landmarks: Points
) -> dict[str, float]:
    if network is None:
        return {"reconstruction_mae": float("nan"), "reconstruction_ssim": float("nan")}
    view = network.geometry
    crops = np.stack([view.crop(i, view.matrix(p)) for i, p in zip(images, landmarks, strict=True)])
    made = network(crops)
    similar = [metrics.ssim(crop, rebuilt) for crop, rebuilt in zip(crops, made, strict=True)]
    return {"reconstruction_mae": metrics.mae(crops, made), "reconstruction_ssim": float(np.mean(similar))}


def _true_swaps(truth: Truth, target: FaceSet, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
    """(n, S, S, 3): the crops of the true swaps at these held-out faces."""
    heldout = target.rows[target.rows["split"] == "heldout"].iloc[rows]
    return np.stack(
        [
            target.geometry.crop(truth(int(frame)), np.asarray(matrix, np.float64).reshape(2, 3))
            for frame, matrix in zip(heldout["frame"], heldout["matrix"], strict=True)
        ]
    )


def _against_truth(
    truths: NDArray[np.uint8], images: NDArray[np.uint8], swaps: list[Image], landmarks: Points
) -> dict[str, float]:
    """Mean SSIM and PSNR to the true swap inside the face, of the swap and of the target as it is."""
    values: list[tuple[float, float, float, float]] = []
    for right, image, swap, points in zip(truths, images, swaps, landmarks, strict=True):
        area = face_area(points, right.shape[0])
        values.append(
            (
                metrics.ssim(swap, right, area),
                metrics.psnr(swap, right, area),
                metrics.ssim(image, right, area),
                metrics.psnr(image, right, area),
            )
        )
    means = np.mean(values, axis=0)
    names = ("truth_ssim", "truth_psnr", "truth_ssim_unswapped", "truth_psnr_unswapped")
    return dict(zip(names, map(float, means), strict=True))
