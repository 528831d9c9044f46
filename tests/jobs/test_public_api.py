"""What a notebook may rely on: names that are there, cheap to import, with a parameter model and a monitor each."""

import inspect
import json
import subprocess
import sys

import pytest
from pydantic import BaseModel

import faceswap
from faceswap import jobs
from faceswap.jobs.monitor import TERMINAL

USE_CASES = {
    *("preprocess", "train", "evaluate", "swap", "sheet", "promote", "rollback"),
    *("tune", "pretrain", "learn_masks", "pipeline"),
    *("record_consent", "extend_consent", "withdraw_consent"),
}


def test_the_public_names_are_these_and_all_exist() -> None:
    found = {name: getattr(jobs, name) for name in jobs.__all__}
    functions = {name for name, value in found.items() if inspect.isfunction(value)}
    assert functions == USE_CASES | {"consent_of"}
    models = {name for name in found if name.endswith("Parameters")}
    assert models == {
        *("PreprocessParameters", "TrainParameters", "EvaluateParameters", "SwapParameters"),
        *("PromoteParameters", "RollbackParameters", "TuneParameters", "PretrainParameters"),
        *("LearnMasksParameters", "PipelineParameters", "ConsentParameters"),
    }
    assert set(found) - functions - models == {
        "Withdrawn",
        *("TERMINAL", "Monitor", "Answer", "Casting", "Evaluated", "Promoted", "Trained", "Tuned"),
    }
    assert faceswap.__all__ == ["__version__", "jobs"]


@pytest.mark.parametrize("name", sorted(USE_CASES))
def test_a_job_takes_a_model_and_a_monitor(name: str) -> None:
    parameters, monitor = inspect.signature(getattr(jobs, name)).parameters.values()
    assert issubclass(parameters.annotation, BaseModel)
    assert monitor.default is TERMINAL
    assert inspect.getdoc(getattr(jobs, name))


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match=r"'faceswap\.jobs' has no attribute 'trian'"):
        jobs.trian  # noqa: B018


def test_the_package_and_its_parameters_import_nothing_heavy() -> None:
    heavy = ("tensorflow", "keras", "mlflow", "prefect", "cv2", "gradio", "dlib", "pandas", "typer")
    script = (
        "import json, sys; from faceswap import jobs, tracking; jobs.TrainParameters, jobs.TERMINAL;"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
