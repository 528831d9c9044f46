"""The preset of jobs that name none: what the machine, the time and the face sets allow; the log says which."""

import logging
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from faceswap import backend, jobs
from faceswap.cli import app
from faceswap.errors import SettingsError
from faceswap.faces.extraction.options import ExtractionOptions
from faceswap.faces.geometry import Geometry
from faceswap.jobs import preprocess_job
from faceswap.jobs.monitor import TERMINAL
from faceswap.jobs.parameters import PipelineParameters, PreprocessParameters, TrainParameters
from faceswap.jobs.pipeline_job import preprocess_all
from faceswap.jobs.preset_choice import PresetName, crops_of, preset_for, sized_for
from faceswap.jobs.training import train_job
from faceswap.jobs.tuning.tune_parameters import TuneParameters

SMALL, LARGE = ExtractionOptions(size=304).geometry, ExtractionOptions().geometry
BEFORE = Geometry(192, 1.8)  # no whole faces: only the tutorial's preset takes them


@dataclass(frozen=True)
class Stored:
    geometry: Geometry
    digest: str = "d"
    uri: str = "/sets/x"


@pytest.fixture(params=[True, False], ids=["GPU", "CPU"])
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(backend, "trains_on_gpu", lambda: request.param)
    return bool(request.param)


@pytest.mark.parametrize(
    ("stored", "minutes", "on_gpu", "on_cpu"),
    [
        ((LARGE, LARGE), None, "hd256", "lite"),
        ((LARGE, LARGE), 15, "hd256", "hd128"),
        ((LARGE, SMALL), None, "hd128", "lite"),
        ((SMALL, SMALL), 15, "hd128", "hd128"),
        ((BEFORE, LARGE), 15, "lite", "lite"),  # which then says what to do
    ],
)
def test_as_many_pixels_as_machine_time_and_face_sets_allow(
    gpu: bool,
    stored: tuple[Geometry, Geometry],
    minutes: float | None,
    on_gpu: str,
    on_cpu: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    check = crops_of({name: Stored(geometry) for name, geometry in zip("ab", stored, strict=True)})  # type: ignore[misc]
    with caplog.at_level(logging.INFO):
        chosen = preset_for(None, minutes, check)
    assert chosen == (on_gpu if gpu else on_cpu)
    assert (f"Preset {chosen}, since" in caplog.text) == (chosen != "lite")
    if gpu and stored[1] != LARGE and BEFORE not in stored:
        assert "Preset hd256 is not taken: " in caplog.text
        assert "--size 448" in caplog.text
    assert preset_for(PresetName("original"), minutes, check) == "original"


@pytest.mark.parametrize("model", [TrainParameters, TuneParameters, PipelineParameters])
def test_a_form_may_leave_the_preset_out_and_must_not_misspell_it(model: Any) -> None:
    given: dict[str, Any] = {"face_sets": ["a", "b"]}
    if model is PipelineParameters:
        given = {"people": {"ada": "a", "ben": "b"}, "consent": {}, "out": "o"}
    assert {model(**given, **more).preset for more in ({}, {"preset": None}, {"preset": ""})} == {None}
    assert model(**given, preset="hd128").preset is PresetName("hd128")
    with pytest.raises((SettingsError, ValidationError), match=r"hd258.*\n?.*hd256"):
        model(**given, preset="hd258")


def test_a_search_takes_the_largest_that_its_space_fits(gpu: bool) -> None:
    sets: Any = {name: Stored(LARGE, uri=f"/sets/{name}") for name in ("a", "b")}
    for space, name in (("bottleneck", "hd256"), ("widths", "hd128")):  # with widths of two stages
        plan = TuneParameters(face_sets=["a", "b"], space=space).checked().plan(sets)
        assert plan.preset.name == (name if gpu else "lite")


def test_crops_are_large_enough_for_any_machines_preset() -> None:
    for name, size in (("lite", 448), ("hd128", 448), ("hd256", 448), ("hd512", 896)):
        assert sized_for(ExtractionOptions(every=2), name).size == size
    assert sized_for(ExtractionOptions(size=304), "lite").size == 304


def test_a_notebook_and_the_whole_job_size_the_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def extract(_sources: Any, _identity: str, options: ExtractionOptions, **_: Any) -> SimpleNamespace:
        asked.append(options.size)
        return SimpleNamespace(uri="/sets/x")

    monkeypatch.setattr(preprocess_job, "extract", extract)
    monkeypatch.setattr(preprocess_job, "report_faces", lambda *_: None)
    jobs.preprocess(PreprocessParameters(identity="ada", sources=["a"], consent="signed", fictional=True))
    both = {"people": {"ada": "a", "ben": "b"}, "consent": {"ada": "signed", "ben": "signed"}, "out": "o"}
    for more in ({}, {"preset": "hd512"}, {"preset": "lite"}):
        preprocess_all(PipelineParameters(**both, **more), TERMINAL)  # type: ignore[arg-type]
    assert asked == [448, *[448] * 2, *[896] * 2, *[448] * 2]


def test_commands_leave_the_choice_to_the_job_and_the_job_makes_it(
    gpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[TrainParameters] = []
    monkeypatch.setattr(jobs, "train", lambda given: asked.append(given) or _over())
    for words in ((), ("--preset", "hd512")):
        CliRunner().invoke(app, ["train", "s3://x/a", "s3://x/b", *words])
    assert [one.preset for one in asked] == [None, "hd512"]

    monkeypatch.setattr(train_job, "load_face_sets", lambda _: {n: Stored(LARGE) for n in ("a", "b")})
    called: list[str] = []
    monkeypatch.setattr(train_job.tracking, "run", lambda name, *_, **__: called.append(name) or _over())
    for one in asked:
        with pytest.raises(KeyboardInterrupt):
            train_job.train(one)
    assert called == [f"a + b, {'hd256' if gpu else 'lite'}, 4 min", "a + b, hd512, 4 min"]


def _over() -> Any:
    raise KeyboardInterrupt
