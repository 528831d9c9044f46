"""Where a version comes from: run, face sets, measures, consent."""

import json
import time
from contextlib import suppress
from functools import lru_cache
from html import escape

from faceswap import tracking
from faceswap.errors import FaceswapError
from faceswap.evaluation.grading.measures import MEASURES
from faceswap.registry import Listed
from faceswap.settings import settings
from serving import html as words
from serving.catalogue import State


def lineage(row: Listed) -> str:
    """One version's origin as HTML."""
    tags = row.tags
    facts = [
        ("Version", f"<b>{escape(str(row.version))}</b> {_aliases(row)}"),
        ("Registered", time.strftime("%Y-%m-%d %H:%M", time.localtime(row.created))),
        ("Training run", _run(tags.get("run_id", ""))),
        ("Network", escape(f"{tags.get('preset', '–')}, bottleneck {tags.get('bottleneck', '–')}")),
        ("Decoder", _digest(tags.get("decoder_digest", ""))),
        ("Encoder", _digest(tags.get("encoder_digest", ""))),
        ("Face sets", _face_sets(tags.get("face_sets", "{}"))),
        ("Consent", escape(tags.get("consent", "none recorded"))),
        ("On held-out frames", _metrics(tags)),
    ]
    return (
        '<dl class="lineage">'
        + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value)
        + "</dl>"
    )


def versions_table(state: State) -> str:
    """All versions, with their measures, as HTML."""
    keys = ("identity_distance", "lip_gap_correlation", "pose_error_degrees", "sharpness")
    shown = [measure for measure in MEASURES if measure.key in keys]
    rows = [
        [
            f"<b>{escape(str(row.version))}</b> {_aliases(row)}",
            escape(row.tags.get("preset", "–")),
            *(_graded(row.tags, measure.key) for measure in shown),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(row.created)),
            escape(row.tags.get("consent", "–")),
        ]
        for row in state.rows
    ]
    return words.table(
        ["version", "network", *(m.title.lower() for m in shown), "registered", "consent"], rows
    )


def _aliases(row: Listed) -> str:
    return "".join(f'<span class="chip">{escape(alias)}</span>' for alias in row.aliases)


def _digest(value: str) -> str:
    return f'<code title="{escape(value, quote=True)}">{escape(value[:12])}</code>' if value else ""


def _face_sets(text: str) -> str:
    try:
        entries = dict(json.loads(text))
    except (ValueError, TypeError):
        return escape(text)
    return "<br>".join(f"{escape(str(name))} {_digest(str(digest))}" for name, digest in entries.items())


def _run(run_id: str) -> str:
    if not run_id:
        return ""
    name = f"<code>{escape(run_id)}</code>"
    url = ""
    with suppress(FaceswapError):  # a lost server takes the link, not the page
        url = run_url(run_id)
    return f'<a href="{escape(url, quote=True)}" target="_blank" rel="noopener">{name}</a>' if url else name


@lru_cache(maxsize=256)
def run_url(run_id: str) -> str:
    """Where a browser shows the run; empty without a server.

    Raises:
        TrackingError: the server does not answer.
    """
    if not settings().tracking.startswith("http"):
        return ""
    client = tracking.connect()
    with tracking.explained(f"show run {run_id}"):
        return tracking.Run(client, run_id).url


def _metrics(tags: dict[str, str]) -> str:
    cells = [
        f'<span class="metric"><em>{escape(measure.title)}</em> {_graded(tags, measure.key)}</span>'
        for measure in MEASURES
        if measure.key in tags
    ]
    return "".join(cells) or "not measured"


def _graded(tags: dict[str, str], key: str) -> str:
    measure = next(m for m in MEASURES if m.key == key)
    try:
        value = float(tags[key])
    except (KeyError, ValueError):
        return "–"
    return f'<i class="{measure.grade(value)}">{measure.shown(value)}</i>'
