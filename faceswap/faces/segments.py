"""The parallel part of extraction: one segment of a video, or a handful of photos, in a worker process.

Each finished segment is a folder of crops with a table of rows; it appears whole or not at all, so that an
interrupted extraction goes on where it was.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import MediaError, MediaTooLarge
from faceswap.faces.detection import Face, FaceFinder, overlap
from faceswap.faces.geometry import Geometry, scale_of
from faceswap.faces.pose import eye_openness, head_pose, lip_gap
from faceswap.faces.quality import perceptual_hash, sharpness
from faceswap.media.images import read_image, write_image
from faceswap.media.video import Frame, VideoReader

_EMBED_SECONDS = 1.0
_SAME_TRACK = 0.5
_THUMB = 32


@dataclass(frozen=True)
class Segment:
    """A piece of work: a part of one video, or some photos.

    Attributes:
        folder: where its result goes.
        kind: of the files.
        files: (path, name) of one video, or of the photos.
        start, end: seconds of the video.
        every: take each N-th frame.
    """

    folder: str
    kind: Literal["video", "image"]
    files: tuple[tuple[str, str], ...]
    start: float | None
    end: float | None
    every: int


@dataclass
class Found:
    """What a segment yields: a row per face, and counts of frames by outcome."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def count(self, reason: str, number: int = 1) -> None:
        """Add to a count."""
        self.counts[reason] = self.counts.get(reason, 0) + number


def work_on(segment: Segment, finder: FaceFinder, geometry: Geometry) -> str:
    """Do a segment; returns its folder. Runs in a worker process."""
    cv2.setNumThreads(1)
    folder = Path(segment.folder)
    if (folder / "rows.json").exists():
        return segment.folder
    part = folder.with_name(f".part-{os.getpid()}-{folder.name}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    found = Found()
    tracker = _Tracker(finder)
    for frame, name in _frames(segment, found):
        found.count("frames")
        faces = tracker.see(frame, segment.kind == "video")
        if not faces:
            found.count("frames without a face")
        for track, face, embedding in faces:
            found.count("faces")
            found.rows.append(_row(frame, name, track, face, embedding, geometry, part, len(found.rows)))
    (part / "rows.json").write_text(json.dumps(vars(found)))
    part.rename(folder)
    return segment.folder


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
                    found.count("damaged videos")
                    found.messages.append(reader.damage)
        except MediaError as error:
            found.count("files too large" if isinstance(error, MediaTooLarge) else "files unreadable")
            found.messages.append(error.message)


class _Tracker:
    """Links faces from frame to frame and embeds each track now and then."""

    def __init__(self, finder: FaceFinder) -> None:
        self.finder = finder
        self._last: list[tuple[int, Face, float]] = []  # track, face, when it was embedded
        self._next = 0

    def see(self, frame: Frame, video: bool) -> list[tuple[int, Face, NDArray[np.float64] | None]]:
        """The faces of the next frame with their tracks, and embeddings where due."""
        hint = self._last[0][1].box if video and len(self._last) == 1 else None
        faces = self.finder.find(frame.image, hint)
        found, now = [], []
        for face in faces:
            linked = self._link(face) if video else None
            track, embedded = linked or (self._next, -np.inf)
            self._next += linked is None
            embedding = None
            if frame.time - embedded >= _EMBED_SECONDS:
                embedding, embedded = self.finder.embed(frame.image, face.landmarks), frame.time
            now.append((track, face, float(embedded)))
            found.append((track, face, embedding))
        self._last = now
        return found

    def _link(self, face: Face) -> tuple[int, float] | None:
        near = [(overlap(face.box, old.box), track, when) for track, old, when in self._last]
        best = max(near, default=(0.0, 0, 0.0))
        self._last = (
            [entry for entry in self._last if entry[0] != best[1]] if best[0] > _SAME_TRACK else self._last
        )
        return (best[1], best[2]) if best[0] > _SAME_TRACK else None


def _row(
    frame: Frame,
    name: str,
    track: int,
    face: Face,
    embedding: NDArray[np.float64] | None,
    geometry: Geometry,
    folder: Path,
    number: int,
) -> dict[str, Any]:
    matrix = geometry.matrix(face.landmarks)
    crop = geometry.crop(frame.image, matrix)
    file = f"{number:06d}.jpg"
    write_image(folder / file, crop)
    yaw, pitch, roll = head_pose(face.landmarks)
    thumb = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (_THUMB, _THUMB), interpolation=cv2.INTER_AREA)
    return {
        "crop": file,
        "source": name,
        "frame": frame.index,
        "time": frame.time,
        "box": [round(v, 2) for v in face.box],
        "score": face.score,
        "landmarks": face.landmarks.round(3).ravel().tolist(),
        "matrix": matrix.ravel().tolist(),
        "scale": scale_of(matrix),
        "embedding": embedding.tolist() if embedding is not None else None,
        "track": track,
        "sharpness": sharpness(crop),
        "phash": f"{perceptual_hash(crop):016x}",
        "thumb": thumb.ravel().tolist(),
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
        "lip_gap": lip_gap(face.landmarks),
        "eye_openness": eye_openness(face.landmarks),
    }
