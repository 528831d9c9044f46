"""Every job as a Prefect flow: its name, what its runs are called, and what becomes of one that is stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from prefect import Flow, State, flow
from prefect.runtime import flow_run
from prefect.states import Failed
from pydantic import BaseModel

from faceswap import jobs
from faceswap.errors import PromotionRefused
from faceswap.jobs.monitor import Monitor
from faceswap.jobs.parameters import (
    EvaluateParameters,
    LearnMasksParameters,
    PipelineParameters,
    PreprocessParameters,
    PretrainParameters,
    PromoteParameters,
    RollbackParameters,
    SwapParameters,
    TrainParameters,
)
from faceswap.jobs.tuning.tune_parameters import TuneParameters
from flows.naming import budget, listed, named, people
from flows.prefect_monitor import shown_in_prefect
from flows.staying import staying
from flows.watch import close_mlflow_runs

R = TypeVar("R")
Given = TypeVar("Given", bound=BaseModel)
_STOPPED: dict[str, Any] = {"on_crashed": [close_mlflow_runs], "on_cancellation": [close_mlflow_runs]}
"""Hooks: the MLflow runs of a flow run that ends so end with it."""


def flow_of(work: Callable[[Given, Monitor], R]) -> Callable[[Given], R]:
    """The flow of a job: both have the same name."""
    found: Flow[[Given], R] = globals()[work.__name__]
    return found


def _shown(work: Callable[[Given, Monitor], R], parameters: Given) -> R:
    with staying(str(flow_run.id or "")), shown_in_prefect() as monitor:
        return work(parameters, monitor)


@flow(name="preprocess", flow_run_name=named(lambda given: given.identity), **_STOPPED)
def preprocess(parameters: PreprocessParameters) -> Any:
    """Media of one person in, a face set out; returns its URI."""
    return _shown(jobs.preprocess, parameters)


def _training(given: Any) -> str:
    if given.resume:
        return f"resume {given.resume[:8]}"
    return listed(people(given.face_sets), given.preset, budget(given) or "4 min")


@flow(name="train", flow_run_name=named(_training), **_STOPPED)
def train(parameters: TrainParameters) -> Any:
    """Face sets in, registered decoder versions out.

    Cancel it and it saves; "Retry" in Prefect's UI, or a new run with ``resume``, goes on from there.
    """
    return _shown(jobs.train, parameters)


@flow(name="evaluate", flow_run_name=named(lambda given: " + ".join(given.references)), **_STOPPED)
def evaluate(parameters: EvaluateParameters) -> Any:
    """Versions measured by the protocol on held-out frames; the numbers are written to the versions."""
    return _shown(jobs.evaluate, parameters)


def _swapping(given: Any) -> str:
    return f"{given.reference} on {Path(given.target).name}"


@flow(name="swap", flow_run_name=named(_swapping), **_STOPPED)
def swap(parameters: SwapParameters) -> Any:
    """A picture, a folder or a video with the reference's face put on; labelled, with its origin in the file."""
    return _shown(jobs.swap, parameters)


@flow(name="sheet", flow_run_name=named(_swapping), **_STOPPED)
def sheet(parameters: SwapParameters) -> Any:
    """One frame of the target under all masks and colour transfers, as a labelled picture to choose from."""
    return _shown(jobs.sheet, parameters)


@flow(name="promote", flow_run_name=named(lambda given: given.version), **_STOPPED)
def promote(parameters: PromoteParameters) -> Any:
    """A version into production, if the gates let it pass; who, when and why is written to the version."""
    try:
        return _shown(jobs.promote, parameters)
    except PromotionRefused as refused:
        # Prefect raises it where the flow was called; raised here, it would leave a traceback in the log as well.
        state: State[Any] = Failed(message=str(refused), data=refused)
        return state


@flow(name="rollback", flow_run_name=named(lambda given: given.name), **_STOPPED)
def rollback(parameters: RollbackParameters) -> Any:
    """The version before into production again, in one step; recorded with both versions and as an MLflow run."""
    return _shown(jobs.rollback, parameters)


def _search(given: Any) -> str:
    if given.resume:
        return f"resume {given.resume[:8]}"
    return listed(people(given.face_sets), given.preset, f"by {Path(given.space or 'bottleneck').name}")


@flow(name="tune", flow_run_name=named(_search), **_STOPPED)
def tune(parameters: TuneParameters) -> Any:
    """Search good settings for these faces. Killed and started again with the same input, it goes on.

    With a chief's address and a worker's name it only takes part in the chief's search and returns None.
    """
    return _shown(jobs.tune, parameters)


@flow(name="pretrain", flow_run_name=named(lambda given: str(given.preset or "lite")), **_STOPPED)
def pretrain(parameters: PretrainParameters) -> Any:
    """Learn faces from people who do not exist; writes the prior and logs it with its origin.

    Interrupted and started again with the same options, it goes on from its last checkpoint, in the same MLflow run.
    """
    return _shown(jobs.pretrain, parameters)


@flow(name="learn-masks", **_STOPPED)
def learn_masks(parameters: LearnMasksParameters) -> Any:
    """Learn to tell faces from what lies over them; writes the network's weights and logs them with their origin.

    Interrupted and started again with the same options, it goes on from its last checkpoint, in the same MLflow run.
    """
    return _shown(jobs.learn_masks, parameters)


def _whole_job(given: Any) -> str:
    return listed(people(list(given.people)), given.preset, f"{given.minutes or 4:g} min")


@flow(name="pipeline", flow_run_name=named(_whole_job), **_STOPPED)
def pipeline(parameters: PipelineParameters) -> Any:
    """Media of two or more people in; face sets, tracked training, registered versions, report and video out."""
    return _shown(jobs.pipeline, parameters)
