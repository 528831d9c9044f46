"""The view in which MLflow opens an experiment, and the address that opens it."""

import json

import pytest

from faceswap import tracking
from faceswap.evaluation.grading.measures import BY_KEY
from faceswap.settings import settings
from faceswap.tracking import experiments, views


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("kind", ["train", "tune", "evaluate", "swap", "consent"])
def test_an_experiment_has_its_view_and_gets_it_again(kind: str) -> None:
    client = tracking.connect()
    made = experiments.id_for(client, kind)
    client.set_experiment_tag(made, views.TAG, "of an earlier version")
    assert experiments.id_for(client, kind) == made
    view = json.loads(client.get_experiment(made).tags[views.TAG])
    state = json.loads(view["state"])
    assert view["name"] == "Comparison"
    (section,) = [one for one in state["compareRunSections"] if one["name"] == "Comparison"]
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} <= {section["uuid"]}
    assert len({chart["uuid"] for chart in state["compareRunCharts"]}) == len(state["compareRunCharts"])


@pytest.mark.usefixtures("database")
def test_an_evaluation_is_compared_by_measures_that_there_are() -> None:
    client = tracking.connect()
    view = json.loads(client.get_experiment(experiments.id_for(client, "evaluate")).tags[views.TAG])
    bars = [one["metricKey"] for one in json.loads(view["state"])["compareRunCharts"] if one["type"] == "BAR"]
    assert bars and set(bars) <= set(BY_KEY)


def test_the_address_opens_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    address = views.address("7", "http://ada:secret@mlflow:5000/")
    assert address.startswith("http://mlflow:5000/#/experiments/7/runs?")
    assert "viewStateShareKey=comparison" in address and "compareRunsMode=CHART" in address
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////tmp/none.db")
    settings.cache_clear()
    assert views.address("7") == ""
