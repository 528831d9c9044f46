"""What a search found, in words, and how to go on."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

_OPTIONS = {"bottleneck": "--bottleneck", "batch_size": "--batch-size", "learning_rate": "--learning-rate"}
"""Fields of a preset that ``faceswap train`` has options for."""


def in_words(
    rows: Sequence[Mapping[str, Any]], changes: Mapping[str, Any], preset: Mapping[str, Any], tolerance: float
) -> list[str]:
    """The findings, a sentence each.

    Args:
        rows: of :func:`faceswap.tuning.results.table`, best first, with a winner.
        changes: of the winner against the preset.
        preset: what the trials varied, as nested fields.
        tolerance: of qualities that differ by less, the smallest network wins.
    """
    done = [row for row in rows if row["quality"] is not None]
    winner = next(row for row in done if row["mark"] == "winner")
    lines = [f"Best settings: {said(changes)} (trial {winner['trial']}, quality {winner['quality']:.3f})."]
    unchanged = all(_at(preset, key) == _at(changes, key) for key in _fields(changes))
    if unchanged:
        lines.append("These are the preset's own.")
    near = [row for row in done if row is not winner and done[0]["quality"] - row["quality"] <= tolerance]
    if near:
        lines.append(
            f"{len(near)} other {'trial' if len(near) == 1 else 'trials'} did as well within {tolerance:g}; "
            "the winner has the fewest weights of them."
        )
    elif len(done) > 1:
        second = max(row["quality"] for row in done if row is not winner)
        lines.append(f"That is {winner['quality'] - second:.3f} ahead of the next.")
    own = [row for row in done if all(row.get(key) == _at(preset, key) for key in _fields(changes))]
    if own and not unchanged:
        best = max(own, key=lambda row: float(row["quality"]))
        lines.append(f"The preset's own settings reached {best['quality']:.3f}.")
    fastest = max(done, key=lambda row: float(row["images_per_second"]))
    if fastest["images_per_second"] > 1.1 * winner["images_per_second"]:
        lines.append(
            f"Fastest was trial {fastest['trial']}: {fastest['images_per_second']:.0f} images/s instead of "
            f"{winner['images_per_second']:.0f}, quality {fastest['quality']:.3f}."
        )
    if len(done) < len(rows):
        lines.append(f"{len(rows) - len(done)} of {len(rows)} trials failed; their logs say why.")
    return lines


def next_command(
    face_sets: Sequence[str], preset: str, changes: Mapping[str, Any], run_id: str, minutes: float = 30
) -> str:
    """What trains the winner: ``faceswap train`` where it has the options, else the search goes on to it."""
    if set(changes) <= set(_OPTIONS):
        words = ["faceswap", "train", *face_sets, "--preset", preset, "--minutes", f"{minutes:g}"]
        for key, value in changes.items():
            words += [_OPTIONS[key], str(value)]
        return shlex.join(words)
    return f"faceswap tune --resume {run_id} --then-train {minutes:g}"


def said(changes: Mapping[str, Any]) -> str:
    """Settings in words: ``bottleneck 64, loss.dssim 1``."""
    flat = {key: _at(changes, key) for key in _fields(changes)}
    return ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in flat.items()
    )


def _fields(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of nested values."""
    found: list[str] = []
    for key, value in values.items():
        found += _fields(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [f"{prefix}{key}"]
    return found


def _at(values: Mapping[str, Any], key: str) -> Any:
    """The value of a dotted name; None where there is none."""
    for part in key.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None  # type: ignore[assignment]
    return values
