"""The forms of Prefect's UI: no field is a choice between a type and null, and what there is is listed."""

from typing import Any

import jsonschema
import pytest
from prefect.utilities.callables import parameter_schema

from faceswap.errors import TrackingError
from flows import forms
from flows.deployments import deployments, main_flows
from flows.forms import form, known


@pytest.fixture(params=main_flows(), ids=lambda flow: flow.name)
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    return parameter_schema(request.param).model_dump(exclude_unset=True)


def fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: field
        for part in schema["definitions"].values()
        for name, field in part.get("properties", {}).items()
    }


def test_no_field_is_a_choice_with_null(schema: dict[str, Any]) -> None:
    for name, field in fields(form(schema, {})).items():
        assert {"type": "null"} not in field.get("anyOf", []), name


def of_training() -> dict[str, Any]:
    return parameter_schema(next(f for f in main_flows() if f.name == "train")).model_dump(exclude_unset=True)


def test_what_is_left_out_or_in_range_passes_and_the_rest_is_refused() -> None:
    check = jsonschema.Draft202012Validator(form(of_training(), {}))

    def errors(**given: object) -> list[str]:
        return [e.message for e in check.iter_errors({"parameters": {"face_sets": ["a", "b"], **given}})]

    assert errors() == []
    assert errors(minutes=3.5, bottleneck=32, preset="hd128") == []
    assert errors(minutes="abc") == ["'abc' is not of type 'number'"]
    assert errors(bottleneck=2) == ["2 is less than the minimum of 4"]


def test_known_face_sets_and_versions_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "known_identities", lambda: ["ada", "ben"])
    monkeypatch.setattr(forms, "_version_names", lambda: ["ada@production", "ada/1"])
    monkeypatch.setattr(forms, "_model_names", list)
    found = fields(form(of_training(), known()))
    assert found["face_sets"]["description"].endswith("(face sets of: ada, ben)")
    assert found["warm_start"]["description"].endswith("(versions: ada@production, ada/1)")
    assert "known" not in found["seed"]["description"]
    assert known()["name"] == "registered: none yet"


def test_a_registry_that_is_away_only_leaves_its_list_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[str]:
        raise TrackingError("MLflow is away")

    monkeypatch.setattr(forms, "known_identities", lambda: [f"p{n}" for n in range(40)])
    monkeypatch.setattr(forms, "_version_names", away)
    monkeypatch.setattr(forms, "_model_names", away)
    assert set(known()) == {"face_sets", "targets"}
    assert known()["targets"].endswith("p29 and 10 more")


def test_deployments_are_told_apart_by_their_names() -> None:
    names = [one.name for one in deployments()]
    assert len(set(names)) == len(names)
    assert {"faceswap-train", "faceswap-tune", "faceswap-swap"} <= set(names)
