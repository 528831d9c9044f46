import json
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from faceswap.errors import SettingsError
from faceswap.model.presets import preset
from faceswap.tuning.oracles import hyperparameters
from faceswap.tuning.search_space import SPACES, Choice, FloatRange, IntRange, SearchSpace, load_space

LITE = preset("lite")


@pytest.mark.parametrize("name", list(SPACES))
def test_the_built_in_spaces_fit_their_preset_and_come_back_from_files(name: str, tmp_path: Path) -> None:
    space = load_space(name)
    space.check(LITE)
    assert space.dimensions[0].field == "bottleneck"
    for file in (tmp_path / "space.yaml", tmp_path / "space.json"):
        space.save(file)
        assert load_space(str(file)) == space
    json.loads((tmp_path / "space.json").read_text())


@pytest.mark.parametrize(
    ("dimension", "said"),
    [
        ({"kind": "int", "field": "bottleneck", "low": 9, "high": 9}, "must be below"),
        ({"kind": "float", "field": "learning_rate", "low": 0, "high": 1, "log": True}, "above 0"),
        (
            {"kind": "int", "field": "bottleneck", "low": 2, "high": 8, "log": True, "step": 1},
            "ratio above 1",
        ),
        ({"kind": "choice", "field": "head", "values": ["conv", "conv"]}, "given twice"),
        ({"kind": "int", "field": "bottleneck", "low": 4.5, "high": 8}, "integer"),
        ({"kind": "list", "field": "bottleneck"}, "kind"),
        ({"kind": "int", "field": "a.b.c", "low": 1, "high": 2}, "pattern"),
        ({"kind": "int", "field": "bottleneck", "low": 4, "hihg": 8}, "hi"),
    ],
)
def test_what_is_no_dimension_is_refused_with_words(
    dimension: dict[str, object], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(yaml.safe_dump({"dimensions": [dimension]}))
    with pytest.raises(SettingsError, match=said) as caught:
        load_space(str(file))
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("text", ["{", "", "just words", "- 1", "dimensions: []", "\x00"])
def test_files_without_a_space_are_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError):
        load_space(str(file))
    with pytest.raises(SettingsError, match="no search space 'nowhere'"):
        load_space("nowhere")


@pytest.mark.parametrize(
    ("dimension", "field"),
    [
        (IntRange(field="botleneck", low=4, high=8), "botleneck"),
        (IntRange(field="bottleneck", low=2, high=8), "bottleneck"),
        (IntRange(field="bottleneck", low=4, high=9000), "bottleneck"),
        (FloatRange(field="loss.dsim", low=0, high=1), "loss.dsim"),
        (FloatRange(field="learning_rate", low=-1, high=0.1), "learning_rate"),
        (Choice(field="head", values=["conv", "pyramid"]), "head"),
        (Choice(field="decoder_filters", values=[[64, 32], [64, 32, 16]]), "preset"),
    ],
)
def test_a_dimension_must_fit_the_preset(dimension: IntRange, field: str) -> None:
    with pytest.raises(SettingsError, match=field):
        SearchSpace(dimensions=(dimension,)).check(LITE)


def test_a_field_comes_once_and_an_extension_replaces() -> None:
    one, other = IntRange(field="bottleneck", low=4, high=8), IntRange(field="bottleneck", low=4, high=16)
    with pytest.raises(ValidationError, match="given twice"):
        SearchSpace(dimensions=(one, other))
    rate = FloatRange(field="learning_rate", low=1e-4, high=1e-3)
    assert SearchSpace(dimensions=(one, rate)).extended((other,)).dimensions == (other, rate)


@given(low=st.integers(1, 200), steps=st.integers(1, 30), step=st.integers(2, 9), log=st.booleans())
def test_spread_and_nearest_are_what_keras_tuner_can_draw(low: int, steps: int, step: int, log: bool) -> None:
    high = low * step ** min(steps, 4) if log else low + steps * step
    dimension = IntRange(field="bottleneck", low=low, high=high, log=log, step=step)
    space = SearchSpace(dimensions=(dimension,))
    drawn = {int(value) for value in hyperparameters(space).space[0].values}
    assert set(dimension.spread(100)) == drawn
    assert set(dimension.spread(3)) <= drawn
    assert {min(drawn), max(drawn)} == set(dimension.spread(2))
    scale = math.log if log else float
    for value in (low - 5, low, (low + high) / 2, high, high + 5):
        near = dimension.nearest(max(1, value))
        inside = scale(min(max(value, low), high))
        distances = {v: abs(scale(v) - inside) for v in drawn}
        assert distances[near] <= min(distances.values()) + 1e-9


def test_choices_of_lists_and_switches_travel_as_text() -> None:
    filters = Choice(field="encoder_filters", values=[[16, 32], [32, 64]])
    assert [filters.decode(v) for v in filters.encoded] == filters.values
    assert filters.nearest((32, 64)) == "[32, 64]"
    assert filters.nearest((1, 2)) == "[16, 32]"
    assert Choice(field="a", values=[1, 2]).encoded == [1, 2]
    assert Choice(field="a", values=[1, 2.5]).encoded == [1.0, 2.5]
    assert Choice(field="a", values=[True, False]).encoded == ["true", "false"]


def test_the_sweep_varies_the_first_dimension_alone() -> None:
    points = SPACES["everything"].first_points(LITE)
    assert [p["bottleneck"] for p in points] == [16, 64, 256, 1024]
    assert len({json.dumps({k: v for k, v in p.items() if k != "bottleneck"}) for p in points}) == 1
    variant = LITE.with_(**SPACES["everything"].changes(points[2]))
    assert variant.encoder_filters == LITE.encoder_filters
    assert variant.loss.gradient == LITE.loss.gradient
    assert variant.bottleneck == 256
