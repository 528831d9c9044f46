"""What the flows' forms take, and how they describe it."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from faceswap.cli import _load
from faceswap.cli.common import PresetOption
from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.jobs.parameters import (
    LearnMasksParameters,
    PipelineParameters,
    PreprocessParameters,
    PretrainParameters,
    RollbackParameters,
    TrainParameters,
)
from faceswap.model.presets import PRESETS


def named(name: str) -> PreprocessParameters:
    return PreprocessParameters(identity=name, sources=["x"], consent="signed")


@pytest.mark.parametrize("name", ["ada", "zo\u00eb", "J\u00fcrgen.2", "\u674e", "_x-y"])
def test_names_of_any_script(name: str) -> None:
    assert named(name).identity == name


def test_accents_are_composed_so_that_a_person_has_one_name() -> None:
    assert named("zoe\u0308").identity == "zo\u00eb"
    assert RollbackParameters(name="zoe\u0308").name == "zo\u00eb"
    whole = PipelineParameters(
        people={"zoe\u0308": "a", "ben": "b"}, consent={"zoe\u0308": "signed", "ben": "signed"}, out="out"
    )
    assert list(whole.people) == list(whole.consent) == ["zo\u00eb", "ben"]


@pytest.mark.parametrize("name", ["", "a b", "a/b", ".a", "q\u0308", "\u0928\u0940", "a\n"])
def test_names_that_mlflow_or_a_file_system_refuses_are_refused_first(name: str) -> None:
    with pytest.raises(ValidationError, match=r"a letter or a digit|pattern"):
        named(name)


@pytest.mark.parametrize(
    "model", [TrainParameters, PipelineParameters, PretrainParameters, LearnMasksParameters]
)
def test_every_number_and_text_of_a_form_is_described(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    own = [(model.__name__, schema)]
    own += [(n, d) for n, d in schema["$defs"].items() if n in {"PretrainingOptions", "MaskOptions"}]
    for name, part in own:
        bare = [key for key, field in part["properties"].items() if not field.get("description")]
        assert set(bare) <= {"options"}, name


def test_help_names_every_preset() -> None:
    (option,) = PresetOption.__metadata__
    assert option.help.split(": ")[1].split(", ") == list(PRESETS)


def test_the_crops_that_the_larger_presets_need_are_told_as_they_are() -> None:
    """The whole face with its margin, in the help and in the guide."""
    usual = ExtractionOptions()
    needed = {name: usual.fitting(one.geometry).size for name, one in PRESETS.items()}
    more = {name: size for name, size in needed.items() if size > usual.size}
    assert set(more) == {"hd512"}
    option = next(one for one in _load("preprocess").params if one.name == "size")
    guide = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
    rows = {line.split("`")[1]: line for line in guide.splitlines() if line.startswith("| `")}
    for name, size in more.items():
        assert re.search(rf"{name}( needs)? {size}\b", option.help)
        assert f"--size {size}`" in rows[name]
    assert f"`--size {more['hd512']}` is needed for `hd512`" in guide
