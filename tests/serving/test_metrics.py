"""What Prometheus is told, and that alerts and dashboard ask for nothing else."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from faceswap.errors import MediaError
from serving.catalogue import State
from serving.prometheus_metrics import counted, exposition

MONITORING = Path(__file__).parents[2] / "infra" / "monitoring"


def told() -> dict[str, float]:
    lines = exposition(SimpleNamespace(state=State(problem="lost", listed=12.0))).decode().splitlines()  # type: ignore[arg-type]
    return {name: float(value) for name, value in (one.rsplit(" ", 1) for one in lines if one[0] != "#")}


def test_swaps_are_counted_by_their_outcome() -> None:
    names = [f'faceswap_swaps_total{{kind="test",outcome="{one}"}}' for one in ("made", "refused", "failed")]
    with counted("test"):
        assert told()['faceswap_swaps_running{kind="test"}'] == 1
    for error in (MediaError("no face"), ZeroDivisionError()):
        with pytest.raises(type(error)), counted("test"):
            raise error
    found = told()
    assert [found[name] for name in names] == [1, 1, 1]
    assert found["faceswap_registry_lost"] == 1
    assert found["faceswap_registry_listed_seconds"] == 12


def test_alerts_and_dashboard_ask_for_what_is_told() -> None:
    known = {name.partition("{")[0] for name in told()}
    for file in ("alerts.yml", "dashboard.json"):
        text = (MONITORING / file).read_text()
        asked = set(re.findall(r"faceswap_[a-z_]+", text))
        assert asked and asked <= known, asked - known
    json.loads((MONITORING / "dashboard.json").read_text())
