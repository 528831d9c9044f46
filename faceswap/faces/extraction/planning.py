"""Cuts the media of an extraction into pieces of work that share it out among the processes."""

import hashlib
import json
import math
from itertools import pairwise
from pathlib import Path

from faceswap.errors import MediaError, MediaTooLarge
from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.faces.extraction.segments import Found, Segment
from faceswap.media.sources import MediaItem
from faceswap.media.video.reading import VideoInfo, probe

_PHOTOS = 16
"""Photos of one piece of work for a process; not measured."""
_SHORTEST, _LONGEST = 4.0, 30.0


def plan(
    items: list[MediaItem], options: ExtractionOptions, work: Path, workers: int
) -> tuple[list[Segment], Found]:
    """Segments in the order of the media.

    Args:
        items: pictures and videos.
        options: of the extraction.
        work: folder for the segments' results; a result is known by what it was made of, so that an extraction
            may be resumed with another number of processes.
        workers: processes that will share the work.

    Returns:
        the segments, and counts and messages of the files that can't be opened.
    """
    found = Found()
    pieces: list[tuple[str, tuple[tuple[str, str], ...], float | None, float | None, int]] = []
    named = list(zip(items, _unique([item.name for item in items]), strict=True))
    photos = [(str(item.path), name) for item, name in named if item.kind == "image"]
    for first in range(0, len(photos), _PHOTOS):
        some = tuple(photos[first : first + _PHOTOS])
        pieces.append(("image", some, None, None, len(some)))
    for item, name in named:
        if item.kind != "video":
            continue
        try:
            info = probe(item.path)
        except MediaError as error:
            found.count("files too large" if isinstance(error, MediaTooLarge) else "files unreadable")
            found.messages.append(error.message)
            continue
        for start, end in _spans(info, options, workers):
            seconds = max(0.0, min(end or math.inf, info.duration) - (start or 0.0))
            frames = math.ceil(seconds * float(info.fps) / options.every)
            pieces.append(("video", ((str(item.path), name),), start, end, frames))
    segments = []
    for kind, files, start, end, frames in pieces:
        content = json.dumps([kind, files, start, end, options.every, options.turn])
        folder = work / hashlib.sha256(content.encode()).hexdigest()[:16]
        every = options.every if kind == "video" else 1
        segments.append(
            Segment(
                str(folder),
                "video" if kind == "video" else "image",
                files,
                start,
                end,
                every,
                options.turn,
                frames,
            )
        )
    return segments, found


def _unique(names: list[str]) -> list[str]:
    """The names; of files that share one (of several sources), the second is ``name#2``."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return found


def _spans(
    info: VideoInfo, options: ExtractionOptions, workers: int
) -> list[tuple[float | None, float | None]]:
    """Time spans of 4 to 30 s that share a video out among the workers."""
    start, end = options.start or 0.0, min(options.end or math.inf, info.duration or math.inf)
    if not math.isfinite(end) or end <= start:
        return [(options.start, options.end)]
    length = min(_LONGEST, max(_SHORTEST, (end - start) / workers))
    count = max(1, round((end - start) / length))
    edges = [start + (end - start) * i / count for i in range(count + 1)]
    spans: list[tuple[float | None, float | None]] = list(pairwise(edges))
    spans[-1] = (spans[-1][0], options.end)  # the duration in the header may be a little short
    return spans
