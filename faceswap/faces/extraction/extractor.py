"""Extraction: media in, an immutable face set out; one streaming pass, in parallel, resumable."""

import datetime as dt
import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd

import faceswap
from faceswap import storage
from faceswap.errors import FaceError, FaceSetError, MediaError, NoFaceFound, SettingsError, UnreadableMedia
from faceswap.faces.extraction.fan_out import run_on_cluster
from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.faces.extraction.planning import plan
from faceswap.faces.extraction.segments import Found, Segment, embed_crop, read_segment, work_on
from faceswap.faces.extraction.selection import select
from faceswap.faces.faceset import HEADER, FaceSet, digest_of, newest, write_header, write_manifest
from faceswap.faces.finding.finder import Finder, finder_named
from faceswap.faces.geometry import Geometry
from faceswap.faces.identity import photo_embeddings
from faceswap.files.disk import require_space, write_error
from faceswap.files.names import longest_name
from faceswap.media.sources import MediaItem, local_copy, look_through
from faceswap.process.machine import cores
from faceswap.provenance.consent.record import Consent
from faceswap.provenance.metadata import RENDERER, read_provenance
from faceswap.settings import settings

__all__ = ["ExtractionOptions", "Progress", "extract"]

VERSION = 5
"""Of the extraction itself: a change makes finished sets of the same input be extracted anew."""
_BYTES_A_PIXEL = 0.35
"""Of a stored crop, bytes: 0.21 to 0.52 on three real people with crops of 128 to 512 px."""
_EMBEDDED = 3
"""Least number of embedded faces of a set: its mean embedding is the identity that swaps are compared with."""
Progress = Callable[[int, int | None, str], None]


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
        StorageError: there is no room for the crops; what is finished is kept.
        IdentityError: the reference photos don't fit each other.
    """
    options, root = options or ExtractionOptions(), root or settings().face_sets_root
    if len(sources) == 1 and storage.exists(storage.join(sources[0], HEADER)):
        return _as_named(FaceSet.load(sources[0]), identity)
    _check_name(root, identity)
    media = [look_through(source, progress=progress) for source in sources]
    reference_photos = [str(local_copy(photo)) for photo in reference_photos]
    items = [item for found in media for item in found.items]
    fingerprint = _fingerprint(items, reference_photos, options, identity, consent)
    if finished := newest(root, identity, fingerprint):
        return finished
    finder = finder_named(options.detector, options.min_face)
    photos = photo_embeddings(reference_photos, finder) if reference_photos else None
    work = settings().work_path / f"extract-{fingerprint[:16]}"
    processes = workers or settings().workers or cores()
    try:
        segments, found = plan(items, options, work, processes)
        for reason, count in (entry for one in media for entry in one.passed_over.items()):
            found.count(f"passed over: {reason}", count)
        _check_room(segments, options, work, root, identity)
        origins = {str(item.path): item.origin for item in items if item.origin}
        folders = _run(segments, finder, options.geometry, processes, progress, origins)
        kept, counts = select(_gather(folders, found), options, photos, found)
        if kept.empty:
            _tidy(work)
            reasons = ", ".join(f"{reason}: {count}" for reason, count in counts.items())
            raise NoFaceFound(
                f"No usable face of {identity!r} in {', '.join(sources)} ({reasons})",
                "look at the files, or loosen the filters",
            )
        header = {
            "identity": identity,
            "fingerprint": fingerprint,
            "geometry": options.geometry.to_dict(),
            "consent": consent.model_dump(mode="json"),
            "options": options.model_dump(mode="json"),
            "report": {
                "counts": counts,
                "messages": list(dict.fromkeys(found.messages)),
                "rendered": _rendered(items),
            },
            "sources": [{"name": item.name, "bytes": item.path.stat().st_size} for item in items],
            "faces": len(kept),
            "code_version": faceswap.__version__,
            "created": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
        }
        faces = _publish(_with_embeddings(kept, finder), header, consent, root, work, progress)
    except FileNotFoundError:
        # another process with the same input was faster, and has tidied up
        if finished := newest(root, identity, fingerprint):
            return finished
        raise
    except OSError as error:  # what is written here; other processes explain their own
        raise write_error(work, error) from error
    _tidy(work)
    return faces


def _rendered(items: list[MediaItem]) -> dict[str, Any]:
    """Name -> how it was rendered, of the sources that show a fictional person: of these a true swap can be made."""
    made: dict[str, Any] = {}
    for item in items:
        with suppress(UnreadableMedia):
            origin = read_provenance(item.path)
            if origin is not None and origin.model == RENDERER and origin.options:
                made[item.name] = {"person": origin.reference, **origin.options}
    return made


def _check_name(root: str, identity: str) -> None:
    size = len(os.fsencode(identity))
    if not storage.is_s3(root) and size > (most := longest_name(Path(root))):
        raise SettingsError(f"The name {identity[:20]}… has {size} bytes, {most} fit", "choose a shorter one")


def _check_room(
    segments: list[Segment], options: ExtractionOptions, work: Path, root: str, identity: str
) -> None:
    """Whether the crops find room, if each frame that is still to be looked at shows one face."""
    crop = _BYTES_A_PIXEL * options.size**2
    frames = sum(s.frames for s in segments if not Path(s.folder, "rows.json").exists())
    what = f"The extraction of the faces of {identity!r}"
    require_space(work, round(frames * crop), what)
    if not storage.is_s3(root):
        require_space(Path(root), round(min(frames, options.max_faces) * crop), what)


def _tidy(work: Path) -> None:
    """Remove what was worked on; a kill in the middle leaves nothing that the next run would take for whole."""
    gone = work.with_name(f".{uuid4().hex}-{work.name}")
    with suppress(FileNotFoundError):
        work.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


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
    stats = [(_known_as(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    words = [
        VERSION,
        stats,
        len(items),
        options.model_dump_json(),
        identity,
        consent.model_dump_json(exclude={"since"}),
    ]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def _known_as(path: Path) -> str:
    """A file's path; of a copy from S3 that within the cache, which is the same on every machine."""
    whole, cache = path.resolve(), settings().cache_path
    return str(whole.relative_to(cache)) if whole.is_relative_to(cache) else str(whole)


def _run(
    segments: list[Segment],
    finder: Finder,
    geometry: Geometry,
    processes: int,
    progress: Progress | None,
    origins: dict[str, str],
) -> list[str]:
    waiting = [s for s in segments if not Path(s.folder, "rows.json").exists()]
    done = len(segments) - len(waiting)

    def finished() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, len(segments), "segments")

    if waiting:
        Path(waiting[0].folder).parent.mkdir(parents=True, exist_ok=True)
    if waiting and settings().dask_scheduler:
        run_on_cluster(settings().dask_scheduler, waiting, finder, geometry, origins, finished)
    elif waiting:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["faceswap.faces.extraction.preload"])
        pool = ProcessPoolExecutor(min(processes, len(waiting)), mp_context=context)
        try:
            jobs = [pool.submit(work_on, segment, finder, geometry) for segment in waiting]
            for job in as_completed(jobs):
                job.result()
                finished()
        except BrokenProcessPool as error:
            raise FaceError(
                "A process that looks for faces was killed, perhaps for want of memory",
                "run the same command again: it goes on; FACESWAP_WORKERS=1 needs less memory",
            ) from error
        finally:
            # who cancels waits for the segments in work, not for all that are queued
            pool.shutdown(cancel_futures=True)
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
        found.damaged += part.damaged
    if found.damaged:
        found.count("damaged videos", len(set(found.damaged)))
    return pd.DataFrame(rows)


def _with_embeddings(kept: pd.DataFrame, finder: Finder) -> pd.DataFrame:
    """The rows; where selection has left too few embedded faces, some more are embedded."""
    missing = np.flatnonzero(kept["embedding"].isna())
    wanted = min(_EMBEDDED - (len(kept) - len(missing)), len(missing))
    if wanted <= 0:
        return kept
    embeddings = kept["embedding"].to_list()
    for index in missing[np.linspace(0, len(missing) - 1, wanted).astype(int)]:
        row = kept.iloc[index]
        found = embed_crop(finder, Path(row["path"]), row["matrix"], row["landmarks"])
        embeddings[index] = found.tolist()
    return kept.assign(embedding=pd.Series(embeddings, dtype=object))


def _publish(
    kept: pd.DataFrame,
    header: dict[str, Any],
    consent: Consent,
    root: str,
    work: Path,
    progress: Progress | None,
) -> FaceSet:
    part = work / f".set-{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    (part / "crops").mkdir(parents=True)
    names = [f"{number:08d}.jpg" for number in range(1, len(kept) + 1)]
    for path, name in zip(kept["path"], names, strict=True):
        _link(path, part / "crops" / name)
    manifest = kept.drop(columns=["path", "thumb"]).assign(crop=names, face=range(len(kept)))
    write_manifest(part, manifest)
    digest = digest_of(part, consent)
    write_header(part, {**header, "digest": digest})
    uri = storage.join(root, header["identity"], digest[:16])
    _make_way(uri)
    storage.publish_folder(part, uri, last=HEADER, progress=progress)
    return FaceSet.load(uri)


def _link(path: str, place: Path) -> None:
    """A file under a second name, which takes no room; a copy where the disk knows none."""
    try:
        os.link(path, place)
    except OSError:
        shutil.copyfile(path, place)


def _make_way(uri: str) -> None:
    """Move a damaged set aside that lies where a whole one shall go; in S3 it is deleted, the header first."""
    folder = Path(uri)
    if not (storage.exists(storage.join(uri, HEADER)) if storage.is_s3(uri) else folder.is_dir()):
        return
    try:
        FaceSet.load(uri)
    except FaceSetError:
        if storage.is_s3(uri):
            storage.delete(uri, first=[HEADER])
            return
        with suppress(FileNotFoundError):
            folder.rename(folder.with_name(f".damaged-{uuid4().hex[:8]}-{folder.name}"))
