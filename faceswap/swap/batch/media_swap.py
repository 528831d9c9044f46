"""Videos, pictures and folders of them: whatever a user points at."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from faceswap.disk import require_space
from faceswap.errors import ConsentError, CredentialsError, DiskFull, FaceError, FaceswapError, MediaError
from faceswap.file_names import printable
from faceswap.media.sources import MediaItem
from faceswap.provenance.metadata import Provenance
from faceswap.swap.batch.journal import Journal
from faceswap.swap.batch.output_paths import survey
from faceswap.swap.batch.picture_swap import SwappedPicture, swap_picture
from faceswap.swap.fingerprint import swap_key
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import Progress, VideoReport, swap_video

__all__ = ["ItemReport", "Progress", "SwapReport", "VideoReport", "swap_media", "swap_video"]

logger = logging.getLogger(__name__)


class ItemReport(BaseModel):
    """What became of one file."""

    model_config = ConfigDict(frozen=True)

    source: Path
    kind: Literal["image", "video"]
    out: Path | None = Field(None, description="the written file; None: nothing was written")
    reason: str | None = Field(None, description="why nothing was written")
    faces: int = Field(0, description="swapped faces of a picture, swapped frames of a video")
    skipped_faces: dict[str, int] = Field({}, description="faces that were left alone, by reason")
    notes: list[str] = Field([], description="what was damaged or could not be kept of a picture")
    video: VideoReport | None = None
    resumed: bool = Field(False, description="taken over from the same swap, which was interrupted")


class SwapReport(BaseModel):
    """What became of all files."""

    model_config = ConfigDict(frozen=True)

    items: list[ItemReport] = []
    cancelled: bool = False
    places: list[str] = Field([], description="where the results are: paths, or s3:// URIs they were sent to")
    passed_over: dict[str, int] = Field({}, description="files of a folder that were not taken, by reason")

    @property
    def written(self) -> list[Path]:
        """The files that were written, in the order of the sources."""
        return [item.out for item in self.items if item.out is not None]

    @property
    def skipped(self) -> list[ItemReport]:
        """The files for which nothing was written."""
        return [item for item in self.items if item.out is None]

    @property
    def remarks(self) -> list[str]:
        """What people should know of what was written, in sentences."""
        texts = [text for item in self.items if item.video is not None for text in item.video.remarks]
        texts += [
            printable(f"{item.source}: {note}") for item in self.items if item.out for note in item.notes
        ]
        if self.passed_over:
            counts = ", ".join(f"{reason}: {count}" for reason, count in self.passed_over.items())
            texts.append(f"passed over: {counts}")
        return texts

    def numbers(self) -> dict[str, float]:
        """Counts, and over all videos frames, frames without a face and frames per second."""
        videos = [item.video for item in self.items if item.video is not None]
        frames, seconds = sum(v.frames for v in videos), sum(v.seconds for v in videos)
        new = frames - sum(v.resumed for v in videos)
        numbers: dict[str, float] = {
            "files": len(self.items),
            "written": len(self.written),
            "skipped": len(self.skipped),
            "passed_over": sum(self.passed_over.values()),
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


def _require_space(planned: Sequence[tuple[MediaItem, Path]], whole: bool) -> None:
    """Results take about as much as their targets; what is there already is not written again, or is replaced."""
    new = [(item, place) for item, place in planned if not place.exists() and (whole or item.kind == "image")]
    if new:
        needed = sum(item.path.stat().st_size for item, _ in new if item.path.exists())
        require_space(new[0][1].parent, needed, "The swap")


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

    A file that can't be read or shows no face to swap is skipped and listed with the reason, as is one that fails
    in any other way; the others go on. An interrupted swap of a folder goes on with the same call: finished files
    stay. So it is where a file failed for a reason that may pass, a full disk for one.
    Pictures without a swapped face are not written: a copy would be marked as generated. Of pictures, frames and pages,
    transparency, and what they say besides are kept as far as the result's format holds them; what is not, is said.

    Args:
        target: a file, a folder or an s3:// prefix.
        out: for one file: the file to write, or a folder if it has no suffix; for several: a folder. What lies in it
            already is no target.
        swapper, metadata: as for :func:`faceswap.swap.video.stream.swap_video`.
        start, end: in seconds, for videos.
        progress: told after each file (of several), else after each frame.
        cancelled: asked after each file and frame; what is written already stays.
        resume: go on with what an interrupted call with the same arguments left, files and parts of videos.

    Raises:
        ConsentError: the reference has withdrawn; CredentialsError: nothing can be signed.
        DiskFull: a video can't be written to its end; what is finished stays, and the same call goes on with it.
        MediaError: the target does not exist or holds no media, or ``out`` can't be written (see
            :func:`faceswap.swap.batch.output_paths.plan`); before any work.
        StorageError: the disk has no room for the results; before any work.
    """
    planned, passed_over = survey(target, out)
    _require_space(planned, whole=start is None and end is None)
    tell = progress or (lambda *_: None)
    stop = cancelled or (lambda: False)
    # a single file needs none: a video has its parts, a picture is quick
    journal = Journal(out, resume=resume) if len(planned) > 1 else None
    inner = progress if journal is None else None

    def swapped(item: MediaItem, place: Path) -> ItemReport:
        key = swap_key(item.path, swapper, metadata, start, end)
        before = _before(journal, key) if place.exists() else None
        if before is not None:
            return before
        if item.kind == "image":
            report = _of_picture(item, swap_picture(item.path, place, swapper, metadata))
        else:
            report = _of_video(
                item,
                swap_video(
                    item.path,
                    place,
                    swapper,
                    metadata,
                    start=start,
                    end=end,
                    progress=inner,
                    cancelled=stop,
                    resume=resume,
                ),
            )
        if journal and report.out is not None:
            journal.add(key, report.model_dump(mode="json"))
        return report

    reports: list[ItemReport] = []
    may_pass = False
    for number, (item, place) in enumerate(planned):
        if stop():
            return SwapReport(items=reports, cancelled=True, passed_over=passed_over)
        try:
            report = swapped(item, place)
        except (
            DiskFull,
            ConsentError,
            CredentialsError,
        ):  # the others would fail as well; what is written stays
            raise
        except Exception as error:  # one file must not take the others with it
            report = ItemReport(source=item.path, kind=item.kind, reason=_reason(item.path, error))
            may_pass |= not isinstance(error, MediaError | FaceError)
        reports.append(report)
        if report.video is not None and report.video.cancelled:
            return SwapReport(items=reports, cancelled=True, passed_over=passed_over)
        if inner is None or item.kind == "image":
            tell(number + 1, len(planned), item.name)
    if journal and not may_pass:
        journal.remove()
    return SwapReport(items=reports, passed_over=passed_over)


def _before(journal: Journal | None, key: str) -> ItemReport | None:
    """What an interrupted call said of a file that it finished."""
    noted = journal.known(key) if journal else None
    if noted is None:
        return None
    try:
        return ItemReport.model_validate(noted | {"resumed": True})
    except ValidationError:  # written by another version of this software
        return None


def _reason(source: Path, error: Exception) -> str:
    """Why a file failed, for its report; what nobody foresaw goes to the log with its traceback."""
    if isinstance(error, FaceswapError | OSError):
        return printable(str(error))
    logger.error("%s could not be swapped", source, exc_info=error)
    return printable(f"unexpected {type(error).__name__}: {error} (the log says where)")


def _of_picture(item: MediaItem, swapped: SwappedPicture) -> ItemReport:
    return ItemReport(
        source=item.path,
        kind="image",
        out=swapped.out,
        reason=swapped.reason,
        faces=swapped.faces,
        skipped_faces=swapped.skipped,
        notes=list(swapped.notes),
    )


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
