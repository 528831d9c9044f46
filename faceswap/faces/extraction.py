"""Extraction: media in, an immutable face set out; one streaming pass, in parallel, resumable."""

import hashlib
import json
import math
import multiprocessing
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

import faceswap
from faceswap import storage
from faceswap.errors import FaceError, MediaError, NoFaceFound
from faceswap.faces.detection import FaceFinder
from faceswap.faces.faceset import HEADER, FaceSet, digest_of, find_headers, write_header, write_manifest
from faceswap.faces.geometry import Geometry
from faceswap.faces.identity import photo_embeddings
from faceswap.faces.segments import Found, Segment, read_segment, work_on
from faceswap.faces.selection import select
from faceswap.media.sources import MediaItem, find_media
from faceswap.media.video import VideoInfo, probe
from faceswap.provenance.consent import Consent
from faceswap.settings import settings

VERSION = 1
"""Of the extraction itself: a change makes finished sets of the same input be extracted anew."""
_PHOTOS = 16
Progress = Callable[[int, int | None, str], None]


class ExtractionOptions(BaseModel):
    """How faces are found, cropped and chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(1, ge=1, description="videos: take every N-th frame")
    start: float | None = Field(None, ge=0, description="videos: first second")
    end: float | None = Field(None, gt=0, description="videos: last second")
    size: int = Field(256, ge=64, le=1024, description="side of the stored crops, px")
    coverage: float = Field(
        2.2, ge=1.5, le=4, description="side of the stored crops in face heights: leaves a margin"
    )
    detector: Literal["hog", "cnn"] = Field(
        "hog", description="dlib's detector; cnn wants a GPU build of dlib"
    )
    min_face: int = Field(48, ge=20, le=1000, description="smallest face, px")
    min_sharpness: float = Field(
        8.0, ge=0, description="least Laplacian variance at 128 px; 0 keeps blurred faces"
    )
    max_yaw: float = Field(75.0, gt=0, le=90, description="faces turned further are dropped, degrees")
    identity_threshold: float = Field(
        0.6, gt=0, le=1.5, description="largest embedding distance to the person"
    )
    hash_distance: int = Field(
        2, ge=-1, le=32, description="near-duplicates differ in so few bits; -1 keeps all"
    )
    max_faces: int = Field(5000, ge=10, description="most faces of a set, evenly chosen")

    @property
    def geometry(self) -> Geometry:
        """Of the stored crops."""
        return Geometry(self.size, self.coverage)


def extract(
    sources: Sequence[str],
    identity: str,
    *,
    consent: Consent,
    options: ExtractionOptions | None = None,
    reference_photos: Sequence[str] = (),
    root: str | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> FaceSet:
    """Make the face set of one identity.

    The same input gives the finished set; an interrupted extraction goes on with its finished segments.

    Args:
        sources: files, folders, s3:// prefixes; a single face set is returned as it is.
        identity: its name.
        consent: its record.
        options: how.
        reference_photos: photos of the person; without them, the person seen most is meant.
        root: folder or s3:// prefix for the set; default from the settings.
        workers: processes; 0: one per core.
        progress: called with (done, total, what).

    Raises:
        NoFaceFound: nothing usable; the message holds the counts.
        MediaError: a source does not exist or holds no media.
        IdentityError: the reference photos don't fit each other.
    """
    options, root = options or ExtractionOptions(), root or settings().face_sets_root
    if len(sources) == 1 and storage.exists(storage.join(sources[0], HEADER)):
        return _as_named(FaceSet.load(sources[0]), identity)
    items = [item for source in sources for item in find_media(source)]
    fingerprint = _fingerprint(items, reference_photos, options, identity, consent)
    for uri, header in find_headers(root, identity):
        if header.get("fingerprint") == fingerprint:
            return FaceSet.load(uri)
    finder = FaceFinder(options.detector, options.min_face)
    photos = photo_embeddings(reference_photos, finder) if reference_photos else None
    work = settings().work_path / f"extract-{fingerprint[:16]}"
    segments, found = _plan(items, options, work, workers or settings().workers or os.cpu_count() or 1)
    folders = _run(segments, finder, options.geometry, workers or settings().workers, progress)
    rows = _gather(folders, found)
    kept, counts = select(rows, options, photos, found)
    if kept.empty:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in counts.items())
        raise NoFaceFound(
            f"No usable face of {identity!r} in {', '.join(sources)} ({reasons})",
            "look at the files, or loosen the filters",
        )
    return _publish(kept, counts, found, identity, consent, options, fingerprint, root, work)


def _as_named(faces: FaceSet, identity: str) -> FaceSet:
    if faces.identity != identity:
        raise FaceError(
            f"The face set {faces.uri} is of {faces.identity!r}, not of {identity!r}",
            f"call it {faces.identity}=…",
        )
    return faces


def _fingerprint(
    items: list[MediaItem], photos: Sequence[str], options: ExtractionOptions, identity: str, consent: Consent
) -> str:
    files = [item.path for item in items] + [Path(p) for p in photos]
    for path in files:
        if not path.exists():
            raise MediaError(f"There is no file {path}", "check the path")
    stats = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    words = [
        VERSION,
        stats,
        len(items),
        options.model_dump_json(),
        identity,
        consent.model_dump_json(exclude={"since"}),
    ]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def _plan(
    items: list[MediaItem], options: ExtractionOptions, work: Path, workers: int
) -> tuple[list[Segment], Found]:
    """Cut the input into pieces of work; files that can't be opened are counted."""
    found, segments = Found(), list[Segment]()
    folders = (str(work / f"{number:05d}") for number in range(10**9))
    photos = [item for item in items if item.kind == "image"]
    for start in range(0, len(photos), _PHOTOS):
        files = tuple((str(i.path), i.name) for i in photos[start : start + _PHOTOS])
        segments.append(Segment(next(folders), "image", files, None, None, 1))
    for item in (i for i in items if i.kind == "video"):
        try:
            info = probe(item.path)
        except MediaError as error:
            found.count("files unreadable")
            found.messages.append(error.message)
            continue
        files = ((str(item.path), item.name),)
        for first, last in _spans(info, options, workers):
            segments.append(Segment(next(folders), "video", files, first, last, options.every))
    return segments, found


def _spans(
    info: VideoInfo, options: ExtractionOptions, workers: int
) -> list[tuple[float | None, float | None]]:
    """Time spans of 4 to 30 s that share a video out among the workers."""
    start, end = options.start or 0.0, min(options.end or math.inf, info.duration or math.inf)
    if not math.isfinite(end) or info.rotation < 0:
        return [(options.start, options.end)]
    length = min(30.0, max(4.0, (end - start) / workers))
    count = max(1, round((end - start) / length))
    edges = [start + (end - start) * i / count for i in range(count + 1)]
    spans: list[tuple[float | None, float | None]] = list(pairwise(edges))
    spans[-1] = (spans[-1][0], options.end)  # the duration in the header may be a little short
    return spans


def _run(
    segments: list[Segment], finder: FaceFinder, geometry: Geometry, workers: int, progress: Progress | None
) -> list[str]:
    waiting = [s for s in segments if not Path(s.folder, "rows.json").exists()]
    done = len(segments) - len(waiting)
    if waiting:
        Path(waiting[0].folder).parent.mkdir(parents=True, exist_ok=True)
        count = min(workers or os.cpu_count() or 1, len(waiting))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["faceswap.faces.warm"])
        try:
            with ProcessPoolExecutor(count, mp_context=context) as pool:
                jobs = [pool.submit(work_on, segment, finder, geometry) for segment in waiting]
                for job in as_completed(jobs):
                    job.result()
                    done += 1
                    if progress:
                        progress(done, len(segments), "segments")
        except BrokenProcessPool as error:
            raise FaceError(
                "A process that looks for faces was killed, perhaps for want of memory",
                "run the same command again: it goes on; FACESWAP_WORKERS=1 needs less memory",
            ) from error
    return [s.folder for s in segments]


def _gather(folders: list[str], found: Found) -> pd.DataFrame:
    """All rows of all segments, tracks numbered through."""
    rows: list[dict[str, Any]] = []
    for number, folder in enumerate(folders):
        part = read_segment(folder)
        for row in part.rows:
            rows.append({**row, "path": str(Path(folder, row["crop"])), "track": f"{number}-{row['track']}"})
        for reason, count in part.counts.items():
            found.count(reason, count)
        found.messages += part.messages
    return pd.DataFrame(rows)


def _publish(
    kept: pd.DataFrame,
    counts: dict[str, int],
    found: Found,
    identity: str,
    consent: Consent,
    options: ExtractionOptions,
    fingerprint: str,
    root: str,
    work: Path,
) -> FaceSet:
    part = work / f".set-{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    (part / "crops").mkdir(parents=True)
    names = [f"{number:08d}.jpg" for number in range(1, len(kept) + 1)]
    for path, name in zip(kept["path"], names, strict=True):
        shutil.copyfile(path, part / "crops" / name)
    manifest = kept.drop(columns=["path", "thumb"]).assign(crop=names, face=range(len(kept)))
    write_manifest(part, manifest)
    digest = digest_of(part, consent)
    header = {
        "identity": identity,
        "digest": digest,
        "fingerprint": fingerprint,
        "geometry": options.geometry.to_dict(),
        "consent": consent.model_dump(mode="json"),
        "options": options.model_dump(mode="json"),
        "report": {"counts": counts, "messages": found.messages},
        "faces": len(kept),
        "code_version": faceswap.__version__,
    }
    write_header(part, header)
    uri = storage.join(root, identity, digest[:16])
    storage.publish_folder(part, uri, last=HEADER)
    shutil.rmtree(work, ignore_errors=True)
    return FaceSet.load(uri)
