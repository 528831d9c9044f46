"""What runs are called in Prefect's UI."""

from types import SimpleNamespace
from typing import Any

import pytest
from prefect.utilities.names import generate_slug

from faceswap.jobs.parameters import EvaluateParameters, PipelineParameters, SwapParameters, TrainParameters
from faceswap.jobs.tuning.tune_parameters import TuneParameters
from flows import naming
from flows.flows import evaluate, pipeline, swap, train, tune
from flows.naming import is_made_up


def test_names_that_prefect_makes_up_are_known() -> None:
    assert all(is_made_up(generate_slug(2)) for _ in range(300))
    for name in ("alpha477-feris", "omega-bootis", "beta6-aquilae-gamelan"):
        assert is_made_up(name)


@pytest.mark.parametrize(
    "name", ["ada and ben", "test3", "ada-ben", "lips-first", "Alpha477-Feris", "gamma 2.2", "try-2"]
)
def test_names_of_people_are_not(name: str) -> None:
    assert not is_made_up(name)


@pytest.mark.parametrize(
    ("flow", "parameters", "name"),
    [
        (train, TrainParameters(face_sets=["ada", "ben"]), "ada + ben, 4 min"),
        (
            train,
            TrainParameters(face_sets=["/x/ada/0123456789abcdef", "s3://b/ben/"], preset="hd128", steps=300),
            "ada + ben, hd128, 300 steps",
        ),
        (train, TrainParameters(face_sets=["ada"], epochs=1.5), "ada, 1.5 epochs"),
        (train, {"face_sets": ["ada", "ben"], "minutes": 90}, "ada + ben, 90 min"),
        (train, TrainParameters(face_sets=["-"], resume="0123456789abcdef"), "resume 01234567"),
        (
            pipeline,
            PipelineParameters(people={"ada": "a.mp4", "ben": "b"}, consent={}, out="out"),
            "ada + ben, 4 min",
        ),
        (tune, TuneParameters(face_sets=["ada", "ben"]), "ada + ben, by bottleneck"),
        (evaluate, EvaluateParameters(references=["ada", "ben/3"]), "ada + ben/3"),
        (swap, SwapParameters(target="/x/me.jpg", reference="ada", out="o.jpg"), "ada on me.jpg"),
    ],
)
def test_a_run_is_called_by_what_it_does_unless_the_user_says(
    monkeypatch: pytest.MonkeyPatch, flow: Any, parameters: Any, name: str
) -> None:
    run = SimpleNamespace(name="alpha477-feris", parameters={"parameters": parameters})
    monkeypatch.setattr(naming, "flow_run", run)
    assert flow.flow_run_name() == name
    run.name = "my own try"
    assert flow.flow_run_name() == "my own try"
