"""A few pictures and a clip of fictional people: something to click on."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap.media.images import write_image
from faceswap.media.video.reading import VideoWriter
from faceswap.provenance.metadata import RENDERER, Provenance
from faceswap.synthetic import CAST, Scene, clip, person, random_scene, render

_FPS = 25
_CLIP = ("corin", 2.0)
_TOGETHER = ("emeric", "bram", "corin")
_SCENES = {"ada": 78, "bram": 3, "corin": 54, "dalia": 8, "emeric": 36, "fenn": 67}
"""Seeds of scenes in which the face is well to be seen."""


def example_pictures(folder: Path) -> list[Path]:
    """Where :func:`write_examples` puts its pictures: each of the cast, and three of them together."""
    return [folder / f"{name}.jpg" for name in (*(p.name for p in CAST), "together")]


def example_clip(folder: Path) -> Path:
    """Where :func:`write_examples` puts its clip."""
    return folder / f"{_CLIP[0]}.mp4"


def write_examples(folder: Path, size: int = 512) -> Iterator[Path]:
    """Render what is not there yet; about a second a picture, ten for the clip.

    Args:
        folder: made if it does not exist.
        size: side of the pictures in px; the clip has half of it.

    Yields:
        each file, when it is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    *single, together = example_pictures(folder)
    for path in single:
        if not path.exists():
            write_image(
                path, render(person(path.stem), _scene(path.stem), size).image, metadata=_made(path.stem)
            )
        yield path
    if not together.exists():
        write_image(together, _row(size), metadata=_made(", ".join(_TOGETHER)))
    yield together
    moving = example_clip(folder)
    if not moving.exists():
        name, seconds = _CLIP
        side = size // 2
        with VideoWriter(moving, width=side, height=side, fps=_FPS, metadata=_made(name)) as video:
            for scene in clip(7, seconds, _FPS):
                video.write(render(person(name), scene, side).image)
    yield moving


def write_all_examples(folder: Path) -> None:
    """:func:`write_examples` as the work of a process, which Ctrl-C ends in silence."""
    with suppress(KeyboardInterrupt):
        for _ in write_examples(folder):
            pass


def _scene(name: str) -> Scene:
    return random_scene(np.random.default_rng(_SCENES[name]), max_yaw=14, max_pitch=8, max_roll=6)


def _row(size: int) -> NDArray[np.uint8]:
    """Three people side by side, in one light before one background."""
    first = _scene(_TOGETHER[0])
    return np.concatenate([render(person(name), first, size).image for name in _TOGETHER], axis=1)


def _made(name: str) -> Provenance:
    return Provenance(reference=name, model=RENDERER, version="", run_id="", options={})
