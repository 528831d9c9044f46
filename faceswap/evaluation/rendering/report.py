"""report.json for programs and report.html for people: one folder, no network needed to read it."""

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from faceswap.evaluation.measures import MEASURES, TRUTH_MEASURES, Measure
from faceswap.evaluation.result import PairResult
from faceswap.media.images import data_uri, write_image
from faceswap.provenance.metadata import Provenance

Image = NDArray[np.uint8]

_PACKAGES = (
    "faceswap",
    "keras",
    "tensorflow",
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
    origin: Provenance | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``report.json``, ``report.html`` and one PNG per picture into a folder; each file appears whole.

    Args:
        out: the folder; made if missing.
        results: one per ordered pair.
        training: wall_seconds, steps, images_per_second and the like.
        pictures: name -> (H, W, 3) uint8 RGB; embedded into the page and written as ``<name>.png``.
        clips: name -> video; shown from where it lies, by a path relative to the folder.
        versions: identity -> registered version; the packages' versions are added under "packages".
        face_sets: identity -> digest, place, counts.
        settings: all that the run was started with.
        origin: written into the pictures: they are generated.
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
    _write(out / "report.html", _page(content, results, pictures or {}).encode())
    return out / "report.html"


def _page(content: Mapping[str, Any], results: Sequence[PairResult], pictures: Mapping[str, Image]) -> str:
    shown = [*MEASURES]
    if any(result.truth_ssim is not None for result in results):
        shown += TRUTH_MEASURES
    environment = Environment(
        loader=PackageLoader("faceswap.evaluation", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["plain"] = _text
    return environment.get_template("report.html").render(
        content=_plain(content),
        measures=shown,
        results=results,
        lines=[_line(measure, results) for measure in shown],
        pictures={name: data_uri(picture) for name, picture in pictures.items()},
    )


def _line(measure: Measure, results: Sequence[PairResult]) -> dict[str, Any]:
    values = [getattr(result, measure.key) for result in results]
    cells = [{"text": measure.shown(value), "grade": measure.grade(value)} for value in values]
    return {"title": measure.title, "limits": measure.limits, "cells": cells}


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


def _text(value: Any) -> str:
    """A value of the report's tables for people."""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "–" if value is None else str(value)


def _packages() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # e.g. another build of OpenCV or dlib
            continue
    return found
