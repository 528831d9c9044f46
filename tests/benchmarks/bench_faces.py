"""Preprocessing on real footage: frames a second, faces found, and one person told from another.

``python -m tests.benchmarks.bench_faces [FOLDER]`` with person-a.mp4, person-b.mp4 and person-c.mp4 in FOLDER.
"""

import sys
import tempfile
import time
from pathlib import Path

from faceswap.faces.extraction.extractor import ExtractionOptions, extract
from faceswap.faces.faceset import FaceSet
from faceswap.media.images import write_image
from faceswap.media.video.reading import VideoReader
from faceswap.provenance.consent.record import Consent

_KEEP_ALL = ExtractionOptions(hash_distance=-1)


def extract_into(root: Path, name: str, source: Path, photos: list[str]) -> tuple[FaceSet, float]:
    """A face set and the seconds it took."""
    consent = Consent(subject=name, statement="public test footage")
    began = time.perf_counter()
    faces = extract(
        [str(source)], name, consent=consent, options=_KEEP_ALL, reference_photos=photos, root=str(root)
    )
    return faces, time.perf_counter() - began


def videos(folder: Path, root: Path) -> None:
    """Speed and detection rate of each video; the first pays for the start of the worker processes."""
    print(f"{'video':<14}{'frames':>8}{'with a face':>13}{'frames/s':>10}")
    for number, name in enumerate("abca"):
        source = folder / f"person-{name}.mp4"
        faces, seconds = extract_into(root / str(number), name, source, [])
        counts = faces.report["counts"]
        share = 1 - counts["frames without a face"] / counts["frames"]
        note = " (start of the processes included)" if number == 0 else ""
        print(
            f"{source.name:<14}{counts['frames']:>8}{share:>13.1%}{counts['frames'] / seconds:>10.1f}{note}"
        )


def mixture(folder: Path, root: Path) -> None:
    """Frames of two people in one folder, filtered by three photos of the first."""
    mixed = root / "mixed"
    for name in "ab":
        with VideoReader(folder / f"person-{name}.mp4") as reader:
            for frame in reader.frames(every=2):
                write_image(mixed / f"{name}-{frame.index:03d}.jpg", frame.image)
    photos = [str(mixed / f"a-{index:03d}.jpg") for index in (0, 70, 150)]
    faces, seconds = extract_into(root / "filtered", "a", mixed, photos)
    right = faces.rows["source"].str.startswith("a").sum()
    print(
        f"\nmixture of 200 pictures: precision {right / faces.count():.1%}, recall {right / 100:.1%}, {seconds:.0f} s"
    )


if __name__ == "__main__":
    footage = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/faces")
    with tempfile.TemporaryDirectory() as scratch:
        videos(footage, Path(scratch))
        mixture(footage, Path(scratch))
