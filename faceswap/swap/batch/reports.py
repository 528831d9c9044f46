"""What became of the files of a batch swap."""

from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from faceswap.files.names import printable
from faceswap.media.sources import MediaItem
from faceswap.swap.batch.picture_swap import SwappedPicture
from faceswap.swap.video.assembly import VideoReport


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


def of_picture(item: MediaItem, swapped: SwappedPicture) -> ItemReport:
    """What is said of a picture."""
    return ItemReport(
        source=item.path,
        kind="image",
        out=swapped.out,
        reason=swapped.reason,
        faces=swapped.faces,
        skipped_faces=swapped.skipped,
        notes=list(swapped.notes),
    )


def of_video(item: MediaItem, video: VideoReport) -> ItemReport:
    """What is said of a video."""
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
