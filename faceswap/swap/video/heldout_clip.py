"""The held-out part of a target as a video with the reference's face on it."""

from pathlib import Path

import numpy as np

from faceswap import storage
from faceswap.faces.faceset import HEADER, FaceSet
from faceswap.media.sources import find_media, kind_of
from faceswap.media.video.reading import VideoWriter
from faceswap.provenance.label import stamp
from faceswap.provenance.metadata import Provenance
from faceswap.provenance.watermark import mark
from faceswap.swap.swapper import Swapper
from faceswap.swap.video.stream import swap_video

_SLIDES_PER_SECOND = 4
"""Pictures a second of a slide show; not measured."""


def swap_heldout(source: str, faces: FaceSet, out: Path, swapper: Swapper, metadata: Provenance) -> None:
    """Swap what training has not seen of a target.

    Of a video that is its last part, with its sound. Pictures (and a face set, which holds no video) become a
    slide show of the held-out crops.

    Args:
        source: what the target's face set was made of.
        faces: the target's face set.
        out: video to write.
        swapper, metadata: as for :func:`faceswap.swap.video.stream.swap_video`.
    """
    held = faces.rows[faces.rows["split"] == "heldout"]
    video = _longest_video(source, held["source"].tolist())
    if video is not None:
        name, path = video
        first = float(held.loc[held["source"] == name, "time"].min())
        swap_video(path, out, swapper, metadata, start=first)
        return
    side = faces.geometry.size
    with VideoWriter(out, width=side, height=side, fps=_SLIDES_PER_SECOND, metadata=metadata) as writer:
        for number, points in enumerate(faces.landmarks("heldout")):
            (image,) = faces.images("heldout", np.array([number]))
            swapped = swapper.swap_face(image, points)
            swapped = mark(swapped) if swapper.options.watermark else swapped
            writer.write(stamp(swapped, swapper.options.label_text) if swapper.options.label else swapped)


def _longest_video(source: str, held: list[str]) -> tuple[str, Path] | None:
    """The video with the most held-out faces: its name in the manifest and its file."""
    if storage.exists(storage.join(source, HEADER)):
        return None
    videos = {item.name: item.path for item in find_media(source) if kind_of(item.path) == "video"}
    counted = sorted((held.count(name), name) for name in videos)
    return (counted[-1][1], videos[counted[-1][1]]) if counted and counted[-1][0] > 0 else None
