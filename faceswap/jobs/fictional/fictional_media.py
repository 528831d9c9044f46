"""Pictures or a video of each fictional person, for demos, tests and first steps."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap.errors import SettingsError
from faceswap.media.images import write_image
from faceswap.media.video.reading import VideoWriter
from faceswap.output.progress import bar
from faceswap.provenance.consent.record import Consent
from faceswap.provenance.metadata import RENDERER, Provenance
from faceswap.synthetic import CAST, HARD_CAST, Scene, person, render
from faceswap.synthetic.shoots import FPS, scenes_of

FICTIONAL = "fictional person of faceswap's own renderer: no one's likeness"


def cast_consent(name: str) -> Consent:
    """The consent record that a fictional person brings along."""
    return Consent(subject=name, statement=FICTIONAL, fictional=True)


def write_people(
    folder: Path,
    names: Sequence[str] = (),
    kind: Literal["video", "pictures"] = "video",
    seconds: float = 8.0,
    count: int = 40,
    size: int = 256,
    seed: int = 0,
) -> dict[str, Path]:
    """Render people on all cores.

    Args:
        folder: gets ``<name>.mp4`` or a folder ``<name>/`` with ``0001.png`` and so on.
        names: of one of the casts; empty: the whole first one.
        kind: a talking-head video with 25 frames a second, or pictures in any pose, light and expression.
        seconds: length of a video.
        count: number of pictures.
        size: side of a frame in px.
        seed: of the performance; each person performs another one.

    Returns:
        name -> the video or the folder.

    Raises:
        SettingsError: a name is of neither cast.
    """
    known = [p.name for p in (*CAST, *HARD_CAST)]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: not of the cast", f"choose from {', '.join(known)}")
    folder.mkdir(parents=True, exist_ok=True)
    chosen = list(names) or [p.name for p in CAST]
    scenes = {name: scenes_of(name, kind, seconds, count, seed) for name in chosen}
    total = sum(map(len, scenes.values()))
    context = multiprocessing.get_context("spawn")
    with (
        bar(f"render {len(chosen)} people", "frames") as report,
        ProcessPoolExecutor(mp_context=context) as pool,
    ):
        frames: dict[str, list[NDArray[np.uint8] | None]] = {n: [None] * len(s) for n, s in scenes.items()}
        jobs = {
            pool.submit(_render, name, scenes[name][start : start + 16], size): (name, start)
            for name in chosen
            for start in range(0, len(scenes[name]), 16)
        }
        done = 0
        for job in as_completed(jobs):
            name, start = jobs[job]
            images = job.result()
            frames[name][start : start + len(images)] = images
            done += len(images)
            report(done, total, name)
            if all(image is not None for image in frames[name]):
                made: dict[str, Any] = {
                    "kind": kind,
                    "seconds": seconds,
                    "count": count,
                    "seed": seed,
                    "size": size,
                }
                _write(folder, name, kind, [image for image in frames.pop(name) if image is not None], made)
    return {name: folder / (f"{name}.mp4" if kind == "video" else name) for name in chosen}


def _render(name: str, scenes: list[Scene], size: int) -> list[NDArray[np.uint8]]:
    cv2.setNumThreads(1)
    who = person(name)
    return [render(who, scene, size).image for scene in scenes]


def _write(folder: Path, name: str, kind: str, images: list[NDArray[np.uint8]], made: dict[str, Any]) -> None:
    made_by = Provenance(reference=name, model=RENDERER, version="", run_id="", options=made)
    if kind == "video":
        side = images[0].shape[0]
        with VideoWriter(folder / f"{name}.mp4", width=side, height=side, fps=FPS, metadata=made_by) as video:
            for image in images:
                video.write(image)
        return
    target = folder / name
    target.mkdir(exist_ok=True)
    for number, image in enumerate(images, 1):
        write_image(target / f"{number:04d}.png", image, metadata=made_by)
