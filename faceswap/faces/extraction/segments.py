"""The parallel part of extraction: one segment of a video, or a handful of photos, in a worker process.

Each finished segment is a folder of crops with a table of rows; it appears whole or not at all, so that an
interrupted extraction goes on where it was.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import FaceError, MediaError, MediaTooLarge, StorageError
from faceswap.faces.finding.finder import Finder
from faceswap.faces.finding.turn import Turn
from faceswap.faces.finding.turning import turned
from faceswap.faces.geometry import Geometry, apply, scale_of
from faceswap.faces.pose import eye_openness, head_pose, lip_gap
from faceswap.faces.quality import perceptual_hash, sharpness
from faceswap.faces.tracking.tracks import TrackedFace, Tracker, settle
from faceswap.files.disk import write_error
from faceswap.media.images import read_image, write_image
from faceswap.media.video.reading import Frame, VideoReader

_THUMB = 32
"""Side, px, of the small pictures by which duplicates are told."""
_JUDGED = Geometry(256, 2.2)
"""The view in which sharpness and duplicates are told, whatever crops are stored: their limits were chosen for it."""


@dataclass(frozen=True)
class Segment:
    """A piece of work: a part of one video, or some photos.

    Attributes:
        folder: where its result goes.
        kind: of the files.
        files: (path, name) of one video, or of the photos.
        start, end: seconds of the video.
        every: take each N-th frame.
        turn: how the frames may be turned.
        frames: about how many it has.
    """

    folder: str
    kind: Literal["video", "image"]
    files: tuple[tuple[str, str], ...]
    start: float | None
    end: float | None
    every: int
    turn: Turn = "auto"
    frames: int = 0


@dataclass
class Found:
    """What a segment yields: a row per face, counts of frames by outcome, the names of damaged videos, messages."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def count(self, reason: str, number: int = 1) -> None:
        """Add to a count."""
        self.counts[reason] = self.counts.get(reason, 0) + number


def work_on(
    segment: Segment, finder: Finder, geometry: Geometry, stopped: Callable[[], bool] = lambda: False
) -> str:
    """Do a segment; returns its folder. Runs in a worker process.

    Args:
        segment: what is to be done.
        finder: finds the faces.
        geometry: of the crops.
        stopped: asked before each frame; True ends the work.

    Raises:
        StorageError: the results can't be written; nothing of an unfinished segment is left.
        CancelledError: it was stopped; likewise.
    """
    cv2.setNumThreads(1)
    folder = Path(segment.folder)
    if (folder / "rows.json").exists():
        return segment.folder
    part = folder.with_name(f".part-{os.getpid()}-{folder.name}")
    try:
        _do(segment, finder, geometry, part, stopped)
        part.rename(folder)
    except FileNotFoundError:  # another process with the same input has tidied up
        raise
    except StorageError as error:  # of a crop: the folder says more than its hidden part
        cause = error.__cause__
        raise (write_error(folder.parent, cause) if isinstance(cause, OSError) else error) from error
    except OSError as error:  # or was faster with this segment; else there is no room
        if not (folder / "rows.json").exists():
            raise write_error(folder.parent, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return segment.folder


def _do(
    segment: Segment, finder: Finder, geometry: Geometry, part: Path, stopped: Callable[[], bool]
) -> None:
    """Crops and rows of a segment into a folder of their own."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    found = Found()
    tracker = Tracker(finder, segment.kind == "video", segment.turn)
    for frame, name in _frames(segment, found):
        if stopped():
            raise CancelledError
        found.count("frames")
        try:
            seen = tracker.track(frame)
        except (
            cv2.error,
            RuntimeError,
        ) as error:  # of OpenCV and dlib: one odd frame must not end a long job
            found.count("frames that failed")
            found.messages.append(f"{name}, frame {frame.index}: no look for faces was possible: {error}")
            continue
        if not seen:
            found.count("frames without a face")
        if seen and seen[0].turn:
            found.count("frames turned")
        shown = replace(frame, image=turned(frame.image, seen[0].turn)) if seen else frame
        for tracked in seen:
            found.count("faces")
            try:
                found.rows.append(_row(shown, name, tracked, geometry, part, len(found.rows)))
            except FaceError as error:
                found.count("landmarks of no use")
                found.messages.append(f"{name}, frame {frame.index}: {error.message}")
    _settle(found, part, finder)
    (part / "rows.json").write_text(json.dumps(vars(found)))


def read_segment(folder: str) -> Found:
    """The result of a finished segment."""
    return Found(**json.loads(Path(folder, "rows.json").read_text()))


def _frames(segment: Segment, found: Found) -> Iterator[tuple[Frame, str]]:
    for path, name in segment.files:
        try:
            if segment.kind == "image":
                yield Frame(0, 0.0, read_image(Path(path))), name
                continue
            with VideoReader(Path(path)) as reader:
                for frame in reader.frames(segment.every, segment.start, segment.end):
                    yield frame, name
                if reader.damage:
                    found.damaged.append(name)
                    found.messages.append(reader.damage)
        except MediaError as error:
            found.count("files too large" if isinstance(error, MediaTooLarge) else "files unreadable")
            found.messages.append(error.message)


def _settle(found: Found, folder: Path, finder: Finder) -> None:
    """Embed the faces that their tracks want embedded besides; from the crops, the frames are gone."""
    tracks: dict[int, list[dict[str, Any]]] = {}
    for row in found.rows:
        tracks.setdefault(row["track"], []).append(row)
    for rows in tracks.values():
        embeddings = [None if row["embedding"] is None else np.array(row["embedding"]) for row in rows]
        embed = partial(_embed_row, rows, folder, finder)
        for index, embedding in settle([row["time"] for row in rows], embeddings, embed).items():
            rows[index]["embedding"] = embedding.tolist()


def _embed_row(rows: list[dict[str, Any]], folder: Path, finder: Finder, index: int) -> NDArray[np.float64]:
    return embed_crop(finder, folder / rows[index]["crop"], rows[index]["matrix"], rows[index]["landmarks"])


def embed_crop(
    finder: Finder, crop: Path, matrix: Sequence[float], landmarks: Sequence[float]
) -> NDArray[np.float64]:
    """(128,) embedding of a stored crop; within 0.1 of that of its frame.

    Args:
        finder: that embeds.
        crop: file.
        matrix: 6 numbers, frame to crop.
        landmarks: 136 numbers, in the frame.
    """
    points = apply(np.reshape(matrix, (2, 3)), np.reshape(landmarks, (68, 2)))
    return finder.embed(read_image(crop), points)


def _row(
    frame: Frame,
    name: str,
    tracked: TrackedFace,
    geometry: Geometry,
    folder: Path,
    number: int,
) -> dict[str, Any]:
    face, embedding = tracked.face, tracked.embedding
    matrix = geometry.matrix(face.landmarks)
    crop = geometry.crop(frame.image, matrix)
    file = f"{number:06d}.jpg"
    write_image(folder / file, crop, metadata=None)
    judged = _JUDGED.crop(frame.image, _JUDGED.matrix(face.landmarks))
    yaw, pitch, roll = head_pose(face.landmarks)
    thumb = cv2.resize(
        cv2.cvtColor(judged, cv2.COLOR_RGB2GRAY), (_THUMB, _THUMB), interpolation=cv2.INTER_AREA
    )
    return {
        "crop": file,
        "source": name,
        "frame": frame.index,
        "frame_width": frame.image.shape[1],
        "frame_height": frame.image.shape[0],
        "turn": tracked.turn,
        "time": frame.time,
        "box": [round(v, 2) for v in face.box],
        "score": face.score,
        "landmarks": face.landmarks.round(3).ravel().tolist(),
        "matrix": matrix.ravel().tolist(),
        "scale": scale_of(matrix),
        "embedding": embedding.tolist() if embedding is not None else None,
        "track": tracked.track,
        "sharpness": sharpness(judged),
        "phash": f"{perceptual_hash(judged):016x}",
        "thumb": thumb.tobytes().hex(),
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
        "lip_gap": lip_gap(face.landmarks),
        "eye_openness": eye_openness(face.landmarks),
    }
