"""report.json for programs and report.html for people: one folder, no network needed to read it."""

import json
import math
import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from faceswap.evaluation.grading.verdict import graded, measures_of, summary, verdict
from faceswap.evaluation.pair_result import PairResult
from faceswap.evaluation.protocol import spaced
from faceswap.media.images import data_uri, write_image
from faceswap.provenance.metadata import Provenance

Image = NDArray[np.uint8]
_TYPICAL = 3
"""Frames of each pair that are shown on top."""
_LOCAL = re.compile(r"(~|[A-Za-z]:)?[/\\\\]|\.\.?/|(file|sqlite):")
_PACKAGES = (
    "faceswap",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "numpy",
    "opencv-python-headless",
    "dlib-bin",
    "mlflow",
    "prefect",
)


def write_report(
    out: Path,
    results: Sequence[PairResult],
    *,
    training: Mapping[str, Any],
    pictures: Mapping[str, Image] | None = None,
    clips: Mapping[str, Path] | None = None,
    versions: Mapping[str, Any] | None = None,
    face_sets: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    origin: Provenance,
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``report.json``, ``report.html`` and one PNG per picture into a folder; each file appears whole.

    Args:
        out: the folder; made if missing.
        results: one per ordered pair.
        training: wall_seconds, steps, images_per_second and the like.
        pictures: name -> (H, W, 3) uint8 RGB with generated faces, not labelled; embedded into the page and written as
            ``<name>.png``.
        clips: name -> video; shown from where it lies, by a path relative to the folder.
        versions: identity -> registered version; the packages' versions are added under "packages".
        face_sets: identity -> digest, place, counts.
        settings: all that the run was started with.
        origin: of the generated faces in the pictures.
        extra: further top-level keys of report.json; none of those above.

    Returns:
        the path of report.html.

    Raises:
        ValueError: ``extra`` holds a key that the report writes itself.
    """
    out.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "pairs": [result.to_report() for result in results],
        "training": dict(training),
        "versions": dict(versions or {}),
        "packages": _packages(),
        "face_sets": dict(face_sets or {}),
        "settings": dict(settings or {}),
        "clips": {name: _relative(path, out) for name, path in (clips or {}).items()},
        "pictures": {name: f"{name}.png" for name in pictures or {}},
    }
    if taken := content.keys() & (extra or {}).keys():
        raise ValueError(f"extra may not hold {', '.join(sorted(taken))}: the report writes that itself")
    content |= extra or {}
    for name, picture in (pictures or {}).items():
        write_image(out / f"{name}.png", picture, metadata=origin)
    _write(out / "report.json", json.dumps(_plain(content), indent=2, ensure_ascii=False).encode())
    _write(out / "report.html", _page(content, results, pictures or {}, origin).encode())
    return out / "report.html"


def _page(
    content: Mapping[str, Any],
    results: Sequence[PairResult],
    pictures: Mapping[str, Image],
    origin: Provenance,
) -> str:
    environment = Environment(
        loader=PackageLoader("faceswap.evaluation", "."), autoescape=True, undefined=StrictUndefined
    )
    plain = _plain(content)
    verdicts = [verdict(result) for result in results]
    measures = measures_of(results)
    table = [graded(result, measures) for result in results]
    return environment.get_template("report.html").render(
        content=plain,
        created=datetime.fromisoformat(content["created"]).strftime("%-d %B %Y, %H:%M UTC"),
        summary=summary(verdicts),
        pairs=[
            {"result": result, "verdict": one, "frames": _frames(result, origin)}
            for result, one in zip(results, verdicts, strict=True)
        ],
        advice=list(dict.fromkeys(words for one in verdicts for words in one.advice)),
        lines=[(one, [row[i] for row in table]) for i, one in enumerate(measures)],
        pictures={name: data_uri(picture, origin) for name, picture in pictures.items()},
        details=[
            (title, list(_lines(plain[key])))
            for title, key in (
                ("Training", "training"),
                ("Registered versions", "versions"),
                ("Face sets", "face_sets"),
                ("Settings", "settings"),
                ("Packages", "packages"),
            )
            if plain[key]
        ],
    )


def _frames(result: PairResult, origin: Provenance) -> list[list[dict[str, str]]]:
    """Some typical frames: before, the swap and, of fictional people, the true swap; none where there are none."""
    if not len(result.swaps):
        return []
    shown = {result.target: result.originals, f"with {result.reference}'s face": result.swaps}
    if len(result.truths):
        shown["the true swap"] = result.truths
    return [
        [
            {
                "caption": caption,
                "source": data_uri(images[i], None if images is result.originals else origin),
            }
            for caption, images in shown.items()
        ]
        for i in spaced(result.frames, _TYPICAL)
    ]


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _relative(path: Path, folder: Path) -> str:
    """With slashes, so that it also is a link."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _plain(value: Any) -> Any:
    """What JSON can hold: NaN and infinity are null, numpy's numbers are numbers, the rest is text."""
    match value:
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set():
            return [_plain(item) for item in value]
        case np.generic() | np.ndarray():
            return _plain(value.tolist())
        case float() if not math.isfinite(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _lines(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Nested values as lines for people, with a name each; without what is empty, without folders of this machine."""
    for key, value in values.items():
        name = f"{before}{key.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from _lines(value, f"{name}: ")
        elif value not in (None, "", []):
            yield name, _text(value)


def _text(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
        case int():
            return f"{value:,}"
        case list():
            return ", ".join(_text(item) for item in value)
        case _:
            return _without_folders(str(value))


def _without_folders(text: str) -> str:
    """A path or a database's URI as its last name: whose machine it was is nobody's business."""
    local = _LOCAL.match(text)
    return PurePosixPath(text.replace("\\", "/")).name if local else text


def _packages() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # e.g. another build of OpenCV or dlib
            continue
    return found
