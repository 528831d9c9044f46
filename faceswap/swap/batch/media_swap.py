"""Videos, pictures and folders of them: whatever a user points at."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from faceswap.files.disk import require_space
from faceswap.media.sources import MediaItem
from faceswap.provenance.metadata import Provenance
from faceswap.swap.batch.batch import Batch
from faceswap.swap.batch.journal import Journal
from faceswap.swap.batch.output_paths import survey
from faceswap.swap.batch.picture_swap import swap_picture
from faceswap.swap.batch.reports import ItemReport, SwapReport, of_picture, of_video
from faceswap.swap.batch.spread import Crew, swap_spread
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import Progress, VideoReport, swap_video

__all__ = ["ItemReport", "Progress", "SwapReport", "VideoReport", "swap_media", "swap_video"]


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
    crew: Crew | None = None,
    span: float | None = None,
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
        progress: told after each file (of several), else after each frame, or span where a crew does it.
        cancelled: asked after each file and frame, or piece where a crew does it; what is written already stays.
        resume: go on with what an interrupted call with the same arguments left, files and parts of videos.
        crew: others who swap the pieces; None: this process does. Videos are cut into spans then
            (:mod:`faceswap.swap.video.spans`).
        span: length of these, seconds; None: ten.

    Raises:
        ConsentError: the reference has withdrawn; CredentialsError: nothing can be signed.
        ClusterError: the crew is lost, or lacks what it needs.
        DiskFull: a video can't be written to its end; what is finished stays, and the same call goes on with it.
        MediaError: the target does not exist or holds no media, or ``out`` can't be written (see
            :func:`faceswap.swap.batch.output_paths.plan`); before any work.
        StorageError: the disk has no room for the results; before any work.
    """
    planned, passed_over = survey(target, out)
    _require_space(planned, whole=start is None and end is None)
    stop = cancelled or (lambda: False)
    batch = Batch(
        planned,
        swapper,
        metadata,
        # a single file needs none: a video has its parts, a picture is quick
        journal=Journal(out, resume=resume) if len(planned) > 1 else None,
        passed_over=passed_over,
        progress=progress,
        start=start,
        end=end,
        resume=resume,
    )
    if crew is not None:
        return batch.report(cancelled=not swap_spread(batch, crew, progress, cancelled, span))

    def swapped(item: MediaItem, place: Path) -> ItemReport:
        if item.kind == "image":
            return of_picture(item, swap_picture(item.path, place, swapper, metadata))
        video = swap_video(
            item.path,
            place,
            swapper,
            metadata,
            start=start,
            end=end,
            progress=progress if batch.single else None,
            cancelled=stop,
            resume=resume,
        )
        return of_video(item, video)

    for number, one in enumerate(planned):
        if stop():
            return batch.report(cancelled=True)
        if not batch.taken_over(number):
            batch.attempt(number, partial(swapped, *one))
        if batch.interrupted(number):
            return batch.report(cancelled=True)
    return batch.report()
