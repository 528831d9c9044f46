"""The view in which an experiment opens in MLflow: its charts, those that its runs are compared by first.

MLflow's pages keep a saved view as a tag of the experiment and open it by an address. The form of both is that of
MLflow 3.17 ("Save & share view" writes the same); a test opens it in a browser.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from faceswap.output.redaction import without_user
from faceswap.settings import settings
from faceswap.tracking.pages import MACHINE_LEARNING

KEY = "comparison"
TAG = f"mlflow.sharedViewState.{KEY}"
NAME = "Comparison"


@dataclass(frozen=True)
class Chart:
    """One chart of a view."""

    kind: Literal["LINE", "BAR", "SCATTER", "IMAGE"]
    keys: tuple[str, ...]
    """Metrics: one, several lines of one chart, x and y of a scatter plot; or the keys of logged images."""
    title: str


@dataclass(frozen=True)
class View:
    """What is shown of an experiment's runs."""

    charts: Sequence[Chart]
    columns: Sequence[str]
    """Of the runs' table, such as ``metrics.score`` or ``params.preset``."""

    def tag(self) -> str:
        """The value of the experiment's tag :data:`TAG`."""
        state = {
            "compareRunCharts": [_card(chart) for chart in self.charts],
            "compareRunSections": [_section(name) for name in (NAME, "Model metrics", "System metrics")],
            "isAccordionReordered": True,
            "hideEmptyCharts": True,
            "selectedColumns": [_column(one) for one in self.columns],
        }
        return json.dumps({"name": NAME, "createdAt": 0, "state": json.dumps(state)})


def address(experiment_id: str, server: str = "") -> str:
    """Where a browser compares an experiment's runs by its view; empty where no server shows any."""
    uri = server or settings().tracking
    if not uri.startswith("http"):
        return ""
    wanted = f"{MACHINE_LEARNING}&compareRunsMode=CHART&viewStateShareKey={KEY}"
    return f"{without_user(uri).rstrip('/')}/#/experiments/{experiment_id}/runs?{wanted}"


def _card(chart: Chart) -> dict[str, Any]:
    """A chart as MLflow's pages store it."""
    card = {
        "uuid": _id(chart.title),
        "type": chart.kind,
        "metricSectionId": _id(NAME),
        "displayName": chart.title,
        "deleted": False,
        "isGenerated": False,
        "runsCountToCompare": 20,
    }
    match chart.kind:
        case "SCATTER":
            x, y = chart.keys
            return card | {"xaxis": {"key": x, "type": "METRIC"}, "yaxis": {"key": y, "type": "METRIC"}}
        case "IMAGE":
            return card | {"imageKeys": list(chart.keys), "step": 0}
        case "LINE":
            lines = {"selectedMetricKeys": list(chart.keys), "xAxisKey": "step", "lineSmoothness": 0}
            return card | {"metricKey": chart.keys[0], "scaleType": "linear", **lines}
    return card | {"metricKey": chart.keys[0]}


def _section(name: str) -> dict[str, Any]:
    shown = name != "System metrics"
    return {
        "uuid": _id(name),
        "name": name,
        "display": shown,
        "isReordered": True,
        "isGenerated": name != NAME,
    }


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"faceswap:{name}"))


def _column(name: str) -> str:
    kind, _, key = name.partition(".")
    return f"{kind}.`{key}`"
