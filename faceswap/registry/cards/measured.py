"""What an evaluation found, at the version: tags, metrics that MLflow's pages sort by, a line that says it all."""

import logging
import math
import time
from collections.abc import Mapping

from mlflow.entities import Metric
from mlflow.entities.model_registry import ModelVersion

from faceswap.evaluation.grading.measures import BY_KEY, COLUMNS
from faceswap.registry.cards import model_card
from faceswap.registry.model_names import Version
from faceswap.registry.production.aliases import set_summary
from faceswap.registry.versions import described, explained_change, tag
from faceswap.tracking import connect, explained

logger = logging.getLogger(__name__)
FRAMES = "frames"
"""Tag: on how many held-out frames of each target the measures stand."""
_SAID = ("identity_distance", "lip_gap_correlation", "sharpness")


def record_metrics(version: Version, metrics: Mapping[str, float], frames: int, run_id: str) -> bool:
    """Write an evaluation's means to the version, unless it has some that stand on more frames.

    Args:
        version: that was measured.
        metrics: means over the targets; those that a narrow table shows become tags.
        frames: of each target; a measurement on fewer frames never replaces one on more.
        run_id: of the evaluation.

    Returns:
        False where the version keeps what it has.
    """
    client = connect()
    tags = described(version)
    if frames < (before := frames_in(tags)):
        logger.warning(
            "%s keeps its measures of %d frames; these, of %d, stay in run %s",
            version,
            before,
            frames,
            run_id,
        )
        return False
    finite = {key: float(value) for key, value in metrics.items() if math.isfinite(value)}
    written = {m.key: f"{finite[m.key]:.4f}" for m in COLUMNS if m.key in finite} | {FRAMES: str(frames)}
    stale = [m.key for m in COLUMNS if m.key in tags and m.key not in finite]
    with explained_change(f"forget old measures of {version}"):
        for key in stale:
            client.delete_model_version_tag(version.name, str(version.version), key)
    tag(version, written)
    set_summary(version, summary({k: v for k, v in tags.items() if k not in stale} | written))
    with explained(f"take the measures of {version}"):
        model_id = logged_model_of(client.get_model_version(version.name, str(version.version)))
        if model_id:
            now = int(time.time() * 1000)
            points = [Metric(k, v, now, 0, model_id=model_id, run_id=run_id) for k, v in finite.items()]
            client.log_batch(run_id, metrics=points)
    model_card.write(version)
    return True


def logged_model_of(found: ModelVersion) -> str:
    """Id of the stored model behind a version; empty where there is none. A database keeps it in ``source`` alone."""
    prefix = "models:/"
    source = found.source or ""
    return found.model_id or (source.removeprefix(prefix) if source.startswith(f"{prefix}m-") else "")


def frames_in(tags: Mapping[str, str]) -> int:
    """On how many frames a version's measures stand; 0: it has none, or nobody noted it."""
    try:
        return int(float(tags.get(FRAMES, 0)))
    except (ValueError, OverflowError):
        return 0


def summary(tags: Mapping[str, str]) -> str:
    """A version in one line: how good it is, by what preset, after how many minutes."""
    numbers = [
        f"{BY_KEY[key].short} {BY_KEY[key].shown(float(tags[key]))}"
        for key in _SAID
        if _is_number(tags.get(key))
    ]
    made = [tags.get("preset", ""), f"{tags['minutes']} min" if tags.get("minutes") else ""]
    return " · ".join(filter(None, [", ".join(numbers) or "not measured yet", *made]))


def _is_number(text: str | None) -> bool:
    try:
        return text is not None and math.isfinite(float(text))
    except ValueError:
        return False
