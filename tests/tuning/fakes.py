"""Plans, records and trials that only pretend, each in a real process of its own."""

import os
import signal
import time
from typing import Any

from faceswap.errors import DivergedError, TrackingError
from faceswap.model.presets import preset
from faceswap.model.training.schedule import Budget
from faceswap.tuning.plan import SearchPlan, TrialJob, TrialRecord, TrialResult
from faceswap.tuning.search_space import SPACES


def plan(task: str = "valley", **changes: Any) -> SearchPlan:
    """A search whose trials are the function ``task`` of this module."""
    values: dict[str, Any] = {
        "face_sets": ("a", "b"),
        "digests": {"ann": "1", "bob": "2"},
        "preset": preset("lite"),
        "space": SPACES["bottleneck"],
        "budget": Budget(steps=9),
        "task": f"tests.tuning.fakes:{task}",
    }
    return SearchPlan(**{**values, **changes})


def record(number: int, quality: float, speed: float, weights: int = 1, **changes: Any) -> TrialRecord:
    """A completed trial with these numbers."""
    values: dict[str, Any] = {
        "trial_id": f"{number:04d}",
        "values": {"bottleneck": 2 ** (4 + number % 7)},
        "changes": {"bottleneck": 2 ** (4 + number % 7)},
        "rung": 0,
        "continues": "",
        "status": "completed",
        "quality": quality,
        "result": TrialResult(measures={}, images_per_second=speed, parameters=weights),
    }
    return TrialRecord(**{**values, **changes})


def valley(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Best at a bottleneck of 128, worse the further away."""
    width = int(job.values["bottleneck"])
    distance = 0.2 + 0.5 * abs(width - 128) / 1024
    return TrialResult(
        measures={"identity_distance": distance, "worker": float(os.getppid())},
        steps=1,
        images_per_second=10_000 / width,
        parameters=width,
    )


def slow(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """The same, but it takes a while."""
    time.sleep(1)
    return valley(job, plan)


def card(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Tells which GPU it sees."""
    return TrialResult(measures={"identity_distance": 0.5, "card": float(os.environ["CUDA_VISIBLE_DEVICES"])})


def hungry(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """The same, with 200 MB in memory."""
    held = b"x" * 200_000_000
    result = valley(job, plan)
    del held
    return result


def flat(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Everything is as good."""
    return TrialResult(measures={"identity_distance": 0.5})


def moody(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Fails in another way for each width."""
    match int(job.values["bottleneck"]):
        case 16:
            raise DivergedError("The loss was not a number")
        case 64:
            os.kill(os.getpid(), signal.SIGKILL)
        case 256:
            raise MemoryError
        case 1024:
            os._exit(9)
    return valley(job, plan)


def hopeless(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """Never works."""
    raise ValueError("nothing works")


def serverless(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """The tracker is away."""
    raise TrackingError("MLflow can't be reached")


def tiny(job: TrialJob, plan: SearchPlan) -> TrialResult:
    """A real training of a tiny network on faces made of numbers; no swaps."""
    from faceswap.model.training.dataset import TrainingData
    from faceswap.tuning.training import Silent, fit
    from tests.model.fakes import FakeFaces

    faces = {"ann": FakeFaces("ann", (200, 120, 90)), "bob": FakeFaces("bob", (90, 120, 200))}
    variant = plan.variant(job.values)
    _, result = fit(job, plan, TrainingData(faces, variant), variant, Silent())
    return result.model_copy(update={"measures": {"identity_distance": 0.5}})
