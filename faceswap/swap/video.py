"""Videos, pictures and folders of them: whatever a user points at."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from faceswap.errors import FaceswapError, MediaError
from faceswap.media.images import read_image, write_image
from faceswap.media.sources import MediaItem, find_media
from faceswap.provenance.metadata import Provenance
from faceswap.swap.journal import Journal, swap_key
from faceswap.swap.stream import Progress, VideoReport, swap_video
from faceswap.swap.swapper import Swapper, SwapResult

__all__ = ["ItemReport", "Progress", "SwapReport", "VideoReport", "swap_media", "swap_video"]

_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
_VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv"}


class ItemReport(BaseModel):
    """What became of one file."""

    model_config = ConfigDict(frozen=True)

    source: Path
    kind: Literal["image", "video"]
    out: Path | None = Field(None, description="the written file; None: nothing was written")
    reason: str | None = Field(None, description="why nothing was written")
    faces: int = Field(0, description="swapped faces of a picture, swapped frames of a video")
    skipped_faces: dict[str, int] = Field({}, description="faces that were left alone, by reason")
    video: VideoReport | None = None
    resumed: bool = Field(False, description="taken over from the same swap, which was interrupted")


class SwapReport(BaseModel):
    """What became of all files."""

    model_config = ConfigDict(frozen=True)

    items: list[ItemReport] = []
    cancelled: bool = False

    @property
    def written(self) -> list[Path]:
        """The files that were written, in the order of the sources."""
        return [item.out for item in self.items if item.out is not None]

    @property
    def skipped(self) -> list[ItemReport]:
        """The files for which nothing was written."""
        return [item for item in self.items if item.out is None]

    def numbers(self) -> dict[str, float]:
        """Counts, and over all videos frames, frames without a face and frames per second."""
        videos = [item.video for item in self.items if item.video is not None]
        frames, seconds = sum(v.frames for v in videos), sum(v.seconds for v in videos)
        new = frames - sum(v.resumed for v in videos)
        numbers: dict[str, float] = {
            "files": len(self.items),
            "written": len(self.written),
            "skipped": len(self.skipped),
            "pictures_faces": sum(item.faces for item in self.items if item.kind == "image"),
        }
        left_alone: Counter[str] = Counter()
        for item in self.items:
            left_alone.update(item.skipped_faces)
        numbers |= {f"faces_{reason.replace(' ', '_')}": n for reason, n in sorted(left_alone.items())}
        if videos:
            numbers |= {
                "frames": frames,
                "frames_swapped": sum(v.swapped for v in videos),
                "frames_without_face": sum(v.without_face for v in videos),
                "frames_bridged": sum(v.bridged for v in videos),
                "frames_per_second": new / seconds if seconds > 0 else 0.0,
                "damaged": sum(v.damage is not None for v in videos),
            }
        return numbers


def swap_media(
    target: str | Path,
    out: Path,
    swapper: Swapper,
    metadata: Provenance | None,
    *,
    start: float | None = None,
    end: float | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    resume: bool = True,
) -> SwapReport:
    """Swap the faces of a picture, a video, or of everything in a folder.

    A file that can't be read or shows no face to swap is skipped and listed with the reason; the others go on. An
    interrupted swap of a folder goes on with the same call: finished files stay.
    Pictures without a swapped face are not written: a copy would be marked as generated.

    Args:
        target: a file, a folder or an s3:// prefix.
        out: for one file: the file to write, or a folder if it has no suffix; for several: a folder.
        swapper, metadata: as for :func:`faceswap.swap.stream.swap_video`.
        start, end: in seconds, for videos.
        progress: told after each file (of several), else after each frame.
        cancelled: asked after each file and frame; what is written already stays.
        resume: go on with what an interrupted call with the same arguments left, files and parts of videos.

    Raises:
        MediaError: the target does not exist, holds no media, or several files shall go into one.
    """
    items = find_media(target)
    places = _places(items, Path(target), out)
    tell = progress or (lambda *_: None)
    stop = cancelled or (lambda: False)
    # a single file needs none: a video has its parts, a picture is quick
    journal = Journal(out, resume=resume) if len(items) > 1 else None
    reports: list[ItemReport] = []
    for number, (item, place) in enumerate(zip(items, places, strict=True)):
        if stop():
            return SwapReport(items=reports, cancelled=True)
        inner = progress if len(items) == 1 else None
        try:
            key = swap_key(item.path, swapper, metadata, start, end)
            before = journal.known(key) if journal and place.exists() else None
            if before is not None:
                reports.append(ItemReport.model_validate(before | {"resumed": True}))
            elif item.kind == "video":
                video = swap_video(
                    item.path,
                    place,
                    swapper,
                    metadata,
                    start=start,
                    end=end,
                    progress=inner,
                    cancelled=stop,
                    resume=resume,
                )
                reports.append(_of_video(item, video))
                if video.cancelled:
                    return SwapReport(items=reports, cancelled=True)
            else:
                reports.append(_swap_picture(item, place, swapper, metadata))
            if journal and before is None and reports[-1].out is not None:
                journal.add(key, reports[-1].model_dump(mode="json"))
        except (FaceswapError, OSError) as error:
            reports.append(ItemReport(source=item.path, kind=item.kind, reason=str(error)))
        if inner is None or item.kind == "image":
            tell(number + 1, len(items), item.name)
    if journal:
        journal.remove()
    return SwapReport(items=reports)


def _swap_picture(item: MediaItem, place: Path, swapper: Swapper, metadata: Provenance | None) -> ItemReport:
    if place.exists() and place.resolve() == item.path.resolve():
        raise MediaError(f"{place} is the target itself", "choose another name for the result")
    result = swapper.swap(read_image(item.path))
    skipped = dict(Counter(str(face.skipped) for face in result.faces if face.skipped))
    if not result.swapped:
        return ItemReport(source=item.path, kind="image", reason=_why_none(result), skipped_faces=skipped)
    write_image(place, result.image, metadata=metadata)
    return ItemReport(source=item.path, kind="image", out=place, faces=result.swapped, skipped_faces=skipped)


def _why_none(result: SwapResult) -> str:
    if not result.faces:
        return "no face found"
    return "no face swapped: " + ", ".join(sorted({str(face.skipped) for face in result.faces}))


def _of_video(item: MediaItem, video: VideoReport) -> ItemReport:
    reason = "cancelled, the same swap goes on from there" if video.cancelled else None
    if video.partial is not None:
        reason = f"{reason}; so far: {video.partial}"
    return ItemReport(
        source=item.path,
        kind="video",
        out=video.out,
        reason=reason,
        faces=video.swapped,
        skipped_faces=video.skipped,
        video=video,
    )


def _places(items: list[MediaItem], target: Path, out: Path) -> list[Path]:
    """Where each item's result goes; no two share a file, and the folders below the target are kept."""
    known = _IMAGE_SUFFIXES | _VIDEO_SUFFIXES
    if out.suffix.lower() in known and not out.is_dir():
        if len(items) > 1:
            raise MediaError(
                f"{target} holds {len(items)} files, {out} is one", "name a folder for the results"
            )
        allowed = _VIDEO_SUFFIXES if items[0].kind == "video" else _IMAGE_SUFFIXES
        if out.suffix.lower() not in allowed:
            raise MediaError(
                f"The {items[0].kind} {items[0].path} can't be written as {out.name}",
                f"end the name with one of: {', '.join(sorted(allowed))}",
            )
        return [out]
    places: list[Path] = []
    for item in items:
        allowed = _VIDEO_SUFFIXES if item.kind == "video" else _IMAGE_SUFFIXES
        place = out / item.name
        if place.suffix.lower() not in allowed:
            place = place.with_suffix(".mp4" if item.kind == "video" else ".png")
        first, number = place, 2
        while place in places:  # a.bmp beside a.png
            place, number = first.with_stem(f"{first.stem}-{number}"), number + 1
        places.append(place)
    return places
